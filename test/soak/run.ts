// `npm run soak`: a million records, every fault, kills; a report, and an exit code that says whether anything is wrong.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { reportOf } from './report.ts';
import { soak } from './soak.ts';

const USAGE = `Soaks the forwarder: all faults, and kills, over real sockets.

  npm run soak -- [options]

  --records N    how many (1000000)
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
  const result = await soak({
    records: whole('--records', values.records),
    seed: whole('--seed', values.seed),
    shards: 4,
    // Small batches make many requests, and so many faults; large ones make lanes side by side.
    batchSize: { raw: 150, xdm: 20 },
    batchSizeLater: { raw: 3_000, xdm: 400 },
    hangs: 5,
    share: 0.012,
    killEvery: 150,
    killEveryMs: 15_000,
    deadlineMs: whole('--minutes', values.minutes) * 60_000,
    bundled: values.bundled,
    say: (line) => console.log(line),
  });
  const report = reportOf(result);
  console.log(`\n${report}`);
  if (values.report !== undefined) await writeFile(values.report, `${report}\n`);
  return result.wrong.length === 0 ? 0 : 1;
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
