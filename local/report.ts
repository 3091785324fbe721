// The closing report: what was made, what became of every record, and what it took.
import { type Pipeline, RESOURCE_KINDS } from '../lib/pipeline.ts';
import type { Account, Forwarded } from './journey.ts';

/** More than these are counted, not listed. */
const MOST_LISTED = 10;

export function reportOf(parts: {
  pipeline: Pipeline;
  account: Account;
  forwarded: Forwarded;
  rows: readonly unknown[];
  later: readonly string[];
}): string {
  const { pipeline, account, forwarded, rows, later } = parts;
  return [
    '',
    `Pipeline ${pipeline.manifest.name} in sandbox ${pipeline.manifest.sandbox} (simulated)`,
    ...resources(pipeline),
    '',
    'Records',
    ...table([
      ['produced', count(account.produced), 'lines'],
      [
        'accepted',
        count(account.received),
        `received by the inlet${account.copies > 0 ? `, ${count(account.copies)} of them a second time` : ''}`,
      ],
      ['rejected', count(account.rejected.length), 'kept in the undelivered store'],
      ['landed', count(account.landed), 'rows in the dataset'],
      [
        'refused later',
        count(account.refusedLater),
        'in failed batches of the dataset: AEP validates after it has received',
      ],
      ...(account.lost > 0
        ? [['lost', count(account.lost), 'received by AEP before the flow was warm']]
        : []),
    ]),
    ...listed(
      'Rejected',
      account.rejected.map(({ line, reason, message }) => `line ${line}: ${reason}: ${message}`),
    ),
    ...listed('Refused later', later),
    '',
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
        `records, over the ${seconds(forwarded.workingMs)} s that invocations took (${seconds(forwarded.wholeMs)} s from first to last, Lambda's window included)`,
      ],
      ['peak memory', `${count(forwarded.peakMemoryBytes / 1_048_576)} MB`, 'of the process that forwards'],
    ]),
    '',
    `Newest rows of the dataset ${pipeline.resources.dataset?.id ?? ''}`,
    ...rows.map((row) => `  ${clip(JSON.stringify(row), 300)}`),
    ...(rows.length === 0 ? ['  (none)'] : []),
    '',
    ...(account.missing.length === 0
      ? []
      : [
          `Missing: line ${account.missing.slice(0, MOST_LISTED).join(', ')}${account.missing.length > MOST_LISTED ? ', …' : ''}`,
        ]),
    account.complete
      ? `Every record is accounted for: ${sum(account)}.`
      : `NOT every record is accounted for: ${sum(account)}.`,
  ].join('\n');
}

function resources(pipeline: Pipeline): string[] {
  const rows = RESOURCE_KINDS.flatMap((kind) => {
    const made = pipeline.resources[kind];
    return made === undefined ? [] : [[kind, made.how, made.id, made.name]];
  });
  return table([
    ...rows,
    ['published', pipeline.published ?? '', pipeline.streamArn, ''],
    [
      'intake',
      pipeline.intake?.how ?? '',
      pipeline.intake?.id ?? '',
      `from ${pipeline.intake?.startAt ?? ''}`,
    ],
  ]);
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - MOST_LISTED;
  return [
    '',
    title,
    ...lines.slice(0, MOST_LISTED).map((line) => `  ${clip(line, 200)}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

function sum({ produced, received, rejected, landed, refusedLater, lost }: Account): string {
  return `${count(produced)} produced, ${count(received)} accepted, ${count(rejected.length)} rejected; of the accepted ${count(landed)} landed, ${count(refusedLater)} refused later, ${count(lost)} lost`;
}

function rate({ produced }: Account, { workingMs }: Forwarded): number {
  return workingMs === 0 ? 0 : (produced / workingMs) * 1_000;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Columns as wide as their widest cell, two blanks apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
