// What is done to a deployed stage from this page: each action is shown first, agreed to by names, and done once.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Health } from '../../told.ts';
import type { Answered, ToldAction } from '../../told-stage.ts';
import { act } from '../act.ts';
import { OutcomeOf, useActing } from '../acting.tsx';
import { useAsked } from '../asked.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Sign, told } from '../parts.tsx';
import { go, Link, pathOf } from '../place.tsx';
import { RedriveFacts } from '../redrive.tsx';
import { Changes, Ending } from '../report.tsx';
import { momentOf, Trouble } from '../stage.tsx';

export const AREA = 'actions';

export function StageActions({ rest: [chosen], onConnection, about }: AreaProps) {
  const all = useLines<ToldAction>(AREA, ({ id }) => id, onConnection);
  const stage = about.kind === 'stage' ? about.stage : '';
  const action = all?.find(({ id }) => id === chosen);
  return (
    <div class="sides">
      <section class="side" aria-label="All actions">
        <PlanForm />
        <Amount what="actions" fitting={all?.length ?? 0} all={all?.length} />
        <List
          label="Actions, the newest first"
          rows={(all ?? []).toReversed()}
          rowHeight={64}
          keyOf={({ id }) => id}
          chosen={chosen}
          onChoose={(id) => go(pathOf(AREA, id), false)}
          empty={all === undefined ? 'Loading …' : 'Nothing was done from here yet.'}
        >
          {(one) => (
            <>
              <span class="row-title">
                <Sign health={healthOf(one)} />
                {one.kind} <bdi>{one.pipeline ?? one.what}</bdi>
              </span>
              <span class="row-more">
                {momentOf(one.at)} · {SAID[one.state]}
              </span>
            </>
          )}
        </List>
      </section>
      {action !== undefined && <Action key={action.id} action={action} stage={stage} />}
      {action === undefined && all !== undefined && (
        <section class="main-side empty">
          {chosen === undefined
            ? 'Plan a manifest of this folder, or choose what to send again in the dead letters. Each shows first what it would do.'
            : 'The console does not know this action: it was started again since. Runs has the executions.'}
        </section>
      )}
    </div>
  );
}

const HEALTHS: Readonly<Record<ToldAction['state'], Health>> = {
  ...{ looking: 'busy', shown: 'off', nothing: 'good', acting: 'busy', done: 'good', failed: 'bad' },
};

/** What was not delivered needs a look, although the redrive is over. */
function healthOf({ state, sent }: ToldAction): Health {
  const isLeft = sent !== undefined && sent.left + sent.rejectedAgain + sent.lost > 0;
  return state === 'done' && isLeft ? 'bad' : HEALTHS[state];
}

const SAID: Readonly<Record<ToldAction['state'], string>> = {
  looking: 'being looked at',
  shown: 'waits for your yes',
  nothing: 'nothing to do',
  acting: 'under way',
  done: 'done',
  failed: 'failed',
};

/** A manifest of the folder in which the console was started. */
function PlanForm() {
  const answer = useAsked<Answered<readonly string[]>>('/api/manifests');
  const [file, setFile] = useState('');
  const acting = useActing();
  const files = typeof answer === 'object' && 'found' in answer ? answer.found : [];
  if (typeof answer === 'object' && files.length === 0)
    return (
      <p class="says plan-form">
        There is no manifest in this folder. Start the console where pipelines/*.json are.
      </p>
    );
  const plan = (event: Event) => {
    event.preventDefault();
    if (files.length === 0) return;
    acting.run(async () => {
      const { id } = await act<ToldAction>('POST', '/api/actions/plan', { file: file || files[0] });
      go(pathOf(AREA, id));
      return '';
    });
  };
  return (
    <form class="plan-form" onSubmit={plan}>
      <label class="find">
        <span>Manifest of this folder</span>
        <select value={file || files[0]} onChange={(event) => setFile(event.currentTarget.value)}>
          {files.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <button type="submit" aria-disabled={acting.isBusy || files.length === 0}>
        Plan it …
      </button>
      <OutcomeOf acting={acting} />
    </form>
  );
}

interface ActionProps {
  readonly action: ToldAction;
  readonly stage: string;
}

function Action({ action, stage }: ActionProps) {
  const { kind, what, state, says, execution, plan, report, dry, sent, obstacle } = action;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="main-side" aria-label="The action">
      <h2 ref={heading} tabIndex={-1}>
        <Sign health={healthOf(action)} /> {kind} <bdi>{what}</bdi>
      </h2>
      <p class="says" role="status">
        {TOLD[state]} {says !== '' && <bdi>{says}</bdi>}
      </p>
      {execution !== undefined && (
        <p class="says">
          <Link to={pathOf('runs', execution)}>
            Look at the {state === 'shown' || state === 'nothing' ? 'execution that planned it' : 'execution'}
          </Link>
        </p>
      )}
      {obstacle !== undefined && <Trouble obstacle={obstacle} />}
      {(sent ?? dry) !== undefined && <RedriveFacts told={(sent ?? dry) as NonNullable<typeof dry>} />}
      {sent?.stopped !== undefined && <p class="says">It ended early: {sent.stopped}</p>}
      {report !== undefined && obstacle === undefined && <Ending report={report} />}
      {state === 'shown' && <Agreement action={action} stage={stage} />}
      {(report ?? plan) !== undefined && (
        <>
          <h3>{report === undefined ? 'What it would change' : 'What it has changed'}</h3>
          <Changes report={(report ?? plan) as NonNullable<typeof plan>} empty="It names no resource." />
        </>
      )}
    </section>
  );
}

const TOLD: Readonly<Record<ToldAction['state'], string>> = {
  looking: 'Looking what it would do. Nothing is changed.',
  shown: 'Nothing is changed yet. This is what it would do.',
  nothing: 'There is nothing to do, or nothing that can be done as it is.',
  acting: 'It is under way.',
  done: 'It is done.',
  failed: 'It has failed.',
};

/** The names are typed by hand: a click alone changes nothing. */
function Agreement({ action: { id, kind, sandbox, dry }, stage }: ActionProps) {
  const [typedStage, setTypedStage] = useState('');
  const [typedSandbox, setTypedSandbox] = useState('');
  const acting = useActing();
  const asksSandbox = sandbox?.isTyped === true;
  const agree = (event: Event) => {
    event.preventDefault();
    acting.run(async () => {
      const names = { stage: typedStage, ...(asksSandbox && { sandbox: typedSandbox }) };
      await act('POST', '/api/actions/carry-out', { id, ...names });
      return '';
    });
  };
  return (
    <form class="panel" aria-label="Agree" onSubmit={agree}>
      <Name label={`Type the name of the stage: ${stage}`} typed={typedStage} onTyped={setTypedStage} />
      {asksSandbox && (
        <Name
          label={`${sandbox.type === 'production' ? 'It is' : 'It may be'} a production sandbox. Type its name: ${sandbox.name}`}
          typed={typedSandbox}
          onTyped={setTypedSandbox}
        />
      )}
      <button type="submit" class="primary" aria-disabled={acting.isBusy}>
        {kind === 'apply' ? 'Apply this plan' : `Send ${told(dry?.left ?? 0)} now`}
      </button>
      <OutcomeOf acting={acting} />
    </form>
  );
}

interface NameProps {
  readonly label: string;
  readonly typed: string;
  readonly onTyped: (typed: string) => void;
}

function Name({ label, typed, onTyped }: NameProps) {
  return (
    <label class="find">
      <span>{label}</span>
      <input
        type="text"
        required
        value={typed}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onTyped(event.currentTarget.value)}
      />
    </label>
  );
}
