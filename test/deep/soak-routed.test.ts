// The soak of routes in short: 3,000 records, four routes, kills, one that is out for a while and one that parks; `npm run soak -- --routes 4`
// is for a million.
import { expect, it } from 'vitest';
import { routedReportOf } from '../soak/routed-report.ts';
import { soakRouted } from '../soak/routed-soak.ts';

const RECORDS = 3_000;

it(`loses none of ${RECORDS} records on any of four routes, and puts none in a wrong dataset`, async () => {
  const lines: string[] = [];
  const result = await soakRouted({
    records: RECORDS,
    seed: 20_260_602,
    shards: 2,
    routes: 4,
    batchSize: 60,
    batchSizeLater: 500,
    outagesAt: [0.25],
    refusals: 12,
    parksAt: 0.5,
    parked: 4,
    hangs: 0,
    share: 0.01,
    killEvery: 50,
    killEveryMs: 12_000,
    deadlineMs: 1_500_000,
    bundled: false,
    say: (line) => lines.push(line),
  });
  console.log(routedReportOf(result));
  expect(result.wrong, [...lines, routedReportOf(result)].join('\n')).toEqual([]);
  for (const { name, findings } of result.routes)
    expect(findings, name).toMatchObject({ lost: 0, phantoms: 0, altered: 0, misplaced: 0 });
  expect(result.routes.map(({ findings }) => findings.written > 0)).toEqual([true, true, true, true]);
  expect(result.outages).toMatchObject({ times: 1 });
  expect(result.outages.refused).toBeGreaterThanOrEqual(12);
  expect(result.parking.documents).toBeGreaterThanOrEqual(4);
  expect(result.parking.sent).toBeGreaterThan(0);
  expect(result.kills.invocations).toBeGreaterThan(0);
});
