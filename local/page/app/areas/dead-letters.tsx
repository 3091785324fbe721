// Dead letters: what was rejected, by reason and pipeline, and each message with the record itself.
import { useMemo, useState } from 'preact/hooks';
import type { DeadLetterDetail, DeadLetterLine } from '../../told.ts';
import { useAsked } from '../asked.ts';
import { useLines } from '../lines.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Content, Facts, Find, told } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { Redrive } from '../redrive.tsx';
import { MessageRow } from '../rows.tsx';

export function DeadLetters({ rest: [chosen], onConnection }: AreaProps) {
  const all = useLines<DeadLetterLine>('dead-letters', ({ id }) => id, onConnection);
  const [wanted, setWanted] = useState('');
  const [reason, setReason] = useState('');
  const [pipeline, setPipeline] = useState('');
  const [sent, setSent] = useState<readonly string[] | undefined>();
  const pipelines = useMemo(() => [...new Set((all ?? []).map((line) => line.pipeline))].sort(), [all]);
  const reasons = useMemo(() => countsOf(all ?? []), [all]);
  const fitting = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    return (all ?? [])
      .filter(
        (line) =>
          (reason === '' || line.reason === reason) &&
          (pipeline === '' || line.pipeline === pipeline) &&
          words.every((word) => says(line).includes(word)),
      )
      .toReversed();
  }, [all, wanted, reason, pipeline]);
  // What was sent again may have been the last: what came of it is still told.
  if (all?.length === 0 && sent === undefined)
    return (
      <div class="empty">
        <p>Nothing was rejected. A message that cannot be sent is kept here, with its reason.</p>
        <p>The sample customers have some. In another terminal:</p>
        <pre>npm start -- --keep</pre>
      </div>
    );
  return (
    <div class="sides">
      <section class="side wide" aria-label="All dead letters">
        <div class="filters">
          <Find
            label="Find messages"
            hint="key, sequence number or words"
            wanted={wanted}
            onWanted={setWanted}
          />
          <label class="find narrow">
            <span>Reason</span>
            <select value={reason} onChange={(event) => setReason(event.currentTarget.value)}>
              <option value="">all</option>
              {reasons.map(([name, count]) => (
                <option key={name} value={name}>
                  {name} ({told(count)})
                </option>
              ))}
            </select>
          </label>
          {pipelines.length > 1 && (
            <label class="find narrow">
              <span>Pipeline</span>
              <select value={pipeline} onChange={(event) => setPipeline(event.currentTarget.value)}>
                <option value="">all</option>
                {pipelines.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
        </div>
        <div class="above-list">
          <Amount what="messages" fitting={fitting.length} all={all?.length} />
          {fitting.length > 0 && (
            <button type="button" onClick={() => setSent(fitting.map(({ id }) => id))}>
              Send {fitting.length === 1 ? 'it' : `these ${told(fitting.length)}`} again …
            </button>
          )}
        </div>
        {/* Other messages have a dry run of their own. */}
        {sent !== undefined && <Redrive key={sent.join(' ')} ids={sent} onEnd={() => setSent(undefined)} />}
        <List
          label="Dead letters, the newest first"
          rows={fitting}
          rowHeight={58}
          keyOf={({ id }) => id}
          chosen={chosen}
          onChoose={(id) => go(pathOf('dead-letters', id), false)}
          empty={all === undefined ? 'Loading …' : 'No message fits. Change what you look for.'}
        >
          {(line) => <MessageRow line={line} hasPipeline />}
        </List>
      </section>
      {chosen === undefined ? (
        <section class="main-side empty">Choose a message to see its reason and its record.</section>
      ) : (
        <Detail id={chosen} version={all?.length} onSend={() => setSent([chosen])} />
      )}
    </div>
  );
}

const says = ({ pipeline, reason, message, place, partitionKey }: DeadLetterLine) =>
  `${pipeline} ${reason} ${message} ${place} ${partitionKey}`.toLowerCase();

function countsOf(lines: readonly DeadLetterLine[]): readonly (readonly [string, number])[] {
  return [...Map.groupBy(lines, ({ reason }) => reason)]
    .map(([reason, those]): readonly [string, number] => [reason, those.length])
    .sort(([, a], [, b]) => b - a);
}

interface DetailProps {
  readonly id: string;
  readonly version: unknown;
  readonly onSend: () => void;
}

function Detail({ id, version, onSend }: DetailProps) {
  const detail = useAsked<DeadLetterDetail>(`/api/dead-letter?id=${encodeURIComponent(id)}`, version);
  if (detail === undefined) return <section class="main-side empty">Loading …</section>;
  if (detail === 'gone')
    return (
      <section class="main-side empty">
        This message is not in the store any more: it was sent again, or removed.
      </section>
    );
  const { reason, message, pipeline, place, partitionKey, storedAt, record, notes, facts } = detail;
  return (
    <section class="main-side" aria-label="The message">
      <h2>
        <span class="reason">{reason}</span> <bdi>{message}</bdi>
      </h2>
      <div class="buttons">
        <button type="button" onClick={onSend}>
          Send this one again …
        </button>
      </div>
      {notes.map((note) => (
        <p class="says" key={note}>
          {note}
        </p>
      ))}
      <Facts
        facts={[
          ['pipeline', pipeline],
          ['sequence number', place],
          ['partition key', partitionKey],
          ['stored', storedAt],
          ...facts,
        ]}
      />
      <h3>The record</h3>
      <Content label="The record" shown={record} />
    </section>
  );
}
