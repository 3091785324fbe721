// The page: its areas, and which of them is shown.
import { type ComponentType, render } from 'preact';
import { useState } from 'preact/hooks';
import type { About } from '../told-stage.ts';
import { useAbout } from './about.ts';
import { Charts } from './areas/charts.tsx';
import { Datasets } from './areas/datasets.tsx';
import { DeadLetters } from './areas/dead-letters.tsx';
import { Faults } from './areas/faults.tsx';
import { Mapping } from './areas/mapping.tsx';
import { Pipelines } from './areas/pipelines.tsx';
import { Records } from './areas/records.tsx';
import { Requests } from './areas/requests.tsx';
import { Runs } from './areas/runs.tsx';
import { StageActions } from './areas/stage-actions.tsx';
import { StageCharts } from './areas/stage-charts.tsx';
import { StageDeadLetters } from './areas/stage-dead-letters.tsx';
import { StagePipelines } from './areas/stage-pipelines.tsx';
import { StageRuns } from './areas/stage-runs.tsx';
import { keepFocus } from './focus.ts';
import type { Connection } from './follow.ts';
import { Link, usePlace } from './place.tsx';
import './style.css';
import './stage.css';
import { takeToken, token } from './token.ts';

/** What an area gets: the rest of the address, and whom to tell how the connection is. */
export interface AreaProps {
  readonly rest: readonly string[];
  readonly onConnection: (connection: Connection) => void;
  readonly about: About;
}

type Areas = Readonly<
  Record<string, { readonly title: string; readonly Area: ComponentType<AreaProps> } | undefined>
>;

const AREAS: Areas = {
  pipelines: { title: 'Pipelines', Area: Pipelines },
  runs: { title: 'Runs', Area: Runs },
  records: { title: 'Records', Area: Records },
  mapping: { title: 'Mapping', Area: Mapping },
  datasets: { title: 'Datasets', Area: Datasets },
  'dead-letters': { title: 'Dead letters', Area: DeadLetters },
  requests: { title: 'Requests', Area: Requests },
  charts: { title: 'Charts', Area: Charts },
  faults: { title: 'Faults and time', Area: Faults },
};

/** Of a deployed stage. */
const STAGE_AREAS: Areas = {
  pipelines: { title: 'Pipelines', Area: StagePipelines },
  runs: { title: 'Runs', Area: StageRuns },
  'dead-letters': { title: 'Dead letters', Area: StageDeadLetters },
  charts: { title: 'Charts', Area: StageCharts },
};

/** Of a stage that may be changed from here. */
const ACTING_AREAS: Areas = { ...STAGE_AREAS, actions: { title: 'Actions', Area: StageActions } };

function areasOf(about: About): Areas {
  if (about.kind === 'stack') return AREAS;
  return about.hasActions ? ACTING_AREAS : STAGE_AREAS;
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'The connection is lost. Trying again …',
  denied: 'Open the address that the terminal shows: it has the token.',
};

function Page() {
  const about = useAbout();
  const [connection, setConnection] = useState<Connection>('connecting');
  const isKnown = typeof about === 'object';
  const now = isKnown ? connection : about;
  const areas = isKnown ? areasOf(about) : {};
  const [first = 'pipelines', ...rest] = usePlace();
  const { title, Area } = (Object.hasOwn(areas, first) ? areas[first] : undefined) ?? NOTHING;
  const name = isKnown && about.kind === 'stage' ? about.name : '';
  document.title = [...(isKnown ? [title] : []), name, 'Penstock'].filter(Boolean).join(' · ');
  return (
    <>
      <header>
        <a class="skip" href="#main">
          To the content
        </a>
        <span class="brand">Penstock</span>
        {name !== '' && (
          <span class="stage-name">
            <bdi>{name}</bdi> ·{' '}
            {isKnown && about.kind === 'stage' && about.hasActions ? 'actions allowed' : 'read only'}
          </span>
        )}
        <nav aria-label="Areas">
          {Object.entries(areas).map(([area, one]) => (
            <Link key={area} to={`/${area}`} current={area === first}>
              {one?.title}
            </Link>
          ))}
        </nav>
        {isKnown && about.kind === 'stack' && <ApiLink platform={about.platform} />}
        <span role="status" class={`connection ${now}`}>
          {CONNECTIONS[now]}
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        <h1 class="unseen">{isKnown ? title : 'Penstock'}</h1>
        {isKnown && <Area key={first} rest={rest} onConnection={setConnection} about={about} />}
      </main>
    </>
  );
}

const NOTHING = { title: 'Nothing here', Area: Nothing };

/** All of this over HTTP, for other people's programs. */
function ApiLink({ platform }: { readonly platform: string }) {
  const address = `${platform}/_simulator/openapi.json?token=${encodeURIComponent(token())}`;
  return (
    <a class="api" href={address} target="_blank" rel="noreferrer">
      API (OpenAPI)
    </a>
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
const root = document.getElementById('page') as HTMLElement;
render(<Page />, root);
keepFocus(root);
