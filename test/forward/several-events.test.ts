// Several events in one process, as a test has them: the inlet is kept busy, and each event ends as soon as it can.
import { expect, it } from 'vitest';
import { MAX_AT_ONCE } from '../../lib/forward/send/limits.ts';
import { eventually } from '../support/eventually.ts';
import { kinesisEvent, SHARD_ID, world } from '../support/forwarding.ts';
import { acknowledgeAll, fakeInlet } from '../support/inlet.ts';

const EVENTS = 4;
const pad = 'x'.repeat(20_000);

/** An event of several requests, from a shard of its own. */
function eventOf(number: number) {
  const records = Array.from({ length: 170 }, (_, n) => ({
    data: JSON.stringify({ event: number, n, pad }),
    key: `key-${n}`,
  }));
  const event = kinesisEvent(records);
  for (const record of event.Records) record.eventID = `${SHARD_ID}${number}:1`;
  return event;
}

const numberIn = (message: string) => (JSON.parse(message) as { event: number }).event;

it.each([
  ['by blocks', {}],
  ['one by one', { records: { where: [{ field: '/no-such-field', exists: false }] } }],
])(
  'as many requests as may be are under way while there is work, the first event before the others: %s',
  async (_, published) => {
    const open: (() => void)[] = [];
    const started: number[] = [];
    let isHeld = false;
    const inlet = fakeInlet(async ({ messages }) => {
      if (isHeld) {
        started.push(numberIn(messages[0] ?? ''));
        await new Promise<void>((answer) => open.push(answer));
      }
      return acknowledgeAll({ messages });
    });
    const w = world({ inlet, published });
    const run = (number: number) =>
      w.forward(eventOf(number), { remainingMs: () => 60_000, invocationId: String(number) });
    await run(0);
    const each = inlet.requests.length;
    expect(each).toBeGreaterThan(4);
    isHeld = true;
    const ends = Array.from({ length: EVENTS }, (_, number) => run(number + 1));
    const all = EVENTS * each;
    for (let answered = 0; answered < all; answered++) {
      await eventually(() => open.length).toBe(Math.min(MAX_AT_ONCE, all - answered));
      open.shift()?.();
    }
    for (const { batchItemFailures } of await Promise.all(ends)) expect(batchItemFailures).toEqual([]);
    expect(started).toEqual(Array.from({ length: all }, (_, at) => 1 + Math.floor(at / each)));
  },
);
