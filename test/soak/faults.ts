// Every way in which the soak's inlets and token service go wrong, by the name it is counted under.
import type { FaultSpec } from '../../local/aep/fault-kinds.ts';
import type { Fault, Faults } from '../../local/aep/faults.ts';
import { REFUSED } from './records.ts';

/** Where the faults strike: the paths of the two inlets. */
export interface Inlets {
  readonly raw: string;
  readonly xdm: string;
}

/** The same of many inlets: some get the faults of the raw one, some those of the other. */
export type InletPaths = Readonly<Record<keyof Inlets, readonly string[]>>;

type Where = keyof Inlets | 'both' | 'tokens';

const NAMED: Readonly<Record<string, readonly [Where, FaultSpec]>> = {
  '429': ['both', { kind: 'refuse', status: 429 }],
  '429 with Retry-After': ['both', { kind: 'refuse', status: 429, retryAfter: 1 }],
  '503': ['both', { kind: 'refuse', status: 503 }],
  '503 with Retry-After': ['both', { kind: 'refuse', status: 503, retryAfter: 1 }],
  '500': ['both', { kind: 'refuse', status: 500 }],
  '504': ['both', { kind: 'refuse', status: 504 }],
  '413': ['both', { kind: 'refuse', status: 413 }],
  '401': ['both', { kind: 'refuse', status: 401 }],
  '403': ['both', { kind: 'refuse', status: 403 }],
  'tokens taken back': ['both', { kind: 'expireTokens' }],
  'no token: 503': ['tokens', { kind: 'refuse', status: 503 }],
  '403 without a word': ['both', { kind: 'refuse', status: 403, body: null }],
  '404': ['both', { kind: 'refuse', status: 404 }],
  'redirected elsewhere': [
    'both',
    { kind: 'refuse', status: 307, headers: { location: 'https://elsewhere.example/' } },
  ],
  'reset before it was taken': ['both', { kind: 'dropBefore' }],
  'reset after it was taken': ['both', { kind: 'dropAfter' }],
  'reset within the answer': ['both', { kind: 'breakOff' }],
  '500 after it was taken': ['both', { kind: 'failAfter' }],
  '502 with a page after it was taken': ['both', { kind: 'notJson', status: 502 }],
  'a page for an answer': ['both', { kind: 'notJson' }],
  'half an answer': ['both', { kind: 'truncate' }],
  'the answer to a single message': ['both', { kind: 'single' }],
  // In this order: where two strike at once, none makes an acknowledgement out of what the other has left.
  '207 with an entry too many': ['both', { kind: 'long' }],
  '207 with an entry too few': ['both', { kind: 'short' }],
  // One takes the ids away that tell the order which the other changes; nobody could make sense of both at once.
  '207 in another order': ['raw', { kind: 'reorder' }],
  '207 with foreign ids': ['xdm', { kind: 'foreignIds' }],
  '207 with entries of null': ['both', { kind: 'nullItems' }],
  '207 with empty entries': ['both', { kind: 'emptyItems' }],
  '207 partly 503, shape A': ['xdm', { kind: 'partial', count: 3, status: 503, shape: 'A' }],
  '207 partly 429 as text, shape B': [
    'both',
    { kind: 'partial', messages: [1, 3], status: 429, shape: 'B', asText: true },
  ],
  slow: ['both', { kind: 'latency', latencyMs: 1_000 }],
};

/** What has fewer requests is struck by more of its own faults, so that each class comes up often enough. */
const OFTEN: Readonly<Record<Where, number>> = { both: 1, raw: 1, xdm: 6, tokens: 20 };

/** Requests between the ones that are certain: a short run has every class once. */
const STEP = 2;

export interface Struck {
  readonly name: string;
  readonly times: number;
}

/** Longer than the forwarder waits for an answer, in ms. */
const HANGS_MS = 25_000;
const HANGING = [
  ['no answer in time', 'latency'],
  ['no answer in time after it was taken', 'late'],
] as const;

export interface Chances {
  /** The share of requests that each class strikes, besides the one that is certain; at most 0.05. */
  readonly share: number;
  /** Requests that get no answer in time, of either kind; each holds up a lane for long. */
  readonly hangs: number;
}

/** Sets all faults; they stay until the end. @returns what has struck so far, when asked */
export function setFaults(faults: Faults, inlets: InletPaths, { hangs, share }: Chances): () => Struck[] {
  // Refusals of single messages are part of the records, not of chance; either shape tells them.
  const refusal = { kind: 'partial', containing: REFUSED, status: 400 } as const;
  for (const path of inlets.xdm) faults.add({ ...refusal, shape: 'A', path, probability: 0.5 });
  for (const path of Object.values(inlets).flat()) faults.add({ ...refusal, shape: 'B', path });
  const certain = new Map<string, number>();
  const set = Object.entries(NAMED).map(([name, [where, spec]]) => {
    const paths = pathsOf(where, inlets);
    const [first = ''] = paths;
    const after = certain.get(first) ?? 0;
    certain.set(first, after + STEP);
    return {
      name,
      faults: [
        faults.add({ ...spec, path: first, times: 1, after }),
        ...paths.map((path): Fault => faults.add({ ...spec, path, probability: share * OFTEN[where] })),
      ],
    };
  });
  for (const [name, kind] of hangs > 0 ? HANGING : []) {
    const [path = ''] = inlets.raw;
    const spec = { kind, latencyMs: HANGS_MS, path };
    const after = certain.get(path) ?? 0;
    certain.set(path, after + STEP);
    const often = faults.add({ ...spec, probability: share, times: hangs - 1 });
    set.push({ name, faults: [faults.add({ ...spec, times: 1, after }), often] });
  }
  return () =>
    set.map(({ name, faults: all }) => ({ name, times: all.reduce((sum, { struck }) => sum + struck, 0) }));
}

function pathsOf(where: Where, inlets: InletPaths): readonly string[] {
  if (where === 'tokens') return ['/ims/**'];
  return where === 'both' ? [...inlets.raw, ...inlets.xdm] : inlets[where];
}
