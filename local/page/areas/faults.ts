// The faults of the simulated platform as the page shows them: what is on, what it struck, and how far its clock is ahead.
import type { Fault } from '../../aep/faults.ts';
import type { Feed } from '../events.ts';
import { INLETS, TOKENS } from '../scenarios.ts';
import type { FaultLine, FaultPlace, FaultsTold, RequestLine } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';
import { lineOf } from './requests.ts';

/** So many requests that a fault struck are shown, the newest. */
const STRUCK_SHOWN = 20;
/** So many inlets can be chosen by name; for others there is the path. */
const MOST_INLETS = 100;

export function faultsFeed({ watched }: Looked): Feed {
  let told = '';
  let seen = 0;
  let struck: readonly RequestLine[] = [];
  return (): FaultsTold | undefined => {
    const { journal } = watched.platform.platform;
    const newest = journal.entries({ limit: 1 })[0]?.number ?? 0;
    if (newest < seen) [seen, struck] = [0, []];
    const added = journal.entries({ after: seen }).filter(({ faults }) => faults.length > 0);
    struck = [...added.slice(-STRUCK_SHOWN).map(lineOf).toReversed(), ...struck].slice(0, STRUCK_SHOWN);
    seen = newest;
    const now = faultsNow(watched, struck);
    const text = JSON.stringify(now);
    if (text === told) return undefined;
    told = text;
    return now;
  };
}

function faultsNow(watched: Watched, struck: readonly RequestLine[]): FaultsTold {
  const { clock, faults } = watched.platform.platform;
  return {
    aheadSeconds: Math.round((clock.now() - Date.now()) / 1000),
    seed: faults.seed,
    faults: faults.list().map(faultLine),
    places: [...PLACES, ...inletsOf(watched)],
    struck,
  };
}

function faultLine({ id, seen, struck, ...asked }: Fault): FaultLine {
  return { id, seen, struck, asked };
}

const PLACES: readonly FaultPlace[] = [
  { name: 'every inlet', path: INLETS },
  { name: 'tokens (IMS)', path: TOKENS },
  { name: 'Schema Registry', path: '/data/foundation/schemaregistry/**' },
  { name: 'Catalog', path: '/data/foundation/catalog/**' },
  { name: 'Flow Service', path: '/data/foundation/flowservice/**' },
  { name: 'Data Prep', path: '/data/foundation/conversion/**' },
];

/** Of each pipeline, by the name that its connection has. */
function inletsOf({ platform }: Watched): FaultPlace[] {
  const { inlets } = platform.platform.state;
  return [...inlets.values()].slice(0, MOST_INLETS).map(({ id, sandbox, connectionId }) => ({
    name: String(sandbox.connections.get(connectionId)?.body.name ?? id),
    path: `/collection/**${id}`,
  }));
}
