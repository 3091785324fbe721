// The closing report of several pipelines of one stream: what became of every record on each route.
import type { Pipeline } from '../../lib/pipeline.ts';
import { counted } from '../../terminal/counted.ts';
import type { Output } from '../../terminal/output.ts';
import type { Account, Rejected } from './account.ts';
import type { Forwarded } from './journey.ts';
import {
  missingLines,
  showForwarding,
  showList,
  showListed,
  shownRow,
  showPipeline,
  showVerdict,
  title,
} from './report.ts';

/** What became of the stream's records on one route. */
export interface RouteAccount {
  readonly pipeline: Pipeline;
  readonly account: Account;
  readonly rows: readonly unknown[];
  readonly later: readonly Rejected[];
}

const HEAD = ['route', 'accepted', 'filtered', 'rejected', 'landed', 'Profile only', 'refused later'];

export async function showRoutes(
  output: Output,
  told: {
    readonly accounts: readonly RouteAccount[];
    /** Lines that no route takes. */
    readonly unrouted: readonly number[];
    readonly forwarded: Forwarded;
    /** The file that lists everything that did not land. */
    readonly list: string | undefined;
  },
): Promise<void> {
  const { accounts, unrouted, forwarded, list } = told;
  const [first] = accounts;
  if (first === undefined) return;
  const { produced, unsent } = first.account;
  for (const { pipeline } of accounts) await showPipeline(output, pipeline);
  title(output, 'Records');
  await output.table(
    [],
    [
      ['produced', counted(produced), 'lines'],
      ['unrouted', counted(unrouted.length), 'lines that no route takes'],
      ...(unsent.length > 0 ? [['not sent', counted(unsent.length), 'the source does not take them']] : []),
    ],
  );
  output.line();
  await output.table(HEAD, accounts.map(rowOf));
  showListed(output, 'Not sent', unsent);
  for (const { pipeline, account, later } of accounts) {
    showListed(output, `Rejected on the route ${pipeline.manifest.name}`, account.rejected);
    showListed(output, `Refused later on the route ${pipeline.manifest.name}`, later);
  }
  showList(output, list);
  await showForwarding(output, first.account, forwarded);
  title(output, 'Newest row of each dataset');
  for (const { pipeline, rows } of accounts) {
    const front = `${pipeline.manifest.name}: `;
    output.whole(rows.length === 0 ? `${front}none` : shownRow(output, rows[0], front));
  }
  output.line();
  for (const { pipeline, account } of accounts)
    for (const line of missingLines(account)) output.line(`Route ${pipeline.manifest.name}: ${line}`);
  const open = accounts.filter(({ account }) => !account.complete);
  const names = open.map(({ pipeline }) => pipeline.manifest.name).join(', ');
  showVerdict(
    output,
    open.length === 0,
    open.length === 0
      ? ` on each of ${accounts.length} routes: ${counted(produced)} produced.`
      : `: ${counted(produced)} produced; look at ${names}.`,
  );
}

function rowOf({ pipeline, account }: RouteAccount): string[] {
  const { received, filtered, rejected, landed, profileOnly, refusedLater } = account;
  const numbers = [received, filtered, rejected.length, landed, profileOnly, refusedLater];
  return [pipeline.manifest.name, ...numbers.map(counted)];
}
