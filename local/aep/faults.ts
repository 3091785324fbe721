// Faults that a test asks for: which routes fail, when, how often, and how.

import { finder } from './el/in-time.ts';
import { FAULT_KINDS, type FaultSpec } from './fault-kinds.ts';
import { type Random, seededRandom } from './ids.ts';

export interface Fault extends FaultSpec {
  readonly id: string;
  seen: number;
  struck: number;
}

/** Faults to be set together. With a seed, those of a probability strike the same calls again. */
export interface FaultRun {
  readonly seed?: number;
  readonly faults: readonly FaultSpec[];
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const isStatus: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599;

const FIELDS: { readonly [field in keyof Required<FaultSpec>]: readonly [Check, string] } = {
  kind: [
    (value) => isText(value) && Object.hasOwn(FAULT_KINDS, value as string),
    `one of ${Object.keys(FAULT_KINDS).join(', ')}`,
  ],
  method: [isText, 'an HTTP method'],
  path: [(value) => isText(value) && (value as string).startsWith('/'), 'a path that starts with /'],
  after: [isCount, 'a whole number'],
  times: [isCount, 'a whole number'],
  probability: [(value) => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1'],
  latencyMs: [isCount, 'a whole number of milliseconds'],
  status: [isStatus, 'an HTTP status from 200 to 599'],
  body: [() => true, 'anything'],
  headers: [
    (value) => typeof value === 'object' && value !== null && Object.values(value).every(isText),
    'an object of strings',
  ],
  retryAfter: [(value) => isText(value) || typeof value === 'number', 'seconds or a date'],
  bytes: [isCount, 'a whole number'],
  staleMs: [isCount, 'a whole number of milliseconds'],
  count: [isCount, 'a whole number'],
  messages: [(value) => Array.isArray(value) && value.every(isCount), 'an array of positions'],
  containing: [isText, 'a text'],
  shape: [(value) => value === 'A' || value === 'B', 'A or B'],
  field: [(value) => value === 'status' || value === 'statusCode', 'status or statusCode'],
  asText: [(value) => typeof value === 'boolean', 'true or false'],
  message: [isText, 'a text'],
};

/** So that faults and ids of one seed do not use the same random numbers. */
const SALT = 0x5eed;

export interface Faults {
  /** A copy with the same faults and counts, independent of this one. */
  copy(): Faults;
  /** With which the draws of probability began. */
  readonly seed: number;
  /** Sets the faults of a run; its seed, if any, begins these draws anew. */
  play(run: FaultRun): Fault[];
  /** Throws a TypeError that says what is allowed when the fault is not understood. */
  add(spec: FaultSpec): Fault;
  list(): readonly Fault[];
  remove(id: string): boolean;
  clear(): void;
  /** The faults that strike this call; asking counts. */
  strike(method: string, path: string): readonly Fault[];
}

/** @param first the faults a copy begins with, how many were made before it, and the seed of the first draw */
export function createFaults(
  seed: number,
  first: readonly Fault[] = [],
  before = 0,
  firstSeed = seed,
): Faults {
  let began = firstSeed >>> 0;
  let random = seededRandom(seed ^ SALT);
  let faults = first.map((fault) => ({ ...fault }));
  let made = before;
  const patterns = new Map(faults.map((fault) => [fault.id, pattern(fault.path)]));
  const matches = (fault: Fault, method: string, path: string): boolean => {
    if (fault.method && fault.method.toUpperCase() !== method) return false;
    return patterns.get(fault.id)?.(path) ?? false;
  };
  const add = (spec: FaultSpec): Fault => {
    validate(spec);
    const fault: Fault = { ...spec, id: `fault-${++made}`, seen: 0, struck: 0 };
    patterns.set(fault.id, pattern(fault.path));
    faults.push(fault);
    return fault;
  };
  return {
    copy: () => createFaults(random.nextSeed ^ SALT, faults, made, began),
    get seed() {
      return began;
    },
    play(run) {
      if (run.seed !== undefined) {
        began = run.seed;
        random = seededRandom(began ^ SALT);
      }
      return run.faults.map(add);
    },
    add,
    list: () => faults,
    remove(id) {
      const count = faults.length;
      faults = faults.filter((fault) => fault.id !== id);
      patterns.delete(id);
      return faults.length < count;
    },
    clear() {
      faults = [];
      patterns.clear();
    },
    strike(method, path) {
      if (faults.length === 0) return [];
      return faults.filter((fault) => matches(fault, method, path) && decides(fault, random));
    },
  };
}

const MAX_SEED = 4_294_967_295;
/** What `GET /_simulator/faults` tells besides what was asked for. */
const TOLD = ['id', 'seen', 'struck'];

/**
 * One fault, a list of them, or what `GET /_simulator/faults` has answered: `{"seed", "faults"}`.
 * @throws TypeError that says what is allowed
 */
export function runOf(value: unknown): FaultRun {
  const run = isRun(value) ? value : { faults: Array.isArray(value) ? value : [value] };
  const { seed, faults } = run;
  const isSeed = Number.isInteger(seed) && Number(seed) >= 0 && Number(seed) <= MAX_SEED;
  if (seed !== undefined && !isSeed)
    throw new TypeError(`The seed of a run of faults must be a whole number from 0 to ${MAX_SEED}.`);
  if (!Array.isArray(faults)) throw new TypeError("'faults' of a run must be an array.");
  const specs: unknown[] = faults.map((fault) => (isRun(value) ? untold(fault) : fault));
  for (const spec of specs) validate(spec);
  return { faults: specs as FaultSpec[], ...(seed !== undefined && { seed: Number(seed) }) };
}

function isRun(value: unknown): value is { seed?: unknown; faults: unknown } {
  return typeof value === 'object' && value !== null && 'faults' in value;
}

function untold(fault: unknown): unknown {
  if (typeof fault !== 'object' || fault === null || Array.isArray(fault)) return fault;
  return Object.fromEntries(Object.entries(fault).filter(([name]) => !TOLD.includes(name)));
}

/** Whether a fault that fits strikes this time. */
function decides(fault: Fault, random: Random): boolean {
  fault.seen += 1;
  if (fault.seen <= (fault.after ?? 0)) return false;
  if (fault.times !== undefined && fault.struck >= fault.times) return false;
  if (fault.probability !== undefined && random() >= fault.probability) return false;
  fault.struck += 1;
  return true;
}

function validate(spec: unknown): asserts spec is FaultSpec {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec))
    throw new TypeError('A fault is an object.');
  for (const [field, value] of Object.entries(spec)) {
    if (!Object.hasOwn(FIELDS, field)) {
      throw new TypeError(`Unknown fault field '${field}'. Allowed: ${Object.keys(FIELDS).join(', ')}.`);
    }
    const [check, expected] = FIELDS[field as keyof FaultSpec];
    if (value !== undefined && !check(value))
      throw new TypeError(`Fault field '${field}' must be ${expected}.`);
  }
  if (!('kind' in spec)) throw new TypeError(`A fault needs a 'kind': ${FIELDS.kind[1]}.`);
}

/** Which paths are meant: any without one. A pattern of many stars that takes too long on a path does not strike it. */
function pattern(path: string | undefined): (path: string) => boolean | undefined {
  if (!path) return () => true;
  const escaped = path.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const body = escaped.replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  return finder(new RegExp(`^${body}/?$`));
}
