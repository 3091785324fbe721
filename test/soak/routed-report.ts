// The report of a routed soak in Markdown: what became of the records on each route, and what went wrong meanwhile.
import { count, machine, rowOf } from './report.ts';
import type { RoutedSoakResult, RouteResult } from './routed-soak.ts';
import { PARKS } from './routed-world.ts';

const OF_A_ROUTE: readonly (readonly [string, (route: RouteResult) => number])[] = [
  ['records that are for it', ({ findings }) => findings.written],
  ['landed', ({ findings }) => findings.landed],
  ['in the dead-letter store', ({ findings }) => findings.kept],
  ['of these sound, but refused by a fault again and again', ({ findings }) => findings.refusedThoughSound],
  ['**lost**: in neither', ({ findings }) => findings.lost],
  ['**phantom**: nobody wrote them', ({ findings }) => findings.phantoms],
  ['**altered**: other bytes than were written (SHA-256)', ({ findings }) => findings.altered],
  ['**in a wrong dataset**, or sent there', ({ findings }) => findings.misplaced],
  ['duplicates, all identical', ({ findings }) => findings.duplicates],
  ['taken, but the answer did not say so', ({ findings }) => findings.unacknowledged],
  ['taken again after a kill', ({ copies }) => copies.afterKills],
  ['taken again since a kill had it parked twice', ({ copies }) => copies.parkedTwice],
  ['taken again although nothing had died', ({ copies }) => copies.unexplained],
  ['taken twice while another route was out', ({ copies }) => copies.twiceInOutage],
  ['taken more than twice meanwhile', ({ copies }) => copies.moreInOutage],
  ['the most rows of one record', ({ findings }) => findings.mostCopies],
  ['requests', ({ requests }) => requests],
  ['megabytes in them', ({ bytes }) => bytes / 1_000_000],
];

export function routedReportOf(result: RoutedSoakResult): string {
  const { options, routes, struck, kills, outages, parking, wrong } = result;
  const strikes = struck.reduce((sum, { times }) => sum + times, 0);
  const head = ['on each route', ...routes.map(({ name, sandbox }) => `${name} (${sandbox})`)];
  const examples = routes.flatMap(({ name, findings }) => findings.examples.map((one) => `${name}: ${one}`));
  return [
    `${count(options.records)} records, ${routes.length} routes (seed ${options.seed}) in ${Math.round(result.seconds)} s, ${count(options.records / result.seconds)} records/s with everything that follows; ${machine()}.`,
    '',
    rowOf(head),
    rowOf(['---', ...routes.map(() => '---:')]),
    ...OF_A_ROUTE.map(([what, value]) => rowOf([what, ...routes.map((route) => count(value(route)))])),
    '',
    `${routes[PARKS]?.name} parked: ${count(parking.documents)} documents at most, after ${count(parking.refused)} requests that its inlet refused. ` +
      `Of what was parked, ${count(parking.sent)} messages were sent by redrive, which reconcile started. Outages that ended, in all shards: ${count(parking.ended)}.`,
    `${routes[1]?.name} was out ${outages.times} times and refused ${count(outages.refused)} requests then. ` +
      `Faults besides: ${count(strikes)}. Invocations: ${count(result.invocations)}, of which ${count(kills.invocations)} died; ${count(kills.processes)} processes killed. ` +
      `Records handed over again: ${count(result.redelivered)}. The largest process: ${count(result.peakMemoryBytes / 1_048_576)} MB.`,
    '',
    `Faults: ${struck.map(({ name, times }) => `${name} ${count(times)}`).join('; ')}.`,
    '',
    wrong.length === 0 ? 'Nothing is wrong.' : ['WRONG:', ...wrong, ...examples].join('\n- '),
  ].join('\n');
}
