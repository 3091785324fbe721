// The dead-letter store of a deployed stage: documents by pipeline and day, the messages of one, and each with its record.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeadLetterDetail, DeadLetterLine } from '../../told.ts';
import type {
  Answered,
  DocumentLines,
  StageDocument,
  StagePipelineLine,
  StoreKind,
} from '../../told-stage.ts';
import { useAsked } from '../asked.ts';
import { ask } from '../follow.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Content, Facts, told } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { MessageRow } from '../rows.tsx';
import { SendAgain } from '../send-again.tsx';
import { momentOf, Trouble, useStood } from '../stage.tsx';

const AREA = 'dead-letters';
const KINDS: readonly (readonly [StoreKind, string])[] = [
  ['rejected', 'rejected'],
  ['parked', 'parked'],
  ['on-failure', 'discarded by Lambda'],
];
/** What Lambda discards is of a stream, not of a pipeline. */
const isOfStream = (kind: string) => kind === 'on-failure';
/** In the place of a day: all that there is. */
const ALL = 'all';
/** What is looked at first. */
const DAYS = 7;
const DAY_MS = 86_400_000;

export function StageDeadLetters({ rest: [pipeline, kind, since, ...more], onConnection, about }: AreaProps) {
  const hasActions = about.kind === 'stage' && about.hasActions;
  const pipelines = useStood<readonly StagePipelineLine[]>('pipelines', onConnection);
  const names = pipelines?.found?.map(({ name }) => name) ?? [];
  const first = names[0];
  const wanted = { pipeline: pipeline ?? first ?? '', kind: kind ?? 'rejected', since: since ?? weekAgo() };
  const choose = (change: Partial<typeof wanted>) => {
    const next = { ...wanted, ...change };
    go(pathOf(AREA, next.pipeline, next.kind, next.since || ALL));
  };
  if (pipelines !== undefined && pipelines.obstacle !== undefined && first === undefined)
    return <Trouble obstacle={pipelines.obstacle} />;
  if (wanted.pipeline === '')
    return <div class="empty">{pipelines === undefined ? 'Loading …' : 'There is no pipeline yet.'}</div>;
  return (
    <div class="sides">
      <section class="side" aria-label="Documents of the store">
        {(!isOfStream(wanted.kind) || hasActions) && (
          <label class="find">
            <span>{isOfStream(wanted.kind) ? 'Sent again by the route of' : 'Pipeline'}</span>
            <select
              value={wanted.pipeline}
              onChange={(event) => choose({ pipeline: event.currentTarget.value })}
            >
              {[...new Set([...names, wanted.pipeline])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <label class="find">
          <span>What</span>
          <select value={wanted.kind} onChange={(event) => choose({ kind: event.currentTarget.value })}>
            {KINDS.map(([name, said]) => (
              <option key={name} value={name}>
                {said}
              </option>
            ))}
          </select>
        </label>
        <label class="find">
          <span>Stored since</span>
          <input
            type="date"
            value={wanted.since === ALL ? '' : wanted.since}
            onChange={(event) => choose({ since: event.currentTarget.value })}
          />
        </label>
        <Documents
          key={pathOf(wanted.pipeline, wanted.kind, wanted.since)}
          wanted={wanted}
          chosen={more[0]}
          hasActions={hasActions}
        />
      </section>
      {more[0] === undefined ? (
        <section class="main-side empty">
          Choose a document: an invocation that rejects has one. Its messages show here, each with its record.
        </section>
      ) : (
        <Document key={more[0]} wanted={wanted} name={more[0]} number={more[1]} hasActions={hasActions} />
      )}
    </div>
  );
}

const weekAgo = () => new Date(Date.now() - DAYS * DAY_MS).toISOString().slice(0, 10);

interface Wanted {
  readonly pipeline: string;
  readonly kind: string;
  readonly since: string;
}

interface DocumentsProps {
  readonly wanted: Wanted;
  readonly hasActions: boolean;
  /** A key. */
  readonly chosen: string | undefined;
}

function Documents({ wanted, chosen, hasActions }: DocumentsProps) {
  const { pipeline, kind, since } = wanted;
  const [known, setKnown] = useState<DocumentLines>({ documents: [] });
  const [answer, setAnswer] = useState<Answered<DocumentLines> | 'asking' | 'lost'>('asking');
  const look = async (before: DocumentLines) => {
    setAnswer('asking');
    const day = since === ALL ? '' : since;
    const query = new URLSearchParams({ pipeline, kind, since: day, after: before.next ?? '' });
    const found = await ask<Answered<DocumentLines>>(`/api/documents?${query}`);
    setAnswer(found ?? 'lost');
    if (found !== undefined && 'found' in found)
      setKnown({ ...found.found, documents: [...before.documents, ...found.found.documents] });
  };
  useEffect(() => void look({ documents: [] }), []);
  const isObject = typeof answer === 'object';
  const isLooking = answer === 'asking';
  const lookFrom = (before: DocumentLines) => {
    if (!isLooking) void look(before);
  };
  return (
    <>
      {isObject && 'obstacle' in answer && <Trouble obstacle={answer.obstacle} />}
      <p class="amount" role="status">
        {isLooking
          ? 'Looking …'
          : `${told(known.documents.length)} ${known.documents.length === 1 ? 'document' : 'documents'}, the oldest first`}
      </p>
      <div class="older">
        <button type="button" aria-disabled={isLooking} onClick={() => lookFrom({ documents: [] })}>
          Look again
        </button>{' '}
        {known.next !== undefined && (
          <button type="button" aria-disabled={isLooking} onClick={() => lookFrom(known)}>
            More documents
          </button>
        )}{' '}
        {hasActions && known.documents.length > 0 && (
          <SendAgain chosen={chosenOf(wanted)} what={allOf(wanted)} label="Send all again …" />
        )}
      </div>
      <List
        label="Documents, the oldest first"
        rows={known.documents}
        rowHeight={58}
        keyOf={({ key }) => key}
        chosen={chosen}
        onChoose={(key) => go(pathOf(AREA, pipeline, kind, since, key), false)}
        empty={
          isLooking
            ? 'Looking …'
            : `${nothingOf(pipeline, kind)} since then. Choose an earlier day to see more.`
        }
      >
        {({ day, name, bytes }) => (
          <>
            <span class="row-title">{day}</span>
            <span class="row-more">
              {told(bytes)} bytes · <bdi>{name}</bdi>
            </span>
          </>
        )}
      </List>
    </>
  );
}

const nothingOf = (pipeline: string, kind: string) =>
  isOfStream(kind) ? 'Lambda has discarded no batch' : `Nothing of ${pipeline} is ${kind}`;

/** As the server takes it. */
function chosenOf({ pipeline, kind, since }: Wanted) {
  return {
    kind: KINDS.find(([name]) => name === kind)?.[0] ?? 'rejected',
    pipeline,
    since: since === ALL ? '' : since,
  };
}

function allOf({ pipeline, kind, since }: Wanted): string {
  return `all ${kind} of ${pipeline}${since === ALL ? '' : ` since ${since}`}`;
}

interface DocumentProps {
  readonly wanted: Wanted;
  readonly hasActions: boolean;
  readonly name: string;
  readonly number: string | undefined;
}

function Document({ wanted, name, number, hasActions }: DocumentProps) {
  const answer = useAsked<Answered<StageDocument | null>>(`/api/document?key=${encodeURIComponent(name)}`);
  if (answer === undefined) return <section class="main-side empty">Loading …</section>;
  if (answer === 'gone')
    return <section class="main-side empty">There was no answer. Choose it again.</section>;
  if ('obstacle' in answer)
    return (
      <section class="main-side">
        <Trouble obstacle={answer.obstacle} />
      </section>
    );
  const { found } = answer;
  if (found === null)
    return (
      <section class="main-side empty">
        This document is not in the store any more: its messages were sent again, or its time is over.
      </section>
    );
  const { of, storedAt, total, note, messages } = found;
  const rows = messages.length;
  return (
    <section class="main-side" aria-label="The document">
      <h2>
        {told(total)} {total === 1 ? 'message' : 'messages'} of <bdi>{of}</bdi>
      </h2>
      {note !== '' && <p class="says">{note}</p>}
      <p class="says">
        Stored at {momentOf(Date.parse(storedAt))}.{rows < total && ` The first ${told(rows)} are listed.`}{' '}
        {!hasActions && 'To send them again: penstock redrive, or start the console with --allow-actions.'}
      </p>
      {hasActions && (
        <div class="buttons">
          <SendAgain
            chosen={{ ...chosenOf(wanted), key: name }}
            what={`${told(total)} of ${of}`}
            label={total === 1 ? 'Send it again …' : `Send these ${told(total)} again …`}
          />
        </div>
      )}
      <div class="messages">
        <List
          label="Messages of the document"
          rows={messages}
          rowHeight={58}
          keyOf={({ id }: DeadLetterLine) => id}
          chosen={number}
          onChoose={(id) => go(pathOf(AREA, wanted.pipeline, wanted.kind, wanted.since, name, id), false)}
          empty="It has no message."
        >
          {(line) => <MessageRow line={line} />}
        </List>
      </div>
      {number !== undefined && (
        <Message key={number} name={name} number={number}>
          {hasActions && (
            <SendAgain
              chosen={{ ...chosenOf(wanted), key: name, number: Number(number) }}
              what={`one message of ${of}`}
              label="Send this one again …"
            />
          )}
        </Message>
      )}
    </section>
  );
}

interface MessageProps {
  readonly name: string;
  readonly number: string;
  /** What can be done with it. */
  readonly children: ComponentChildren;
}

function Message({ name, number, children }: MessageProps) {
  const query = new URLSearchParams({ key: name, number });
  const answer = useAsked<Answered<DeadLetterDetail | null>>(`/api/message?${query}`);
  if (answer === undefined) return <p class="says">Loading …</p>;
  if (answer === 'gone') return <p class="says">There was no answer. Choose the message again.</p>;
  if ('obstacle' in answer) return <Trouble obstacle={answer.obstacle} />;
  if (answer.found === null) return <p class="says">This message is not in the store any more.</p>;
  const { reason, message, place, partitionKey, record, notes, facts } = answer.found;
  return (
    <section aria-label="The message">
      <h3>
        <span class="reason">{reason}</span> <bdi>{message}</bdi>
      </h3>
      <div class="buttons">{children}</div>
      {notes.map((note) => (
        <p class="says" key={note}>
          {note}
        </p>
      ))}
      <Facts facts={[['sequence number', place], ['partition key', partitionKey], ...facts]} />
      <Content label="The record" shown={record} />
    </section>
  );
}
