// Requests: everything that the simulated platform received and answered, and each of them as a command of curl.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RequestDetail, RequestLine, RequestsUpdate } from '../../told.ts';
import { useAsked } from '../asked.ts';
import { useFollow } from '../follow.ts';
import { List } from '../list.tsx';
import type { AreaProps } from '../main.tsx';
import { Amount, Code, Facts, Find, timeOf, told } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';

/** The page keeps so many lines. */
const KEPT = 100_000;

const OUTCOMES = {
  all: () => true,
  good: ({ status }: RequestLine) => status >= 200 && status < 300,
  bad: ({ status }: RequestLine) => status === 0 || status >= 400,
  struck: ({ faults }: RequestLine) => faults.length > 0,
} as const;

type Outcome = keyof typeof OUTCOMES;

export function Requests({ rest: [chosen], onConnection }: AreaProps) {
  const lines = useRef<RequestLine[]>([]);
  const [version, setVersion] = useState(-1);
  const [wanted, setWanted] = useState('');
  const [outcome, setOutcome] = useState<Outcome>('all');
  const connection = useFollow<RequestsUpdate>('requests', {
    path: () => `/api/follow/requests?after=${lines.current[0]?.number ?? 0}`,
    onNews({ added, again }) {
      // Newest first.
      lines.current = [...added.toReversed(), ...(again ? [] : lines.current)].slice(0, KEPT);
      setVersion((now) => now + 1);
    },
  });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  const fitting = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    return lines.current.filter(
      (line) => OUTCOMES[outcome](line) && words.every((word) => says(line).includes(word)),
    );
  }, [version, wanted, outcome]);
  return (
    <div class="sides">
      <section class="side wide" aria-label="All requests">
        <div class="filters">
          <Find label="Find requests" hint="post schemas 409" wanted={wanted} onWanted={setWanted} />
          <label class="find narrow">
            <span>Outcome</span>
            <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value as Outcome)}>
              <option value="all">all</option>
              <option value="good">answered well</option>
              <option value="bad">failed</option>
              <option value="struck">struck by a fault</option>
            </select>
          </label>
        </div>
        <Amount
          what="requests"
          fitting={fitting.length}
          all={version >= 0 ? lines.current.length : undefined}
        />
        <List
          label="Requests, newest first"
          rows={fitting}
          rowHeight={34}
          keyOf={({ number }) => String(number)}
          chosen={chosen}
          onChoose={(number) => go(pathOf('requests', number), false)}
          empty={<Empty isAny={lines.current.length > 0} isLoaded={version >= 0} />}
        >
          {(line) => <Line line={line} />}
        </List>
      </section>
      {chosen === undefined ? (
        <section class="main-side empty">
          Choose a request to see it whole, and to take it with you as curl.
        </section>
      ) : (
        <Detail key={chosen} number={chosen} />
      )}
    </div>
  );
}

const says = ({ method, path, status, faults }: RequestLine) =>
  `${method} ${path} ${status} ${faults.join(' ')}`.toLowerCase();

function Empty({ isAny, isLoaded }: { readonly isAny: boolean; readonly isLoaded: boolean }) {
  if (!isLoaded) return <>Loading …</>;
  if (isAny) return <>No request fits. Change what you look for.</>;
  return (
    <>Nobody has asked the platform for anything yet. Apply a manifest, or send it a request of your own.</>
  );
}

function Line({ line }: { readonly line: RequestLine }) {
  const { method, path, status, ms, at, faults } = line;
  return (
    <span class="request">
      <span class="time">{timeOf(at)}</span>
      <Status status={status} />
      <span class="method">{method}</span>
      <bdi class="path">{path}</bdi>
      {faults.length > 0 && <span class="fault">{faults.join(', ')}</span>}
      <span class="ms">{told(ms)} ms</span>
    </span>
  );
}

export function Status({ status }: { readonly status: number }) {
  const kind = status === 0 || status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good';
  return <span class={`status ${kind}`}>{status === 0 ? 'cut' : status}</span>;
}

function Detail({ number }: { readonly number: string }) {
  const detail = useAsked<RequestDetail>(`/api/request?number=${encodeURIComponent(number)}`);
  if (detail === undefined) return <section class="main-side empty">Loading …</section>;
  if (detail === 'gone')
    return (
      <section class="main-side empty">
        This request is not kept any more. Choose another from the list.
      </section>
    );
  const { method, path, status, ms, at, faults, curl, requestHeaders, requestBody, replyHeaders, reply } =
    detail;
  return (
    <section class="main-side" aria-label="The request">
      <h2>
        <Status status={status} /> {method} <bdi>{path}</bdi>
      </h2>
      <p class="says">
        Number {told(detail.number)}, at {timeOf(at)}, answered in {told(ms)} ms.
        {faults.length > 0 && ` A fault struck: ${faults.join(', ')}.`}
      </p>
      <h3>As curl</h3>
      <Code label="The request as curl" text={curl} copy />
      <h3>Sent</h3>
      <Facts facts={requestHeaders} />
      {requestBody !== '' && <Code label="What was sent" text={requestBody} />}
      <h3>Answered</h3>
      <Facts facts={replyHeaders} />
      {reply !== '' && <Code label="What was answered" text={reply} />}
    </section>
  );
}
