// Records: those of a stream as they come, and one of them followed to its row or its reason.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type {
  DeadLetterLine,
  FollowedMessage,
  PipelineLine,
  RecordDetail,
  RecordLine,
  RecordsUpdate,
  ToldTry,
} from '../../told.ts';
import { useAsked } from '../asked.ts';
import { useFollow } from '../follow.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Content, Facts, Find, Sign, timeOf, told } from '../parts.tsx';
import { go, Link, pathOf } from '../place.tsx';
import { PutRecords } from '../put.tsx';

/** The page keeps so many lines. */
const KEPT = 100_000;

export function Records({ rest: [stream, ...place], onConnection }: AreaProps) {
  const pipelines = useLines<PipelineLine>('pipelines', ({ name }) => name, onConnection);
  const streams = useMemo(() => [...new Set(pipelines?.map(({ source }) => source))].sort(), [pipelines]);
  // The first one at the start: another, which comes later, takes nobody's typing away.
  const first = useRef<string | undefined>(undefined);
  first.current ??= streams[0];
  const chosen = stream ?? first.current;
  if (pipelines?.length === 0 && first.current === undefined)
    return (
      <div class="empty">
        There is no stream yet. Apply a manifest: its stream shows here, with its records.
      </div>
    );
  if (chosen === undefined) return <div class="empty">Loading …</div>;
  return <StreamOf key={chosen} stream={chosen} streams={streams} place={place} />;
}

interface StreamProps {
  readonly stream: string;
  readonly streams: readonly string[];
  /** Shard and sequence number. */
  readonly place: readonly string[];
}

function StreamOf({ stream, streams, place: [shard, number] }: StreamProps) {
  const lines = useRef<RecordLine[]>([]);
  const [version, setVersion] = useState(-1);
  const [wanted, setWanted] = useState('');
  const rejects = useLines<DeadLetterLine>('dead-letters', ({ id }) => id, nobody);
  useFollow<RecordsUpdate>(`records ${stream}`, {
    path: () => `/api/follow/records?stream=${encodeURIComponent(stream)}`,
    onOpen() {
      lines.current = [];
    },
    onNews({ added }) {
      // Newest first.
      lines.current = [...added.toReversed(), ...lines.current].slice(0, KEPT);
      setVersion((now) => now + 1);
    },
  });
  const reasons = useMemo(() => reasonsOf(rejects ?? []), [rejects]);
  const fitting = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return lines.current;
    return lines.current.filter((line) => {
      const reason = reasons.get(line.sequenceNumber) ?? '';
      return words.every(
        (word) =>
          searchedOf(line).includes(word) ||
          reason.includes(word) ||
          // A derived _id ends in the sequence number.
          word.endsWith(`:${line.sequenceNumber}`),
      );
    });
  }, [version, wanted, reasons]);
  const chosen = number === undefined ? undefined : `${shard} ${number}`;
  return (
    <div class="sides">
      <section class="side wide" aria-label="All records">
        <div class="filters">
          <Find
            label="Find records"
            hint="key, sequence number, _id, words or reason"
            wanted={wanted}
            onWanted={setWanted}
          />
          <label class="find narrow">
            <span>Stream</span>
            <select value={stream} onChange={(event) => go(pathOf('records', event.currentTarget.value))}>
              {[...new Set([...streams, stream])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        </div>
        <PutRecords stream={stream} />
        <Amount
          what="records"
          fitting={fitting.length}
          all={version >= 0 ? lines.current.length : undefined}
        />
        <List
          label="Records, the newest first"
          rows={fitting}
          rowHeight={58}
          keyOf={keyOf}
          chosen={chosen}
          onChoose={(key) => go(pathOf('records', stream, ...key.split(' ')), false)}
          empty={
            <Empty
              isAny={lines.current.length > 0}
              stream={stream}
              isLoaded={version >= 0}
              isKnown={streams.includes(stream)}
            />
          }
        >
          {(line) => (
            <>
              <span class="row-title plain">
                {reasons.has(line.sequenceNumber) && (
                  <span class="reason">{reasons.get(line.sequenceNumber)}</span>
                )}{' '}
                <bdi>{line.begins}</bdi>
              </span>
              <span class="row-more">
                {timeOf(line.at)} · {told(line.bytes)} bytes · key <bdi>{line.partitionKey || '–'}</bdi> · …
                {line.sequenceNumber.slice(-12)}
              </span>
            </>
          )}
        </List>
      </section>
      {shard === undefined || number === undefined ? (
        <section class="main-side empty">
          Choose a record to follow it to its row, or to the reason why there is none.
        </section>
      ) : (
        <Detail stream={stream} shard={shard} number={number} />
      )}
    </div>
  );
}

/** Cheap, as all lines of a busy stream are asked for it: neither part has a blank. */
const keyOf = ({ shardId, sequenceNumber }: RecordLine) => `${shardId} ${sequenceNumber}`;

const searched = new WeakMap<RecordLine, string>();

/** What of a line can be found: made once, since a busy stream is searched twice a second. */
function searchedOf(line: RecordLine): string {
  const known = searched.get(line);
  if (known !== undefined) return known;
  const text = `${line.partitionKey} ${line.sequenceNumber} ${line.begins}`.toLowerCase();
  searched.set(line, text);
  return text;
}

const nobody = () => undefined;

function reasonsOf(rejects: readonly DeadLetterLine[]): ReadonlyMap<string, string> {
  return new Map(rejects.map(({ place, reason }) => [place.replace(/\/.*/, ''), reason]));
}

interface EmptyProps {
  readonly isAny: boolean;
  readonly isLoaded: boolean;
  /** Whether a pipeline reads it. */
  readonly isKnown: boolean;
  readonly stream: string;
}

function Empty({ isAny, isLoaded, isKnown, stream }: EmptyProps) {
  if (!isLoaded && !isKnown)
    return (
      <>
        No pipeline reads a stream <bdi>{stream}</bdi>. Choose another.
      </>
    );
  if (!isLoaded) return <>Loading …</>;
  if (isAny) return <>No record fits. Change what you look for.</>;
  return (
    <>
      There is no record in {stream} yet. Open <em>Put records in</em>, or send one to the stream: it shows
      here at once.
    </>
  );
}

/** A record is looked at again so long after it came, while it has not landed, in ms. */
const FOLLOWED_MS = 120_000;
const LOOK_AGAIN_MS = 1_000;

const hasOpenEnd = ({ routes }: RecordDetail) =>
  routes.some(({ messages }) => messages.some(({ fate }) => fate?.health === 'busy'));

interface DetailProps {
  readonly stream: string;
  readonly shard: string;
  readonly number: string;
}

function Detail({ stream, shard, number }: DetailProps) {
  const query = new URLSearchParams({ stream, shard, number });
  const [looks, setLooks] = useState(0);
  const detail = useAsked<RecordDetail>(`/api/record?${query}`, looks);
  const isOnItsWay = typeof detail === 'object' && Date.now() - detail.at < FOLLOWED_MS && hasOpenEnd(detail);
  useEffect(() => {
    if (!isOnItsWay) return;
    const timer = setTimeout(() => setLooks(looks + 1), LOOK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [detail, isOnItsWay]);
  if (detail === undefined) return <section class="main-side empty">Loading …</section>;
  if (detail === 'gone')
    return (
      <section class="main-side empty">
        This record is not in the stream any more. Choose another from the list.
      </section>
    );
  return (
    <section class="main-side" aria-label="The record, followed">
      <h2>
        <span class="step">1</span> As it came
      </h2>
      <Facts
        facts={[
          ['partition key', detail.partitionKey],
          ['sequence number', number],
          ['shard', shard],
          ['came', new Date(detail.at).toISOString()],
          ['bytes', told(detail.bytes)],
        ]}
      />
      <Content label="As it came" shown={detail.came} />
      <Unpacked detail={detail} />
      {detail.routes.length === 0 && <p class="says">No pipeline of this stream is published.</p>}
      {detail.routes.map(({ pipeline, messages }) => (
        <div key={pipeline}>
          {messages.map((message, index) => (
            <Followed key={`${pipeline} ${index}`} pipeline={pipeline} message={message} />
          ))}
        </div>
      ))}
    </section>
  );
}

function Unpacked({ detail: { came, unpacked, messages } }: { readonly detail: RecordDetail }) {
  const [first] = unpacked;
  if (first === undefined) return null;
  const isSame = messages === 1 && first.text === came.text;
  return (
    <>
      <h2 class="next-step">
        <span class="step">2</span> Unpacked
      </h2>
      {isSame && <p class="says">It is not packed: it is one message, as it came.</p>}
      {messages > 1 && (
        <p class="says">
          It has {told(messages)} messages
          {messages > unpacked.length && `, and the first ${unpacked.length} are shown`}.
        </p>
      )}
      {!isSame &&
        unpacked.map((shown, index) => (
          <Content key={shown.text + index} label={`Message ${index + 1}, unpacked`} shown={shown} />
        ))}
    </>
  );
}

function Followed({ pipeline, message }: { readonly pipeline: string; readonly message: FollowedMessage }) {
  const { health, says, why, sent, tries, fate } = message;
  return (
    <>
      <h2 class="next-step">
        <span class="step">3</span> Made ready by <bdi>{pipeline}</bdi>
      </h2>
      <p class="says">
        <Sign health={health} />
        {says} {why}
      </p>
      {sent !== undefined && <Content label="As it is sent" shown={sent} />}
      {fate !== undefined && (
        <>
          <Answers tries={tries} />
          <h2 class="next-step">
            <span class="step">5</span> What became of it
          </h2>
          <p class="says">
            <Sign health={fate.health} />
            {fate.says}
          </p>
          {fate.row !== undefined && <Content label="Its row" shown={fate.row} />}
        </>
      )}
    </>
  );
}

/** Each request to the inlet that had the message. */
function Answers({ tries }: { readonly tries: readonly ToldTry[] }) {
  const received = tries.filter(({ health }) => health === 'good').length;
  return (
    <>
      <h2 class="next-step">
        <span class="step">4</span> What the inlet answered
      </h2>
      {tries.length === 0 && (
        <p class="says">No request with it is known. It is not sent yet, or was long ago.</p>
      )}
      <ol class="tries">
        {tries.map((one, index) => (
          <OneTry key={`${one.at} ${index}`} number={index + 1} told={one} />
        ))}
      </ol>
      {received > 1 && (
        <p class="says">
          It was received {told(received)} times: it was sent again, or another record has the same content.
        </p>
      )}
    </>
  );
}

function OneTry({ number, told: one }: { readonly number: number; readonly told: ToldTry }) {
  const { health, says, at, status, ms, faults, reply } = one;
  return (
    <li>
      <p class="says">
        <Sign health={health} />
        <strong>{status === 0 ? 'cut' : status}</strong> {says}
      </p>
      <p class="row-more">
        {timeOf(at)} · {told(ms)} ms
        {faults.length > 0 && ` · by a fault: ${faults.join(', ')}`}
        {one.number !== undefined && (
          <>
            {' '}
            · <Link to={pathOf('requests', String(one.number))}>Look at request {told(one.number)}</Link>
          </>
        )}
      </p>
      {reply !== undefined && <Content label={`Answer ${number}`} shown={reply} />}
    </li>
  );
}
