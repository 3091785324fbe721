// `npm run bench`: the deployable forwarder from outside, beside its peers. `--quick`: one case, for CI.
import { recordsInFullEvent } from './event.ts';
import { type Case, cold, compare, memory, vary, zipBytes } from './measure.ts';
import { isMet, machine, print, printHead, processorRow, type Row, save, speedRow } from './report.ts';
import { figureOf, ratioOf } from './statistics.ts';
import { buildAll, type Candidate, Inlet, type Scheme } from './world.ts';

const ROUNDS = 9;
/** Of one processor: Lambda at 512 MB. */
const SHARE = 0.29;
/** Percentages are of the bound's records per second. */
const LATENCIES = [
  { latencyMs: 20, least: 0.8, events: 4 },
  { latencyMs: 50, least: 0.88, events: 3 },
  { latencyMs: 0, least: 0.4, events: 8 },
];

const rows: Row[] = [];

function add(row: Row): void {
  rows.push(row);
  print(row);
}

function nameOf({ scheme, latencyMs, records, bytes }: Case): string {
  return `${records} × ${bytes} B, ${latencyMs} ms, ${scheme === 'http' ? 'plain' : 'TLS'}`;
}

async function throughput(inlet: Inlet, one: Case, least: number): Promise<void> {
  const besidePlain = one.latencyMs === 20;
  const candidates: Candidate[] = besidePlain ? ['penstock', 'bound', 'plain'] : ['penstock', 'bound'];
  const { samples } = await compare(inlet, candidates, one);
  const records = one.records * one.events;
  const perSample = { penstock: records, bound: records, plain: records };
  add(speedRow(`${nameOf(one)}: share of the bound`, samples, 'bound', perSample, least));
  if (!besidePlain) return;
  add(speedRow(`${nameOf(one)}: × plain batching`, samples, 'plain', perSample, 1.5));
  add(processorRow(`${nameOf(one)}: CPU per record, × plain batching`, samples, 'plain', records, 0.4));
  add(processorRow(`${nameOf(one)}: CPU per record, × the bound`, samples, 'bound', records));
}

async function beside(inlet: Inlet, one: Case): Promise<void> {
  const { samples } = await compare(inlet, ['penstock', 'tutorial', 'powertools', 'axios'], one);
  const { records, events } = one;
  const perSample = { penstock: records * events, tutorial: 200, powertools: records, axios: records };
  add(speedRow(`${nameOf(one)}: × a fetch per record, awaited`, samples, 'tutorial', perSample));
  add(speedRow(`${nameOf(one)}: × Powertools, parallel fetch`, samples, 'powertools', perSample, 40));
  add(speedRow(`${nameOf(one)}: × Promise.all, axios`, samples, 'axios', perSample, 40));
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
      goal: goal(1.2),
      detail,
    });
    const more = held(one) / held(earlier);
    add({ what: `${what(one)}: memory, × before`, figure: ratioOf(peak, lower), goal: goal(more) });
  }
}

async function coldStarts(inlet: Inlet, scheme: Scheme): Promise<void> {
  const taken = await cold(inlet, scheme, 20);
  const [own, plain] = [figureOf(taken.penstock), figureOf(taken.plain)];
  add({
    what: `cold, ${scheme === 'http' ? 'plain' : 'TLS'}: process start to first record received, × the plain bundle`,
    figure: ratioOf(taken.penstock, taken.plain),
    goal: { at: 'most', value: 0.75 },
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

async function everything(inlet: Inlet): Promise<void> {
  const large = recordsInFullEvent(1_000);
  const sizes = [
    { records: large, bytes: 1_000 },
    { records: recordsInFullEvent(300), bytes: 300 },
    { records: 500, bytes: 1_000 },
  ];
  for (const { latencyMs, least, events } of LATENCIES) {
    for (const scheme of ['http', 'https'] as const) {
      for (const size of sizes)
        await throughput(inlet, { ...size, scheme, latencyMs, events, rounds: ROUNDS }, least);
    }
  }
  const usual = {
    scheme: 'http',
    latencyMs: 20,
    records: large,
    bytes: 1_000,
    events: 4,
    rounds: ROUNDS,
  } as const;
  await beside(inlet, { ...usual, rounds: 5 });
  await slice(inlet, usual);
  await peaks(inlet, { ...usual, events: 1, rounds: 5 });
  await peaks(inlet, { ...usual, scheme: 'https', events: 1, rounds: 5 });
  const now = { ...usual, latencyMs: 0 };
  const sized = [100, 1_000, 10_000].map((records) => ({
    ...now,
    bytes: 300,
    records,
    events: 20_000 / records,
  }));
  await growth(inlet, sized, ({ records }) => `${records} × 300 B an event, 0 ms`);
  const several = [1, 2, 4, 8].map((concurrent) => ({ ...now, events: 8, concurrent }));
  await growth(inlet, several, ({ concurrent }) => `${concurrent} events of 6 MB at a time, 0 ms`);
  await coldStarts(inlet, 'http');
  await coldStarts(inlet, 'https');
  zip();
}

async function quick(inlet: Inlet): Promise<void> {
  const one = { scheme: 'http', latencyMs: 20, records: 3_250, bytes: 1_000, events: 4, rounds: 5 } as const;
  await throughput(inlet, one, 0.8);
  zip();
}

const started = performance.now();
await buildAll();
const inlet = await Inlet.start();
console.log(`${machine()}\n`);
printHead();
try {
  await (process.argv.includes('--quick') ? quick(inlet) : everything(inlet));
} finally {
  inlet.close();
}
const seconds = Math.round((performance.now() - started) / 1_000);
save(rows, seconds);
const missed = rows.filter((row) => isMet(row) === false).length;
console.log(`\n${rows.length} figures in ${seconds} s; ${missed} goals not met.`);
