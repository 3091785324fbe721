// The comparison proxy: sends every read that the simulated platform has answered to the real service too, and keeps what differs.

import type { Answer } from '../answer.ts';
import { type Call, callHeader } from '../http.ts';
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
/** Codes of the gateway for a caller that is not known here (contract §0). The real service is asked by another caller. */
const UNKNOWN_HERE = new Set(['401013', '403003', '403025']);
/** The same on both sides: specs, and what Adobe brings to the registry. */
const SHARED = /\/(connectionSpecs|flowSpecs)\/|\/global\/|ns\.adobe\.com%2Fxdm/i;
/** Reads of records. They are not sent. */
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
   * Takes note of a read and its answer. Returns at once, so the caller does not wait.
   * @param isSandbox whether there is such a sandbox here. A read of any other is not sent
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
      const sandbox = callHeader(call, 'x-sandbox-name');
      const known = sandbox === undefined || isSandbox(sandbox);
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
  const there = await send(state, call, path, callHeader(call, 'accept'));
  // Such an answer says nothing about the call: the service has not looked at it.
  if (there.status === 429 || there.status >= 500) {
    leaveOut(state, 'the real service was in trouble');
    return;
  }
  learn(state.counterparts, call.path, here, there);
  keep(state, operationOf(call), call.method === 'HEAD' ? bodiless(here, there) : differencesOf(here, there));
}

function send(
  state: Comparing,
  { method, headers }: Pick<Call, 'method' | 'headers'>,
  path: string,
  accept: string | undefined,
) {
  const signed = new Set(SIGNED.filter((name) => callHeader({ headers }, name) !== undefined));
  return state.real.ask({ method, path, accept, signed });
}

/** The path and query of the same read there. Ids of here are replaced by their counterparts. `undefined` where one has none. */
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

/** An answer that is not parsed yet, so that the caller gets it first. */
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

/** The fixed words in paths of the API. Any other segment is an id or a name that a customer chose. */
const PATH_WORDS = new Set(
  ['', ...PUBLISHED.flatMap(({ pattern }) => pattern.split('/'))].filter((word) => !word.startsWith(':')),
);

/** Without a customer's names and ids. */
function operationOf({ method, path, query }: Call): string {
  const shown = path.split('/').map((segment) => (PATH_WORDS.has(segment) ? segment : '*'));
  const names = [...new Set(query.keys())].filter((name) => /^[A-Za-z]{1,40}$/.test(name)).sort();
  return `${method} ${shown.join('/')}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}
