// The soak in short: 20,000 records, every class of fault at least once, kills; `npm run soak` is for a million.
import { expect, it } from 'vitest';
import { reportOf } from '../soak/report.ts';
import { soak } from '../soak/soak.ts';

const RECORDS = 20_000;

it(`loses, alters and invents none of ${RECORDS} records, whatever goes wrong`, async () => {
  const lines: string[] = [];
  const result = await soak({
    records: RECORDS,
    seed: 20_260_601,
    shards: 2,
    batchSize: { raw: 60, xdm: 4 },
    batchSizeLater: { raw: 2_500, xdm: 100 },
    hangs: 0,
    share: 0.01,
    killEvery: 100,
    killEveryMs: 12_000,
    deadlineMs: 1_500_000,
    bundled: false,
    say: (line) => lines.push(line),
  });
  const struck = result.struck.map(({ name, times }) => `${name} ${times}`);
  const { processes, invocations } = result.kills;
  console.log(
    `soak: ${RECORDS} records in ${result.seconds.toFixed(0)} s, ${result.requests} requests, ${processes} processes and ${invocations} invocations killed; injected: ${struck.join(', ')}`,
  );
  expect(result.wrong, [...lines, reportOf(result)].join('\n')).toEqual([]);
  expect(result.findings).toMatchObject({ written: RECORDS, lost: 0, phantoms: 0, altered: 0, misplaced: 0 });
  expect(result.findings.landed + result.findings.kept).toBeGreaterThanOrEqual(RECORDS);
  expect(result.findings.duplicates).toBeLessThanOrEqual(result.bound);
  expect(result.struck.filter(({ times }) => times === 0)).toEqual([]);
  expect(result.kills.invocations).toBeGreaterThan(0);
});
