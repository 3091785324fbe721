// The difference proxy: every read that the simulated platform has answered is asked of the real service too, and what differs is kept.

import type { Answer } from '../answer.ts';
import type { Call } from '../http.ts';
import { wireText } from '../platform.ts';
import { PUBLISHED } from '../published.ts';
import {
  type Counterparts,
  learn,
  meet,
  missingList,
  noCounterparts,
  pathOf,
  queryOf,
} from './counterparts.ts';
import { parsed, type Real, SIGNED } from './real.ts';
import { differencesOf, type Seen } from './shapes.ts';

export interface Kept {
  /** Method and path, without ids, and the names of what was in the query. */
  readonly operation: string;
  readonly what: string;
  times: number;
}

export interface Report {
  readonly there: string;
  readonly asked: number;
  readonly same: number;
  readonly different: number;
  /** Reads that were not sent, by the reason. */
  readonly notAsked: { readonly [reason: string]: number };
  readonly differences: readonly Kept[];
}

/** Reads that wait for their turn: one is asked at a time, so that the real service is not loaded. */
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_KEPT = 10_000;
/** How the gateway refuses a caller that is not known here (contract §0): over there another one is asking. */
const UNKNOWN_HERE = new Set(['401013', '403003', '403025']);
/** Told on both sides: specs, and what Adobe's registry brings. */
const SHARED = /\/(connectionSpecs|flowSpecs)\/|\/global\/|ns\.adobe\.com%2Fxdm/i;
/** Records themselves: they are nobody's business. */
const DATA = /\/export\/files\/|\/preview$/;
const ONLY_HERE = 'it names what exists here only';
/** Data Prep wants both; the registry finds nothing where it is told to start at 0 (docs/aep-contract.md). */
const PAGE = '?limit=20&start=0';
const REGISTRY_PAGE = '?limit=20';
const REGISTRY = '/data/foundation/schemaregistry/';

const NOTHING: Seen = { status: 404, contentType: undefined, body: undefined };

type Asks = Pick<Real, 'ask' | 'origin'> & Partial<Pick<Real, 'close'>>;

export interface Comparison {
  /**
   * Takes note of a read and its answer; returns at once, and whoever called waits for nothing.
   * @param isSandbox whether there is such a sandbox here: one that is not cannot be meant over there
   */
  note(call: Call, answer: Answer, isSandbox: (name: string) => boolean): void;
  /** Forgets what waits for its turn, and aborts the request that is under way. */
  close(): void;
  /** Resolves when nothing waits for its turn. */
  idle(): Promise<void>;
  report(): Report;
}

interface Comparing {
  readonly real: Asks;
  readonly tell: (kept: Kept) => void;
  readonly kept: Map<string, Kept>;
  readonly notAsked: Map<string, number>;
  readonly counterparts: Counterparts;
  readonly counts: { asked: number; same: number; different: number };
  closed: boolean;
}

/** @param tell told of every difference when it is first met */
export function createComparison(real: Asks, tell: (kept: Kept) => void = () => undefined): Comparison {
  const state: Comparing = {
    real,
    tell,
    kept: new Map(),
    notAsked: new Map(),
    counterparts: noCounterparts(),
    counts: { asked: 0, same: 0, different: 0 },
    closed: false,
  };
  let waiting = 0;
  let waitingBytes = 0;
  let turn: Promise<void> = Promise.resolve();

  return {
    note(call, answer, isSandbox) {
      if (call.method !== 'GET' && call.method !== 'HEAD') return;
      if (!call.path.startsWith('/data/') || answer.dropped || state.closed) return;
      const text = wireText(answer) ?? '';
      if (waiting >= MAX_WAITING || waitingBytes + text.length > MAX_WAITING_BYTES) {
        leaveOut(state, 'too many were waiting');
        return;
      }
      const sandbox = call.headers.get('x-sandbox-name');
      const known = sandbox === null || isSandbox(sandbox);
      const { status, headers } = answer;
      waiting += 1;
      waitingBytes += text.length;
      turn = turn
        .then(() => compare(state, call, { status, contentType: headers['content-type'], text }, known))
        .finally(() => {
          waiting -= 1;
          waitingBytes -= text.length;
        });
    },
    close() {
      state.closed = true;
      real.close?.();
    },
    async idle() {
      while (waiting > 0) await turn;
    },
    report: () => ({
      there: real.origin,
      ...state.counts,
      notAsked: Object.fromEntries(state.notAsked),
      differences: [...state.kept.values()],
    }),
  };
}

async function compare(
  state: Comparing,
  call: Call,
  { text, ...answer }: Waiting,
  knownSandbox: boolean,
): Promise<void> {
  if (state.closed) return;
  try {
    const here = { ...answer, body: parsed(text) };
    if (DATA.test(call.path)) return leaveOut(state, 'records themselves are not asked for');
    if (isUnknown(here)) return leaveOut(state, 'the caller is not known here');
    const target = knownSandbox ? await targetOf(state, call, here) : undefined;
    if (target === undefined) leaveOut(state, ONLY_HERE);
    else await ask(state, call, target, here);
  } catch {
    // Its message could quote what was sent.
    leaveOut(state, 'the real service did not answer');
  }
}

async function ask(state: Comparing, call: Call, path: string, here: Seen): Promise<void> {
  const { method, headers } = call;
  const there = await send(state, call, path, headers.get('accept') ?? undefined);
  // Neither says anything of the call: it has not been looked at.
  if (there.status === 429 || there.status >= 500) {
    leaveOut(state, 'the real service was in trouble');
    return;
  }
  learn(state.counterparts, call.path, here, there);
  keep(state, operationOf(call), method === 'HEAD' ? bodiless(here, there) : differencesOf(here, there));
}

function send(
  state: Comparing,
  { method, headers }: Pick<Call, 'method' | 'headers'>,
  path: string,
  accept: string | undefined,
) {
  const signed = new Set(SIGNED.filter((name) => headers.has(name)));
  return state.real.ask({ method, path, accept, signed });
}

/** Where the same is asked over there: what exists here only is replaced by what stands for it, or not asked for. */
async function targetOf(
  state: Comparing,
  { path, query, headers }: Call,
  here: Seen,
): Promise<string | undefined> {
  const search = queryOf(state.counterparts, query);
  if (search === undefined) return undefined;
  if (SHARED.test(path)) return path + search;
  const list = missingList(state.counterparts, path);
  if (list !== undefined) {
    const [page, accept] = list.startsWith(REGISTRY)
      ? [REGISTRY_PAGE, 'application/vnd.adobe.xed-id+json']
      : [PAGE, undefined];
    const listed = await send(state, { method: 'GET', headers }, list + page, accept);
    learn(state.counterparts, list, NOTHING, listed);
  }
  meet(state.counterparts, path, here);
  const there = pathOf(state.counterparts, path);
  return there === undefined ? undefined : there + search;
}

function keep(state: Comparing, operation: string, differences: readonly string[]): void {
  state.counts.asked += 1;
  state.counts[differences.length === 0 ? 'same' : 'different'] += 1;
  for (const what of differences) {
    const key = `${operation}: ${what}`;
    const known = state.kept.get(key);
    if (known) known.times += 1;
    else if (state.kept.size < MAX_KEPT) {
      const kept = { operation, what, times: 1 };
      state.kept.set(key, kept);
      state.tell(kept);
    }
  }
}

function leaveOut(state: Comparing, reason: string): void {
  state.notAsked.set(reason, (state.notAsked.get(reason) ?? 0) + 1);
}

/** An answer that has not been looked at yet: whoever called has it first. */
interface Waiting {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly text: string;
}

function isUnknown({ body }: Seen): boolean {
  if (typeof body !== 'object' || body === null || !('error_code' in body)) return false;
  return typeof body.error_code === 'string' && UNKNOWN_HERE.has(body.error_code);
}

function bodiless(here: Seen, there: Seen): string[] {
  return differencesOf({ ...here, body: undefined }, { ...there, body: undefined });
}

/** The words that paths of the API have by themselves; whatever else stands in one is an id or a name of somebody's. */
const PATH_WORDS = new Set(
  ['', ...PUBLISHED.flatMap(({ pattern }) => pattern.split('/'))].filter((word) => !word.startsWith(':')),
);

/** Without a name or an id of anybody's. */
function operationOf({ method, path, query }: Call): string {
  const shown = path.split('/').map((segment) => (PATH_WORDS.has(segment) ? segment : '*'));
  const names = [...new Set(query.keys())].filter((name) => /^[A-Za-z]{1,40}$/.test(name)).sort();
  return `${method} ${shown.join('/')}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}
