// `npm run soak`: a million records, every fault, kills; a report, and an exit code that says whether anything is wrong.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { SoakOptions } from './options.ts';
import { reportOf } from './report.ts';
import { routedReportOf } from './routed-report.ts';
import { soakRouted } from './routed-soak.ts';
import { soak } from './soak.ts';

const USAGE = `Soaks the forwarder: all faults, and kills, over real sockets.

  npm run soak -- [options]

  --records N    how many (1000000)
  --routes N     so many pipelines of one stream, from 3 to 8, instead of two streams of one each
  --seed N       of the records and of the faults (1)
  --minutes N    given up after so long (40)
  --bundled      the bundles of \`npm run build\` instead of the sources
  --report FILE  where the report is written to, besides here
  --help         this text
`;

/** Exit codes: 0 all is well, 1 something is wrong, 2 the command line is, or the soak itself broke. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '1000000' },
      routes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '40' },
      bundled: { type: 'boolean', default: false },
      report: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const common = {
    records: whole('--records', values.records),
    seed: whole('--seed', values.seed),
    shards: 4,
    hangs: 5,
    share: 0.012,
    killEvery: 150,
    killEveryMs: 15_000,
    deadlineMs: whole('--minutes', values.minutes) * 60_000,
    bundled: values.bundled,
    say: (line: string) => console.log(line),
  };
  const { report, wrong } =
    values.routes === undefined
      ? await plain(common)
      : await routed(common, whole('--routes', values.routes));
  console.log(`\n${report}`);
  if (values.report !== undefined) await writeFile(values.report, `${report}\n`);
  return wrong.length === 0 ? 0 : 1;
}

type Common = Omit<SoakOptions, 'batchSize' | 'batchSizeLater'>;

interface Outcome {
  readonly report: string;
  readonly wrong: readonly string[];
}

/** Small batches make many requests, and so many faults; large ones make lanes side by side. */
async function plain(common: Common): Promise<Outcome> {
  const result = await soak({
    ...common,
    batchSize: { raw: 150, xdm: 20 },
    batchSizeLater: { raw: 3_000, xdm: 400 },
  });
  return { report: reportOf(result), wrong: result.wrong };
}

async function routed(common: Common, routes: number): Promise<Outcome> {
  const result = await soakRouted({
    ...common,
    routes,
    batchSize: 300,
    batchSizeLater: 3_000,
    outagesAt: [0.2, 0.45, 0.7],
    refusals: 60,
    parksAt: 0.55,
    // A batch of each shard is one document at most.
    parked: Math.max(2, Math.round(common.records / 50_000)),
  });
  return { report: routedReportOf(result), wrong: result.wrong };
}

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new TypeError(`${name}: expected a whole number from 1 to 99999999; found "${text}"`);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
