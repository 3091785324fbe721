// The closing report: what was made, what became of every record, and what it took.
import type { Pipeline } from '../../lib/pipeline.ts';
import { cutTo } from '../../terminal/columns.ts';
import { counted } from '../../terminal/counted.ts';
import type { Output } from '../../terminal/output.ts';
import { printable } from '../../terminal/printable.ts';
import { showRun } from '../../terminal/report.ts';
import type { Account, Rejected } from './account.ts';
import type { Forwarded } from './journey.ts';
import type { Reading } from './pulled.ts';

/** More than these are counted, not listed. */
const MAX_LISTED = 10;
/** So much of a record or of a reason is shown, in letters. */
const MAX_SHOWN = 300;

export interface Told {
  readonly pipeline: Pipeline;
  readonly account: Account;
  /** How the records reached the platform: an inlet was fed, or the platform read them by itself. */
  readonly by: { readonly forwarded: Forwarded } | { readonly reading: Reading };
  readonly rows: readonly unknown[];
  readonly later: readonly Rejected[];
  /** The file that lists everything that did not land. */
  readonly list: string | undefined;
  readonly losses: readonly { reason: string; messages: number }[];
}

export async function showAccount(output: Output, told: Told): Promise<void> {
  const { pipeline, account, by, rows, later, list } = told;
  await showPipeline(output, pipeline);
  title(output, 'Records');
  await output.table([], recordRows(told));
  showListed(output, 'Not sent', account.unsent);
  showListed(output, 'Rejected', account.rejected);
  showListed(output, 'Dropped', account.dropped);
  showListed(output, 'Refused later', later);
  showList(output, list);
  if ('reading' in by) showReading(output, by.reading);
  else await showForwarding(output, account, by.forwarded);
  title(output, `Newest rows of the dataset ${pipeline.resources.dataset?.id ?? ''}`);
  for (const row of rows) output.whole(shownRow(output, row));
  if (rows.length === 0) output.line('none');
  output.line();
  for (const line of missingLines(account)) output.line(line);
  showVerdict(output, account.complete, `: ${sum(account)}.`);
}

/** The pipeline, and how its last execution made it. */
export async function showPipeline(output: Output, { manifest, report }: Pipeline): Promise<void> {
  title(output, `Pipeline ${manifest.name} in sandbox ${manifest.sandbox} (simulated)`);
  if (report !== undefined) await showRun(output, report);
}

export function title(output: Output, text: string): void {
  output.line();
  output.line(output.colours.bold(text));
}

function recordRows({ account, by, losses }: Told): string[][] {
  const isPulled = 'reading' in by;
  const { produced, messages, received, copies, landed, lost } = account;
  const some = (name: string, value: number, what: string) =>
    value > 0 ? [[name, counted(value), what]] : [];
  return [
    [
      'produced',
      counted(produced),
      messages === produced ? 'lines' : `lines, which hold ${counted(messages)} messages`,
    ],
    [
      'accepted',
      counted(received),
      `${isPulled ? 'read by AEP itself' : 'received by the inlet'}${copies > 0 ? `, ${counted(copies)} of them a second time` : ''}`,
    ],
    ...some(
      'filtered',
      account.filtered,
      'messages that the manifest filters out (`where`), or its format passes over',
    ),
    isPulled
      ? [
          'dropped',
          counted(account.dropped.length),
          'not JSON objects: AEP reads nothing else here, and keeps no copy',
        ]
      : ['rejected', counted(account.rejected.length), 'kept in the dead-letter store'],
    ['landed', counted(landed), 'rows in the dataset'],
    ...some('Profile only', account.profileOnly, 'merged into Profile or deleted from it: no row lands'),
    [
      'refused later',
      counted(account.refusedLater),
      'in failed batches of the dataset: AEP validates after it has received',
    ],
    ...some('not sent', account.unsent.length, 'the source does not take them'),
    ...some('lost', lost, losses.map(({ reason }) => reason).join('; ')),
  ];
}

/** What does not add up. */
export function missingLines({ missing, phantoms }: Account): string[] {
  const shown = `${missing.slice(0, MAX_LISTED).join(', ')}${missing.length > MAX_LISTED ? ', …' : ''}`;
  return [
    ...(missing.length === 0 ? [] : [`Missing: line ${shown}`]),
    ...(phantoms === 0 ? [] : [`Received, but not produced: ${counted(phantoms)} records`]),
  ];
}

export async function showForwarding(output: Output, account: Account, forwarded: Forwarded): Promise<void> {
  title(output, 'Forwarding');
  await output.table(
    [],
    [
      [
        'invocations',
        counted(forwarded.invocations),
        forwarded.redelivered > 0 ? `${counted(forwarded.redelivered)} records delivered again` : '',
      ],
      [
        'rate',
        `${counted(rate(account, forwarded))}/s`,
        `records; invocations took ${seconds(forwarded.workingMs)} s (${seconds(forwarded.wholeMs)} s with the pauses between them)`,
      ],
      ['peak memory', `${counted(forwarded.peakMemoryBytes / 1_048_576)} MB`, 'of the process that forwards'],
    ],
  );
}

function showReading(output: Output, { kind, place, reads, throttled }: Reading): void {
  title(output, 'Reading');
  const held = throttled > 0 ? `; the shard throttled ${counted(throttled)} of them` : '';
  output.line(
    kind === 'kinesis'
      ? `AEP reads the ${place}: ${counted(reads)} calls for records${held}`
      : `AEP reads the ${place}, which the simulated platform plays`,
  );
}

export function showListed(output: Output, name: string, all: readonly Rejected[]): void {
  if (all.length === 0) return;
  title(output, name);
  for (const { line, reason, message } of all.slice(0, MAX_LISTED)) {
    const where = line > 0 ? `line ${line}: ` : '';
    output.line(`  ${cutTo(printable(`${where}${reason}: ${message}`), MAX_SHOWN)}`);
  }
  const more = all.length - MAX_LISTED;
  if (more > 0) output.line(`  … and ${counted(more)} more`);
}

export function showList(output: Output, list: string | undefined): void {
  if (list === undefined) return;
  output.line();
  output.whole(`All of these lines: ${list}`);
}

/** No longer than a line of the terminal. */
export function shownRow({ width }: Output, row: unknown, front = ''): string {
  return cutTo(`${front}${printable(JSON.stringify(row))}`, Math.min(width, MAX_SHOWN));
}

/** @param rest what follows, with the sign in front of it */
export function showVerdict({ colours, line }: Output, isComplete: boolean, rest: string): void {
  line(
    isComplete
      ? colours.green(`Every record is accounted for${rest}`)
      : colours.red(`NOT every record is accounted for${rest}`),
  );
}

function sum(account: Account): string {
  const {
    produced,
    messages,
    received,
    filtered,
    rejected,
    dropped,
    unsent,
    landed,
    profileOnly,
    refusedLater,
    lost,
  } = account;
  const some = (value: number, what: string) => (value > 0 ? `, ${counted(value)} ${what}` : '');
  const held = messages === produced ? '' : ` (${counted(messages)} messages)`;
  return `${counted(produced)} produced${held}, ${counted(received)} accepted${some(filtered, 'filtered')}, ${counted(rejected.length)} rejected${some(dropped.length, 'dropped')}${some(unsent.length, 'not sent')}; of the accepted ${counted(landed)} landed${some(profileOnly, 'for Profile only')}, ${counted(refusedLater)} refused later, ${counted(lost)} lost`;
}

function rate({ produced }: Account, { workingMs }: Forwarded): number {
  return workingMs === 0 ? 0 : (produced / workingMs) * 1_000;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}
