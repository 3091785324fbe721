// The closing report: what was made, what became of every record, and what it took.
import type { Pipeline } from '../../lib/pipeline.ts';
import type { Account, Rejected } from './account.ts';
import type { Forwarded } from './journey.ts';
import type { Reading } from './pulled.ts';
import { runReportOf } from './run-report.ts';
import { table } from './table.ts';

/** More than these are counted, not listed. */
const MAX_LISTED = 10;

export function reportOf(parts: {
  pipeline: Pipeline;
  account: Account;
  /** How the records reached the platform: an inlet was fed, or the platform read them by itself. */
  by: { readonly forwarded: Forwarded } | { readonly reading: Reading };
  rows: readonly unknown[];
  later: readonly Rejected[];
  /** The file that lists everything that did not land. */
  list: string | undefined;
  losses: readonly { reason: string; messages: number }[];
}): string {
  const { pipeline, account, by, rows, later, list, losses } = parts;
  const isPulled = 'reading' in by;
  return [
    '',
    `Pipeline ${pipeline.manifest.name} in sandbox ${pipeline.manifest.sandbox} (simulated)`,
    ...(pipeline.report === undefined ? [] : runReportOf(pipeline.report)),
    '',
    'Records',
    ...table([
      [
        'produced',
        count(account.produced),
        account.messages === account.produced
          ? 'lines'
          : `lines, which hold ${count(account.messages)} messages`,
      ],
      [
        'accepted',
        count(account.received),
        `${isPulled ? 'read by AEP itself' : 'received by the inlet'}${account.copies > 0 ? `, ${count(account.copies)} of them a second time` : ''}`,
      ],
      ...(account.filtered > 0
        ? [
            [
              'filtered',
              count(account.filtered),
              'messages that the manifest filters out (`where`), or its format passes over',
            ],
          ]
        : []),
      isPulled
        ? [
            'dropped',
            count(account.dropped.length),
            'not JSON objects: AEP reads nothing else here, and keeps no copy',
          ]
        : ['rejected', count(account.rejected.length), 'kept in the dead-letter store'],
      ['landed', count(account.landed), 'rows in the dataset'],
      ...(account.profileOnly > 0
        ? [
            [
              'Profile only',
              count(account.profileOnly),
              'merged into Profile or deleted from it: no row lands',
            ],
          ]
        : []),
      [
        'refused later',
        count(account.refusedLater),
        'in failed batches of the dataset: AEP validates after it has received',
      ],
      ...(account.unsent.length > 0
        ? [['not sent', count(account.unsent.length), 'the source does not take them']]
        : []),
      ...(account.lost > 0
        ? [['lost', count(account.lost), losses.map(({ reason }) => reason).join('; ')]]
        : []),
    ]),
    ...listed('Not sent', account.unsent),
    ...listed('Rejected', account.rejected),
    ...listed('Dropped', account.dropped),
    ...listed('Refused later', later),
    ...(list === undefined ? [] : ['', `All of these lines: ${list}`]),
    '',
    ...('reading' in by ? readingLines(by.reading) : forwardingLines(account, by.forwarded)),
    '',
    `Newest rows of the dataset ${pipeline.resources.dataset?.id ?? ''}`,
    ...rows.map((row) => `  ${clip(JSON.stringify(row), 300)}`),
    ...(rows.length === 0 ? ['  (none)'] : []),
    '',
    ...missingLines(account),
    account.complete
      ? `Every record is accounted for: ${sum(account)}.`
      : `NOT every record is accounted for: ${sum(account)}.`,
  ].join('\n');
}

/** What does not add up. */
export function missingLines({ missing, phantoms }: Account): string[] {
  const shown = `${missing.slice(0, MAX_LISTED).join(', ')}${missing.length > MAX_LISTED ? ', …' : ''}`;
  return [
    ...(missing.length === 0 ? [] : [`Missing: line ${shown}`]),
    ...(phantoms === 0 ? [] : [`Received, but not produced: ${count(phantoms)} records`]),
  ];
}

export function forwardingLines(account: Account, forwarded: Forwarded): string[] {
  return [
    'Forwarding',
    ...table([
      [
        'invocations',
        count(forwarded.invocations),
        forwarded.redelivered > 0 ? `${count(forwarded.redelivered)} records delivered again` : '',
      ],
      [
        'rate',
        `${count(rate(account, forwarded))}/s`,
        `records; invocations took ${seconds(forwarded.workingMs)} s (${seconds(forwarded.wholeMs)} s with the pauses between them)`,
      ],
      ['peak memory', `${count(forwarded.peakMemoryBytes / 1_048_576)} MB`, 'of the process that forwards'],
    ]),
  ];
}

function readingLines({ kind, place, reads, throttled }: Reading): string[] {
  if (kind !== 'kinesis') return ['Reading', `  AEP reads the ${place}, which the simulated platform plays`];
  const held = throttled > 0 ? `; the shard throttled ${count(throttled)} of them` : '';
  return ['Reading', `  AEP reads the ${place}: ${count(reads)} calls for records${held}`];
}

export function listed(title: string, all: readonly Rejected[]): string[] {
  if (all.length === 0) return [];
  const more = all.length - MAX_LISTED;
  const shown = all.slice(0, MAX_LISTED).map(({ line, reason, message }) => {
    const where = line > 0 ? `line ${line}: ` : '';
    return `  ${clip(`${where}${reason}: ${message}`, 200)}`;
  });
  return ['', title, ...shown, ...(more > 0 ? [`  … and ${count(more)} more`] : [])];
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
  const some = (value: number, what: string) => (value > 0 ? `, ${count(value)} ${what}` : '');
  const held = messages === produced ? '' : ` (${count(messages)} messages)`;
  return `${count(produced)} produced${held}, ${count(received)} accepted${some(filtered, 'filtered')}, ${count(rejected.length)} rejected${some(dropped.length, 'dropped')}${some(unsent.length, 'not sent')}; of the accepted ${count(landed)} landed${some(profileOnly, 'for Profile only')}, ${count(refusedLater)} refused later, ${count(lost)} lost`;
}

function rate({ produced }: Account, { workingMs }: Forwarded): number {
  return workingMs === 0 ? 0 : (produced / workingMs) * 1_000;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
