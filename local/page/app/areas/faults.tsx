// Faults and time: trouble switched on for the simulated platform, what it struck, and its clock.
import { useEffect, useState } from 'preact/hooks';
import type { FaultSpec } from '../../../aep/fault-kinds.ts';
import { SCENARIOS } from '../../scenarios.ts';
import type { FaultLine, FaultPlace, FaultsTold, RequestLine } from '../../told.ts';
import { act } from '../act.ts';
import { type Acting, OutcomeOf, useActing } from '../acting.tsx';
import { FaultForm } from '../fault-form.tsx';
import { saveFile } from '../files.ts';
import { useFollow } from '../follow.ts';
import { saidOf } from '../kinds.ts';
import type { AreaProps } from '../main.tsx';
import { Facts, Sign, timeOf, told } from '../parts.tsx';
import { Link, pathOf } from '../place.tsx';

const FAULTS = '/api/simulator/faults';
const CLOCK = '/api/simulator/clock';
const RUN_FILE = 'faults.json';

export function Faults({ onConnection }: AreaProps) {
  const [now, setNow] = useState<FaultsTold | undefined>();
  const connection = useFollow<FaultsTold>('faults', {
    path: () => '/api/follow/faults',
    onNews: setNow,
  });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  const acting = useActing();
  if (now === undefined) return <div class="empty">Loading …</div>;
  return (
    <div class="halves">
      <OutcomeOf acting={acting} />
      <section class="half" aria-label="Switch on">
        <Scenarios acting={acting} />
        <Time aheadSeconds={now.aheadSeconds} acting={acting} />
        <h2>A fault of your own</h2>
        <FaultForm
          places={now.places}
          isBusy={acting.isBusy}
          onFault={(fault) => acting.run(() => switchOn([fault], 'The fault is on.'))}
        />
      </section>
      <section class="half" aria-label="What is on">
        <OnNow now={now} acting={acting} />
        <Struck struck={now.struck} />
      </section>
    </div>
  );
}

async function switchOn(faults: readonly FaultSpec[], says: string): Promise<string> {
  await act('POST', FAULTS, faults);
  return says;
}

function Scenarios({ acting: { isBusy, run } }: { readonly acting: Acting }) {
  return (
    <>
      <h2>Ready to switch on</h2>
      <ul class="cards">
        {SCENARIOS.map(({ name, says, faults }) => (
          <li key={name}>
            <button
              type="button"
              class="card"
              aria-disabled={isBusy}
              onClick={() => run(() => switchOn(faults, `${name} is on.`))}
            >
              <strong>{name}</strong>
              <span class="card-says">{says}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

const STEPS = [
  ['Five minutes forward', 5 * 60_000],
  ['One day forward', 24 * 60 * 60_000],
] as const;

function Time({ aheadSeconds, acting: { isBusy, run } }: { aheadSeconds: number; acting: Acting }) {
  return (
    <>
      <h2>Time</h2>
      <p class="says">
        The platform's clock{' '}
        {aheadSeconds === 0 ? 'is that of this machine.' : `is ${spanOf(aheadSeconds)} ahead.`} Tokens expire
        by it and flows become warm. It never goes back.
      </p>
      <div class="buttons">
        {STEPS.map(([name, advanceMs]) => (
          <button
            key={name}
            type="button"
            aria-disabled={isBusy}
            onClick={() =>
              run(async () => {
                await act('POST', CLOCK, { advanceMs });
                return `The clock went ${spanOf(advanceMs / 1000)} forward.`;
              })
            }
          >
            {name}
          </button>
        ))}
      </div>
    </>
  );
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `1 day, 5 minutes` */
function spanOf(seconds: number): string {
  let left = seconds;
  const parts = UNITS.flatMap(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? [] : [`${told(count)} ${unit}${count === 1 ? '' : 's'}`];
  });
  return parts.join(', ');
}

function OnNow({ now: { faults, seed, places }, acting }: { now: FaultsTold; acting: Acting }) {
  const { isBusy, run } = acting;
  return (
    <>
      <h2>On now</h2>
      {faults.length === 0 && (
        <p class="says">Nothing is on. Switch something on, then put records into a stream.</p>
      )}
      <ul class="faults">
        {faults.map((fault) => (
          <FaultOn key={fault.id} fault={fault} places={places} acting={acting} />
        ))}
      </ul>
      <div class="buttons">
        {faults.length > 0 && (
          <>
            <button
              type="button"
              aria-disabled={isBusy}
              onClick={() =>
                run(async () => {
                  await act('DELETE', FAULTS);
                  return 'All faults are ended.';
                })
              }
            >
              End all
            </button>
            <button type="button" onClick={() => saveFile(RUN_FILE, fileOf(faults, seed))}>
              Save as a file
            </button>
          </>
        )}
        <OpenFile acting={acting} />
      </div>
      {faults.length > 0 && (
        <p class="says">
          The file holds these faults and the seed {seed}: the same calls are struck again by{' '}
          <code>npm start -- --faults {RUN_FILE}</code>
        </p>
      )}
    </>
  );
}

const fileOf = (faults: readonly FaultLine[], seed: number) =>
  `${JSON.stringify({ seed, faults: faults.map(({ asked }) => asked) }, null, 2)}\n`;

function OpenFile({ acting: { run } }: { readonly acting: Acting }) {
  return (
    <label class="file">
      <span>Open a file of faults</span>
      <input
        type="file"
        accept="application/json,.json"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file === undefined) return;
          run(async () => {
            const text = await file.text();
            currentTarget.value = '';
            await act('POST', FAULTS, parsed(text));
            return `The faults of ${file.name} are on.`;
          });
        }}
      />
    </label>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The file is no JSON.');
  }
}

interface OnProps {
  readonly fault: FaultLine;
  readonly places: readonly FaultPlace[];
  readonly acting: Acting;
}

function FaultOn({ fault: { id, asked, seen, struck }, places, acting: { isBusy, run } }: OnProps) {
  const isOver = asked.times !== undefined && struck >= asked.times;
  const place = places.find(({ path }) => path === asked.path)?.name ?? asked.path ?? 'every call';
  const name = saidOf(asked);
  return (
    <li class="fault-on">
      <p>
        <Sign health={isOver ? 'off' : 'bad'} />
        <strong>{name}</strong>
      </p>
      <Facts
        facts={[
          ['where', `${asked.method ?? ''} ${place}`.trim()],
          ['struck', `${told(struck)} of ${told(seen)} calls${isOver ? ': it is over' : ''}`],
        ]}
      />
      <button
        type="button"
        aria-disabled={isBusy}
        aria-label={`End: ${name}`}
        onClick={() =>
          run(async () => {
            await act('DELETE', `${FAULTS}/${id}`);
            return 'The fault is ended.';
          })
        }
      >
        End
      </button>
    </li>
  );
}

function Struck({ struck }: { readonly struck: readonly RequestLine[] }) {
  return (
    <>
      <h2>Struck, the newest first</h2>
      {struck.length === 0 && <p class="says">No call was struck yet.</p>}
      <ul class="struck">
        {struck.map(({ number, at, method, path, status, faults }) => (
          <li key={number}>
            <span class="row-more">
              {timeOf(at)} · {status === 0 ? 'cut' : status} · {faults.join(', ')}
            </span>
            <Link to={pathOf('requests', String(number))}>
              {method} <bdi>{path}</bdi>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
