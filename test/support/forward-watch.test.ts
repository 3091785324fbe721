// Who watches the forwarder sees what is wrong: a watch that cannot would make every story a success.
import { beforeEach, expect, it } from 'vitest';
import { ContainerWatch, Deliveries, messagesIn, type Produced, unbalanced } from './forward-watch.ts';

const produced = (n: number, more: Partial<Produced> = {}): Produced => ({
  n,
  key: 'k',
  sequenceNumber: `1${n}`,
  text: `{"n":${n}}`,
  fate: 'sound',
  ...more,
});
const entry = (one: Produced, more: object = {}) => ({
  data: Buffer.from(one.text).toString('base64'),
  sequenceNumber: one.sequenceNumber,
  reason: 'refused',
  ...more,
});

let deliveries: Deliveries;
beforeEach(() => {
  deliveries = new Deliveries();
  for (const n of [1, 2, 3]) deliveries.produced.set(n, produced(n));
});
const none: ReadonlySet<number> = new Set();
const stored = (...entries: object[]) =>
  deliveries.keeps({ entries } as unknown as Parameters<Deliveries['keeps']>[0], new ContainerWatch());

it('has nothing to say where all is well', () => {
  const [messages, wrong] = messagesIn(Buffer.from('{"messages":[{"n":1},{"n":2}]}'), '{"n":');
  expect([messages, wrong]).toEqual([['{"n":1}', '{"n":2}'], []]);
  expect(deliveries.arrives(messages, none)).toEqual([]);
  expect(deliveries.arrives(['{"n":2}', '{"n":3}'], none)).toEqual([]);
  expect(stored(entry(produced(3)))).toEqual([]);
  expect(deliveries.stored).toEqual(new Map([[3, 'refused']]));
  deliveries.take([1, 2, 2, 2]);
  expect([deliveries.duplicates, deliveries.inversions]).toEqual([2, 0]);
  expect(unbalanced({ RecordsReceived: 3, RecordsAcknowledged: 2, RecordsReturned: 1 })).toBeUndefined();
});

it.each<[RegExp, () => string[]]>([
  [/^F2/, () => deliveries.arrives(['{"n": 1}'], none)],
  [/^F2/, () => deliveries.arrives(['{"n":4}'], none)],
  [/^F2/, () => deliveries.arrives(['{}'], none)],
  [/^F7/, () => deliveries.arrives(['{"n":1}'], new Set([1]))],
  [/^F8/, () => deliveries.arrives(['{"n":2}', '{"n":1}'], none)],
  [/^F11/, () => deliveries.arrives(['{"n":1}', '{"n":1}'], none)],
  [/^F11/, () => messagesIn(Buffer.from(`{"messages":[${' '.repeat(1_000_000)}]}`), '{"n":')[1]],
  [/^F11/, () => messagesIn(Buffer.from('{"messages":[{"n":1}}'), '{"n":')[1]],
  [/^F9/, () => stored(entry(produced(1), { reason: '' }))],
  [/^F9/, () => stored(entry(produced(1), { sequenceNumber: '12' }))],
  [/^F9/, () => stored(entry(produced(1), { subSequenceNumber: 0 }))],
  [/^F9/, () => stored(entry(produced(1, { text: '{"n":1 }' })))],
  [/^F16/, () => [unbalanced({ RecordsReceived: 3, RecordsAcknowledged: 2 }) ?? '']],
  [/^F16/, () => [unbalanced({ ConservationDifference: 1 }) ?? '']],
])('says %s', (what, happens) => {
  expect(happens()).toEqual([expect.stringMatching(what)]);
});
