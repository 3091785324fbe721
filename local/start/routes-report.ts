// The closing report of several pipelines of one stream: what became of every record on each route.
import type { Pipeline } from '../../lib/pipeline.ts';
import type { Account, Rejected } from './account.ts';
import type { Forwarded } from './journey.ts';
import { clip, count, forwardingLines, listed, missingLines } from './report.ts';
import { runReportOf } from './run-report.ts';
import { table } from './table.ts';

/** What became of the stream's records on one route. */
export interface RouteAccount {
  readonly pipeline: Pipeline;
  readonly account: Account;
  readonly rows: readonly unknown[];
  readonly later: readonly Rejected[];
}

const HEAD = ['route', 'accepted', 'filtered', 'rejected', 'landed', 'Profile only', 'refused later'];

export function routesReportOf(parts: {
  readonly accounts: readonly RouteAccount[];
  /** Lines that no route takes. */
  readonly unrouted: readonly number[];
  readonly forwarded: Forwarded;
  /** The file that lists everything that did not land. */
  readonly list: string | undefined;
}): string {
  const { accounts, unrouted, forwarded, list } = parts;
  const [first] = accounts;
  if (first === undefined) return '';
  const { produced, unsent } = first.account;
  return [
    ...accounts.flatMap(({ pipeline }) => [
      '',
      `Pipeline ${pipeline.manifest.name} in sandbox ${pipeline.manifest.sandbox} (simulated)`,
      ...(pipeline.report === undefined ? [] : runReportOf(pipeline.report)),
    ]),
    '',
    'Records',
    ...table([
      ['produced', count(produced), 'lines'],
      ['unrouted', count(unrouted.length), 'lines that no route takes'],
      ...(unsent.length > 0 ? [['not sent', count(unsent.length), 'the source does not take them']] : []),
    ]),
    '',
    ...table([HEAD, ...accounts.map(rowOf)]),
    ...listed('Not sent', unsent),
    ...accounts.flatMap(({ pipeline, account, later }) => [
      ...listed(`Rejected on the route ${pipeline.manifest.name}`, account.rejected),
      ...listed(`Refused later on the route ${pipeline.manifest.name}`, later),
    ]),
    ...(list === undefined ? [] : ['', `All of these lines: ${list}`]),
    '',
    ...forwardingLines(first.account, forwarded),
    '',
    'Newest row of each dataset',
    ...accounts.map(
      ({ pipeline, rows }) =>
        `  ${pipeline.manifest.name}: ${rows.length === 0 ? '(none)' : clip(JSON.stringify(rows[0]), 200)}`,
    ),
    '',
    ...accounts.flatMap(({ pipeline, account }) =>
      missingLines(account).map((line) => `Route ${pipeline.manifest.name}: ${line}`),
    ),
    verdictOn(accounts, produced),
  ].join('\n');
}

function rowOf({ pipeline, account }: RouteAccount): string[] {
  const { received, filtered, rejected, landed, profileOnly, refusedLater } = account;
  const numbers = [received, filtered, rejected.length, landed, profileOnly, refusedLater];
  return [pipeline.manifest.name, ...numbers.map(count)];
}

function verdictOn(accounts: readonly RouteAccount[], produced: number): string {
  const open = accounts.filter(({ account }) => !account.complete);
  if (open.length === 0)
    return `Every record is accounted for on each of ${accounts.length} routes: ${count(produced)} produced.`;
  const names = open.map(({ pipeline }) => pipeline.manifest.name).join(', ');
  return `NOT every record is accounted for: ${count(produced)} produced; look at ${names}.`;
}
