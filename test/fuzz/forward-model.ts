// The forwarder's promises (docs/promises.md, F1 to F19) as a property: whatever is produced, and whatever goes wrong.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { FaultSpec } from '../../local/aep/fault-kinds.ts';
import type { Fate } from '../support/forward-watch.ts';
import { ForwardWorld, type Holding, type Own, type Poll, provisioned } from '../support/forward-world.ts';

/** The sample, whose records are sent as they were produced: what arrives is compared byte by byte. */
const manifest = JSON.parse(
  readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
  (name, value) => (name === 'records' ? undefined : value),
) as { readonly source: object };

const PARK_AFTER_MS = 60_000;
const INLET = '/collection/batch/*';
const IMS = '/ims/**';

/** Every way in which a request goes wrong, by the name it is counted under. */
export const FAULTS: Readonly<Record<string, FaultSpec>> = {
  '429': { kind: 'refuse', status: 429 },
  '429, told when': { kind: 'refuse', status: 429, retryAfter: 2 },
  '503, told when': { kind: 'refuse', status: 503, retryAfter: 1 },
  '503, told nonsense': { kind: 'refuse', status: 503, retryAfter: 'soon' },
  '503, told much later': { kind: 'refuse', status: 503, retryAfter: 99_999 },
  '500': { kind: 'refuse', status: 500 },
  '502 with a page': { kind: 'notJson', status: 502 },
  '500 after it was taken': { kind: 'failAfter' },
  'cut before': { kind: 'dropBefore' },
  'cut after': { kind: 'dropAfter' },
  'half an answer': { kind: 'truncate' },
  'a page for an answer': { kind: 'notJson' },
  'too few entries': { kind: 'short' },
  'too many entries': { kind: 'long' },
  'entries of null': { kind: 'nullItems' },
  'entries of nothing': { kind: 'emptyItems' },
  'foreign ids': { kind: 'foreignIds' },
  'the shape of one': { kind: 'single' },
  'the first fails for now': { kind: 'partial', messages: [0], status: 503 },
  'one in the middle fails for now': { kind: 'partial', messages: [1], status: 429 },
  // In their serial numbers: once it is parsed, no other text has this digit in it.
  'those with a 3 fail for now': { kind: 'partial', containing: '3', status: 503 },
  'all fail for now': { kind: 'partial', status: 503, asText: true },
  'tokens taken back': { kind: 'expireTokens' },
  '401': { kind: 'refuse', status: 401 },
  '403': { kind: 'refuse', status: 403 },
  '403 without a word': { kind: 'refuse', status: 403, body: null },
  '404': { kind: 'refuse', status: 404 },
  '413': { kind: 'refuse', status: 413 },
  elsewhere: { kind: 'refuse', status: 307, headers: { location: 'https://elsewhere.example/' } },
};

const IMS_FAULTS: Readonly<Record<string, FaultSpec>> = {
  'IMS 503': { kind: 'refuse', status: 503 },
  'IMS 429': { kind: 'refuse', status: 429, retryAfter: 1 },
  'IMS refuses': { kind: 'refuse', status: 400, body: { error: 'invalid_client' } },
  'IMS cut': { kind: 'dropAfter' },
};

type Step = (world: ForwardWorld) => Promise<void> | void;

interface Named {
  readonly name: string;
  readonly step: Step;
}

const named = (name: string, step: Step): Named => ({ name, step });

const key = fc.integer({ min: 0, max: 9 }).map((n) => `key-${n}`);
const fate = fc.constantFrom<Fate[]>(
  'sound',
  'sound',
  'sound',
  'sound',
  'sound',
  'sound',
  'refused',
  'garbage',
  'poison',
);
const some = fc.tuple(
  key,
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fate) },
    { weight: 1, arbitrary: fc.array(fate, { minLength: 2, maxLength: 4 }) },
  ),
  fc.constantFrom(1, 1, 1, 100, 250_000),
);

const produce = fc.array(some, { minLength: 1, maxLength: 14 }).map((all) =>
  named(`produce ${JSON.stringify(all)}`, (world) => {
    for (const [at, fates, bytes] of all) world.produce(at, fates, bytes);
  }),
);

/** For requests of many messages, of which some in the middle can fail. */
const crowd = fc.integer({ min: 6, max: 12 }).map((count) =>
  named(`produce ${count} sound ones`, (world) => {
    for (let n = 0; n < count; n++) world.produce(`key-${n % 5}`, ['sound'], 1);
  }),
);

const trouble = fc.oneof<fc.MaybeWeightedArbitrary<Partial<Poll>>[]>(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc
      .record({ at: fc.integer({ min: 1, max: 3 }), before: fc.boolean() })
      .map((dies) => ({ dies })),
  },
  { weight: 1, arbitrary: fc.constant({ silent: true }) },
  { weight: 2, arbitrary: fc.constantFrom(12_000, 3_000, 1_000).map((timeoutMs) => ({ timeoutMs })) },
);

const poll = fc
  .tuple(
    fc.constantFrom(1, 3, 10_000, 10_000, 10_000),
    trouble,
    fc.constantFrom({}, {}, {}, { forMs: 1_000 }, { forMs: 60_000 }),
  )
  .map(([size, more, long]): Poll => ({ size, timeoutMs: 60_000, ...more, ...long }))
  .map((options) => named(`poll ${JSON.stringify(options)}`, (world) => world.poll(options)));

const fault = (all: Readonly<Record<string, FaultSpec>>, path: string) =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(all)),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 0, 0, 1, 2),
    )
    .map(([name, times, after]) =>
      named(`fault ${name}, ${times} times after ${after}`, (world) => {
        world.fault(name, { ...(all[name] as FaultSpec), path, times, after });
      }),
    );

const others = fc.oneof(
  fc.constant(named('heal', (world) => world.heal())),
  fc.constant(named('rotate', (world) => world.rotate())),
  fc.nat(5).map((which) => named(`split ${which}`, (world) => world.split(which))),
  fc.nat(5).map((which) => named(`merge ${which}`, (world) => world.merge(which))),
  fc
    .integer({ min: 1, max: 3 })
    .map((times) => named(`store fails ${times}`, (world) => world.storeFails(times))),
  fc
    .constantFrom(1_000, 40_000, 3_600_000, 60_000_000, 80_000_000)
    .map((ms) => named(`advance ${ms}`, (world) => world.advance(ms))),
);

const STEPS = [
  { weight: 4, arbitrary: produce },
  { weight: 1, arbitrary: crowd },
  { weight: 6, arbitrary: poll },
  { weight: 6, arbitrary: fault(FAULTS, INLET) },
  { weight: 1, arbitrary: fault(IMS_FAULTS, IMS) },
  { weight: 2, arbitrary: others },
];
const ofSteps = (...more: typeof STEPS) =>
  fc.noBias(fc.array(fc.oneof(...STEPS, ...more), { minLength: 1, maxLength: 26, size: 'max' }));
const story = ofSteps();
/** Of a pipeline that parks: outages that last, and their end. */
const parkedStory = ofSteps(
  { weight: 1, arbitrary: fc.constant(named('outages end', (world) => world.endOutages())) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('429', '500', '404', 'cut before').map((name) =>
      named(`${name} for long`, async (world) => {
        world.produce('key-1', ['sound', 'refused'], 1);
        world.fault(name, { ...(FAULTS[name] as FaultSpec), path: INLET, times: 1_000 });
        for (let times = 0; times < 2; times++) {
          await world.poll({ size: 10_000, timeoutMs: 60_000 });
          world.advance(PARK_AFTER_MS);
        }
      }),
    ),
  },
);

/** What a story came to: all that is wrong, and what was met on the way. */
export interface Told {
  readonly wrong: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** What reached AEP, how often: the same for the same story (F18). */
  readonly taken: string;
}

/** What the manifest says besides. */
const SAYS: Readonly<Record<Holding, object>> = {
  aggregates: {},
  lines: { format: 'json-lines' },
  parked: { onOutage: 'park', parkAfterSeconds: PARK_AFTER_MS / 1_000 },
};

const bases = new Map<Holding, Promise<Own>>();

/** Each way has a pipeline of its own. */
function baseOf(holding: Holding): Promise<Own> {
  const { source } = manifest;
  const base = bases.get(holding) ?? provisioned({ ...manifest, source: { ...source, ...SAYS[holding] } });
  bases.set(holding, base);
  return base;
}

async function tell(steps: readonly Named[], holding: Holding = 'aggregates'): Promise<Told> {
  const world = new ForwardWorld(await baseOf(holding), holding);
  for (const { step } of steps) {
    await step(world);
    if (world.wrong.length > 0) break;
  }
  if (world.wrong.length === 0) await world.drain();
  if (world.deliveries.duplicates > 0) world.count('duplicate');
  const taken = JSON.stringify([...world.deliveries.taken].sort(([a], [b]) => a - b));
  return { wrong: [...new Set(world.wrong)], counts: world.counts, taken };
}

/** Tells so many stories of this seed. @returns what was met, summed up; throws with the shortest story that goes wrong. */
export async function tellStories(
  runs: number,
  seed: number,
  holding?: Holding,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const property = fc.asyncProperty(holding === 'parked' ? parkedStory : story, async (steps) => {
    const told = await tell(steps, holding);
    for (const [what, number] of told.counts) counts.set(what, (counts.get(what) ?? 0) + number);
    if (told.wrong.length > 0)
      throw new Error(`${told.wrong.slice(0, 5).join('\n')}\n${steps.map(({ name }) => name).join('\n')}`);
  });
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: false });
  return counts;
}

/** The same story twice. */
export async function tellTwice(seed: number): Promise<[Told, Told]> {
  const [steps] = fc.sample(story, { seed, numRuns: 1 });
  return [await tell(steps ?? []), await tell(steps ?? [])];
}
