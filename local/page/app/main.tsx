// The page: its areas, and which of them is shown.
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { Charts } from './areas/charts.tsx';
import { Datasets } from './areas/datasets.tsx';
import { DeadLetters } from './areas/dead-letters.tsx';
import { Faults } from './areas/faults.tsx';
import { Pipelines } from './areas/pipelines.tsx';
import { Records } from './areas/records.tsx';
import { Requests } from './areas/requests.tsx';
import type { Connection } from './follow.ts';
import { Link, usePlace } from './place.tsx';
import './style.css';
import { takeToken } from './token.ts';

/** What an area gets: the rest of the address, and whom to tell how the connection is. */
export interface AreaProps {
  readonly rest: readonly string[];
  readonly onConnection: (connection: Connection) => void;
}

const AREAS = {
  pipelines: { title: 'Pipelines', Area: Pipelines },
  records: { title: 'Records', Area: Records },
  datasets: { title: 'Datasets', Area: Datasets },
  'dead-letters': { title: 'Dead letters', Area: DeadLetters },
  requests: { title: 'Requests', Area: Requests },
  charts: { title: 'Charts', Area: Charts },
  faults: { title: 'Faults and time', Area: Faults },
} as const;

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'The connection is lost. Trying again …',
  denied: 'Open the address that the terminal shows: it has the token.',
};

function Page() {
  const [first = 'pipelines', ...rest] = usePlace();
  const [connection, setConnection] = useState<Connection>('connecting');
  const name = Object.hasOwn(AREAS, first) ? (first as keyof typeof AREAS) : undefined;
  const { title, Area } = name === undefined ? { title: 'Nothing here', Area: Nothing } : AREAS[name];
  document.title = `${title} · Penstock`;
  return (
    <>
      <header>
        <a class="skip" href="#main">
          To the content
        </a>
        <span class="brand">Penstock</span>
        <nav aria-label="Areas">
          {Object.entries(AREAS).map(([area, one]) => (
            <Link key={area} to={`/${area}`} current={area === name}>
              {one.title}
            </Link>
          ))}
        </nav>
        <span role="status" class={`connection ${connection}`}>
          {CONNECTIONS[connection]}
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        <h1 class="unseen">{title}</h1>
        <Area key={name} rest={rest} onConnection={setConnection} />
      </main>
    </>
  );
}

function Nothing(_: AreaProps) {
  return (
    <div class="empty">
      There is nothing at this address. <Link to="/pipelines">Look at the pipelines</Link>.
    </div>
  );
}

takeToken();
render(<Page />, document.getElementById('page') as HTMLElement);
