// `npm run bench`: the deployable forwarder from outside, beside its peers; `-- cold zip`: only these parts; `-- --quick`: one
// case, for CI. Ends with 1 where a goal is missed.
import { loadavg } from 'node:os';
import { recordsInFullEvent } from './event.ts';
import { type Case, cold, compare, memory, type Samples, vary, zipBytes } from './measure.ts';
import { isMet, machine, print, printHead, processorRow, type Row, save, speedRow } from './report.ts';
import { figureOf, ratioOf } from './statistics.ts';
import { hasSyslogNg } from './syslog-ng.ts';
import { BEFORE, buildAll, type Candidate, Inlet, type Scheme } from './world.ts';

const ROUNDS = 9;
/** Of one processor: Lambda at 512 MB. */
const SHARE = 0.29;
/** Thousands of records per second, of several events at a time. */
const SEVERAL = 150;
/** Shares of the two bounds' records per second; what is not promised is left out. */
interface OfBounds {
  readonly ofBound?: number;
  readonly ofDecoding?: number;
}

/** What is held against the bounds, and against batching done the plain way. */
interface Goals extends OfBounds {
  readonly timesPlain: number;
  readonly processor: number;
}

/** Against plain batching only where the latency is what it was promised for. */
const BESIDE_PLAIN_MS = 20;
/** What no machine, however busy, makes of a forwarder that is all right: `--quick` looks for what is broken. */
const PLAUSIBLE: Goals = { ofBound: 0.3, timesPlain: 0.8, processor: 1 };
const COLD = { rounds: 20, most: 0.75 };
const PLAUSIBLY_COLD = { rounds: 5, most: 1 };

const rows: Row[] = [];

function add(row: Row): void {
  rows.push(row);
  print(row);
}

function nameOf({ scheme, latencyMs, records, bytes }: Case): string {
  return `${records} × ${bytes} B, ${latencyMs} ms, ${scheme === 'http' ? 'plain' : 'TLS'}`;
}

async function throughput(inlet: Inlet, one: Case, goals: Goals): Promise<void> {
  const besidePlain = one.latencyMs === BESIDE_PLAIN_MS;
  const bounds: Candidate[] = ['penstock', 'decoding', 'bound'];
  const { samples } = await compare(inlet, besidePlain ? [...bounds, 'plain'] : bounds, one);
  const records = one.records * one.events;
  const perSample = { penstock: records, decoding: records, bound: records, plain: records };
  const decoding = `${nameOf(one)}: share of the decoding bound`;
  add(speedRow(decoding, samples, 'decoding', perSample, goals.ofDecoding));
  add(speedRow(`${nameOf(one)}: share of the bound`, samples, 'bound', perSample, goals.ofBound));
  add(processorRow(`${nameOf(one)}: CPU per record, × the decoding bound`, samples, 'decoding', records));
  if (!besidePlain) return;
  add(speedRow(`${nameOf(one)}: × plain batching`, samples, 'plain', perSample, goals.timesPlain));
  add(
    processorRow(
      `${nameOf(one)}: CPU per record, × plain batching`,
      samples,
      'plain',
      records,
      goals.processor,
    ),
  );
  add(processorRow(`${nameOf(one)}: CPU per record, × the bound`, samples, 'bound', records));
}

async function beside(inlet: Inlet, one: Case): Promise<void> {
  const { samples } = await compare(inlet, ['penstock', 'tutorial', 'powertools', 'axios'], one);
  const { records, events } = one;
  const perSample = { penstock: records * events, tutorial: 200, powertools: records, axios: records };
  const what = `${nameOf(one)}, connections ${one.closes ? 'used once' : 'all kept'}`;
  add(speedRow(`${what}: × a fetch per record, awaited`, samples, 'tutorial', perSample));
  add(speedRow(`${what}: × Powertools, parallel fetch`, samples, 'powertools', perSample, 40));
  add(speedRow(`${what}: × Promise.all, axios`, samples, 'axios', perSample, 40));
}

/** syslog-ng gets all records of the events at once, as plain lines; the forwarder gets so many events at a time. */
async function besideSyslogNg(inlet: Inlet, one: Case): Promise<void> {
  if (!hasSyslogNg)
    return console.log('syslog-ng is not installed (Debian: syslog-ng-core, syslog-ng-mod-http).');
  const { samples } = await compare(inlet, ['penstock', 'syslog-ng'], one);
  const records = one.records * one.events;
  const what = `${nameOf(one)}, ${one.events} events, ${one.concurrent} at a time: × syslog-ng's http()`;
  add(speedRow(what, samples, 'syslog-ng', { penstock: records, 'syslog-ng': records }));
  add(processorRow(`${what}, CPU per record`, samples, 'syslog-ng', records));
}

/** Eight routes of which each takes a part of the records, and one that takes all of them. */
async function routes(inlet: Inlet, one: Case): Promise<void> {
  const { samples } = await compare(inlet, ['routes', 'penstock'], one);
  addCosts(samples, one, ['routes', 'penstock'], 'eight routes, × one', 1.5);
}

/** The forwarder beside an earlier bundle of it, plain batching and the bounds, all in one run. */
async function beforeAndNow(inlet: Inlet, one: Case): Promise<void> {
  const { samples } = await compare(inlet, ['penstock', 'before', 'plain', 'decoding', 'bound'], one);
  addCosts(samples, one, ['penstock', 'before'], '× the code before', 1.03);
  for (const other of ['plain', 'decoding', 'bound'] as const) {
    addCosts(samples, one, ['penstock', other], `× ${other}`);
    addCosts(samples, one, ['before', other], `the code before, × ${other}`);
  }
}

/** What the one takes of the other's time, and of its processor time. */
function addCosts(
  samples: Samples,
  one: Case,
  [candidate, other]: readonly [Candidate, Candidate],
  what: string,
  most?: number,
): void {
  for (const [unit, name] of [
    ['ms', 'time'],
    ['cpuMs', 'CPU'],
  ] as const) {
    const per = (which: Candidate) => (samples[which] ?? []).map((sample) => sample[unit] / one.events);
    const [own, others] = [per(candidate), per(other)];
    add({
      what: `${nameOf(one)}: ${what}, ${name}`,
      figure: ratioOf(own, others),
      ...(most !== undefined && { goal: { at: 'most', value: most } }),
      detail: `${figureOf(own).median.toFixed(1)} and ${figureOf(others).median.toFixed(1)} ms per event`,
    });
  }
}

/** Events at the same time in one process, as a test has them: to one route, and to eight. */
async function several(inlet: Inlet, one: Case): Promise<void> {
  const { samples } = await compare(inlet, ['penstock', 'routes'], one);
  const rates = (candidate: Candidate) =>
    (samples[candidate] ?? []).map(({ ms }) => (one.records * one.events) / ms);
  for (const [candidate, what] of [
    ['penstock', 'one route'],
    ['routes', 'eight routes'],
  ] as const)
    add({
      what: `${nameOf(one)}, ${one.concurrent} events at a time, ${what}: thousands of records/s`,
      figure: figureOf(rates(candidate)),
      ...(one.concurrent !== 1 && { goal: { at: 'least', value: SEVERAL } }),
    });
}

async function slice(inlet: Inlet, one: Case): Promise<void> {
  const { samples, how } = await compare(inlet, ['penstock', 'bound', 'plain'], one, SHARE);
  const per = (candidate: Candidate) => (samples[candidate] ?? []).map(({ ms }) => ms / one.events);
  const text = (candidate: Candidate) => `${candidate} ${figureOf(per(candidate)).median.toFixed(0)} ms`;
  add({
    what: `${nameOf(one)}, on ${SHARE} of a processor: × the bound's time`,
    figure: ratioOf(per('penstock'), per('bound')),
    goal: { at: 'most', value: 2 },
    detail: `${text('penstock')}, ${text('bound')}, ${text('plain')} per event; ${how}`,
  });
}

async function peaks(inlet: Inlet, one: Case): Promise<void> {
  const found = await memory(inlet, ['penstock', 'plain', 'bound'], one);
  for (const [candidate, values] of Object.entries(found)) {
    add({
      what: `${nameOf(one)}: peak memory above idle, ${candidate}`,
      figure: figureOf(values),
      unit: ' MB',
      ...(candidate === 'penstock' && { goal: { at: 'most', value: 30 } }),
    });
  }
}

/** Room for noise, where something is to stay as it is. */
const STEADY = 1.2;
/** Below this the resident memory of a process says nothing. */
const LEAST_MB = 1;

/** Each case beside the one before: time per record stays, memory grows no faster than what is held. */
async function growth(inlet: Inlet, cases: readonly Case[], what: (one: Case) => string): Promise<void> {
  const samples = await vary(inlet, cases, ROUNDS);
  const held = ({ records, concurrent = 1 }: Case) => records * concurrent;
  const times = cases.map(({ records, events }, index) =>
    (samples[index] ?? []).map(({ ms }) => (ms * 1_000) / (records * events)),
  );
  const peaks: number[][] = [];
  for (const one of cases) {
    const { penstock = [] } = await memory(inlet, ['penstock'], {
      ...one,
      events: one.concurrent ?? 1,
      rounds: 5,
    });
    peaks.push(penstock);
  }
  for (const [index, one] of cases.entries()) {
    const [time = [], peak = []] = [times[index], peaks[index]];
    const [earlier, before, lower] = [cases[index - 1], times[index - 1], peaks[index - 1]];
    const detail = `${figureOf(time).median.toFixed(2)} µs per record, ${figureOf(peak).median.toFixed(1)} MB above idle`;
    if (earlier === undefined || before === undefined || lower === undefined) {
      add({ what: `${what(one)}: time per record`, figure: figureOf(time), unit: ' µs', detail });
      continue;
    }
    const goal = (value: number) => ({ at: 'most', value }) as const;
    add({
      what: `${what(one)}: time per record, × before`,
      figure: ratioOf(time, before),
      goal: goal(STEADY),
      detail,
    });
    const more = held(one) / held(earlier);
    const base = lower.map((megabytes) => Math.max(megabytes, LEAST_MB));
    add({
      what: `${what(one)}: memory, × before`,
      figure: ratioOf(peak, base),
      goal: goal(more * STEADY),
    });
  }
}

async function coldStarts(
  inlet: Inlet,
  scheme: Scheme,
  { rounds, most }: { rounds: number; most: number },
): Promise<void> {
  const taken = await cold(inlet, scheme, rounds);
  const [own, plain] = [figureOf(taken.penstock), figureOf(taken.plain)];
  add({
    what: `cold, ${scheme === 'http' ? 'plain' : 'TLS'}: process start to first record received, × the plain bundle`,
    figure: ratioOf(taken.penstock, taken.plain),
    goal: { at: 'most', value: most },
    detail: `${own.median.toFixed(0)} and ${plain.median.toFixed(0)} ms`,
  });
}

function zip(): void {
  const kilobytes = zipBytes() / 1_024;
  add({
    what: 'zip of the forwarder',
    figure: figureOf([kilobytes]),
    unit: ' KB',
    goal: { at: 'most', value: 450 },
  });
}

const large = recordsInFullEvent(1_000);
const usual = {
  scheme: 'http',
  latencyMs: 20,
  records: large,
  bytes: 1_000,
  events: 4,
  rounds: ROUNDS,
} as const;

const LATENCIES = [
  { latencyMs: BESIDE_PLAIN_MS, events: 4 },
  { latencyMs: 50, events: 3 },
  { latencyMs: 0, events: 8 },
];

/** The events that are sent, with what is promised of each: shares by the latency in ms. */
const SIZES: readonly {
  readonly records: number;
  readonly bytes: number;
  readonly processor: number;
  readonly shares: Readonly<Record<number, OfBounds>>;
}[] = [
  {
    records: large,
    bytes: 1_000,
    processor: 0.2,
    shares: { 20: { ofBound: 0.74, ofDecoding: 0.95 }, 50: { ofBound: 0.85 }, 0: { ofDecoding: 0.7 } },
  },
  {
    records: recordsInFullEvent(300),
    bytes: 300,
    processor: 0.33,
    shares: { 20: { ofBound: 0.68, ofDecoding: 0.88 }, 50: { ofBound: 0.8 }, 0: { ofDecoding: 0.7 } },
  },
  {
    records: 500,
    bytes: 1_000,
    processor: 0.4,
    shares: { 20: { ofBound: 0.8 }, 50: { ofBound: 0.88 }, 0: { ofBound: 0.4 } },
  },
];

/** All there is, in this order; by their names some of it. */
const PARTS: Record<string, (inlet: Inlet) => Promise<void>> = {
  async throughput(inlet) {
    for (const { latencyMs, events } of LATENCIES) {
      for (const scheme of ['http', 'https'] as const) {
        for (const { records, bytes, processor, shares } of SIZES) {
          const one = { records, bytes, scheme, latencyMs, events, rounds: ROUNDS };
          await throughput(inlet, one, { timesPlain: 1.5, processor, ...shares[latencyMs] });
        }
      }
    }
  },
  async peers(inlet) {
    const one = { ...usual, rounds: 5 };
    await beside(inlet, one);
    await beside(inlet, { ...one, scheme: 'https' });
    await beside(inlet, { ...one, scheme: 'https', closes: true });
    const small = { records: recordsInFullEvent(300), bytes: 300 };
    for (const concurrent of [1, 10]) {
      await besideSyslogNg(inlet, { ...one, events: 20, concurrent });
      await besideSyslogNg(inlet, { ...one, ...small, events: 10, concurrent });
    }
  },
  async routes(inlet) {
    const one = { ...usual, rounds: 15 };
    await routes(inlet, one);
    await routes(inlet, { ...one, records: recordsInFullEvent(300), bytes: 300 });
  },
  async several(inlet) {
    for (const concurrent of [1, 4, 8]) await several(inlet, { ...usual, events: 24, concurrent });
  },
  async before(inlet) {
    if (BEFORE === undefined) return;
    for (const latencyMs of [BESIDE_PLAIN_MS, 0]) {
      await beforeAndNow(inlet, { ...usual, latencyMs });
      await beforeAndNow(inlet, { ...usual, latencyMs, records: recordsInFullEvent(300), bytes: 300 });
    }
  },
  processor: (inlet) => slice(inlet, usual),
  async memory(inlet) {
    for (const scheme of ['http', 'https'] as const)
      await peaks(inlet, { ...usual, scheme, events: 1, rounds: 5 });
  },
  async growth(inlet) {
    const now = { ...usual, latencyMs: 0 };
    const sized = [100, 1_000, 10_000].map((records) => ({
      ...now,
      bytes: 300,
      records,
      events: 100_000 / records,
    }));
    await growth(inlet, sized, ({ records }) => `${records} × 300 B an event, 0 ms`);
    const several = [1, 2, 4, 8].map((concurrent) => ({ ...now, events: 24, concurrent }));
    await growth(inlet, several, ({ concurrent }) => `${concurrent} events of 6 MB at a time, 0 ms`);
  },
  async cold(inlet) {
    for (const scheme of ['http', 'https'] as const) await coldStarts(inlet, scheme, COLD);
  },
  async zip() {
    zip();
  },
};

async function quick(inlet: Inlet): Promise<void> {
  const one = { scheme: 'http', latencyMs: 20, records: 3_250, bytes: 1_000, events: 4, rounds: 5 } as const;
  await throughput(inlet, one, PLAUSIBLE);
  await coldStarts(inlet, 'http', PLAUSIBLY_COLD);
  zip();
}

function partOf(name: string): (inlet: Inlet) => Promise<void> {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part ${name}, but ${Object.keys(PARTS).join(', ')}`);
  return part;
}

const started = performance.now();
await buildAll();
const inlet = await Inlet.start();
console.log(`${machine()}\n`);
printHead();
const loadBefore = loadavg()[0] ?? 0;
try {
  const named = process.argv.slice(2);
  if (named.includes('--quick')) await quick(inlet);
  else for (const name of named.length > 0 ? named : Object.keys(PARTS)) await partOf(name)(inlet);
} finally {
  inlet.close();
}
const seconds = Math.round((performance.now() - started) / 1_000);
save(rows, { seconds, loadBefore });
const missed = rows.filter((row) => isMet(row) === false).length;
process.exitCode = missed > 0 ? 1 : 0;
console.log(`\n${rows.length} figures in ${seconds} s; ${missed} goals not met.`);
