// What each kind of fault is called on the page, and which numbers it takes.
import type { FaultKind, FaultSpec } from '../../aep/fault-kinds.ts';

export type FieldName = keyof Pick<
  FaultSpec,
  'status' | 'retryAfter' | 'latencyMs' | 'bytes' | 'staleMs' | 'count' | 'containing'
>;

export interface Kind {
  readonly group: string;
  readonly name: string;
  readonly fields: readonly FieldName[];
}

const REFUSED = 'It is refused';
const CUT = 'The connection breaks';
const LATE = 'It takes long';
const WRONG = 'The answer is wrong';
const BATCH = "A batch's answer is wrong";

export const KINDS: Readonly<Record<FaultKind, Kind>> = {
  refuse: { group: REFUSED, name: 'refused, and not applied', fields: ['status', 'retryAfter'] },
  failAfter: { group: REFUSED, name: 'applied, and an error answered', fields: ['status'] },
  partial: {
    group: REFUSED,
    name: 'some messages of a batch refused',
    fields: ['status', 'count', 'containing'],
  },
  expireTokens: { group: REFUSED, name: 'every token taken back', fields: [] },
  dropBefore: { group: CUT, name: 'cut before it is applied', fields: [] },
  dropAfter: { group: CUT, name: 'applied, and cut before the answer', fields: [] },
  breakOff: { group: CUT, name: 'applied, and cut within the answer', fields: ['bytes'] },
  latency: { group: LATE, name: 'a wait before it is applied', fields: ['latencyMs'] },
  late: { group: LATE, name: 'applied, and a wait before the answer', fields: ['latencyMs'] },
  truncate: { group: WRONG, name: 'half an answer', fields: ['bytes'] },
  notJson: { group: WRONG, name: 'a page of HTML', fields: ['status'] },
  stale: { group: WRONG, name: 'a list that is old', fields: ['staleMs'] },
  short: { group: BATCH, name: 'entries missing', fields: ['count'] },
  long: { group: BATCH, name: 'entries too many', fields: ['count'] },
  reorder: { group: BATCH, name: 'entries in reverse order', fields: [] },
  nullItems: { group: BATCH, name: 'entries that are null', fields: [] },
  emptyItems: { group: BATCH, name: 'entries that say nothing', fields: [] },
  foreignIds: { group: BATCH, name: 'ids that tell no place', fields: [] },
  single: { group: BATCH, name: "a single message's answer", fields: [] },
};

/** A label for each number that a kind takes, and what a form begins with. */
export const FIELDS: Readonly<Record<FieldName, { readonly label: string; readonly begins: string }>> = {
  status: { label: 'HTTP status', begins: '503' },
  retryAfter: { label: 'Retry-After, in s', begins: '' },
  latencyMs: { label: 'Wait, in ms', begins: '2000' },
  bytes: { label: 'After bytes', begins: '' },
  staleMs: { label: 'Age, in ms', begins: '30000' },
  count: { label: 'How many', begins: '1' },
  containing: { label: 'Only those with the text', begins: '' },
};

/** `some messages of a batch refused, status 400, 3 times, 50 % of the calls`. */
export function saidOf(asked: FaultSpec): string {
  const { kind, status, latencyMs, times, probability, after, retryAfter, count, containing, staleMs } =
    asked;
  return [
    KINDS[kind].name,
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(retryAfter === undefined ? [] : [`Retry-After ${retryAfter}`]),
    ...(latencyMs === undefined ? [] : [`${latencyMs} ms`]),
    ...(staleMs === undefined ? [] : [`${staleMs} ms old`]),
    ...(count === undefined ? [] : [`${count} of a batch`]),
    ...(containing === undefined ? [] : [`with "${containing}"`]),
    ...(after === undefined || after === 0 ? [] : [`not the first ${after}`]),
    ...(times === undefined ? [] : [times === 1 ? 'once' : `${times} times`]),
    ...(probability === undefined || probability === 1
      ? []
      : [`${Math.round(probability * 1000) / 10} % of the calls`]),
  ].join(', ');
}
