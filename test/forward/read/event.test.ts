import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KinesisEvent, readEvent } from '../../../lib/forward/read/event.ts';
import { readOnFailure } from '../../../lib/forward/read/on-failure.ts';
import { streamArnIn, streamNameOf } from '../../../lib/published.ts';
import { kinesisEvent } from '../../support/forwarding.ts';
import { onFailureDocument } from '../../support/redriving.ts';

const MIXED = 'of more than one stream';

/** Something that is no record, or a record with one or two members replaced or left out. */
const almostRecord = fc.oneof(
  fc.anything(),
  fc
    .tuple(member(), member(), member(), member(), member(), member())
    .map(([eventID, eventSourceARN, sequenceNumber, partitionKey, data, approximateArrivalTimestamp]) => ({
      ...put('eventID', eventID, 'shardId-0:1'),
      ...put('eventSourceARN', eventSourceARN, 'arn:aws:kinesis:eu-west-1:123456789012:stream/s'),
      kinesis: {
        ...put('sequenceNumber', sequenceNumber, '49590338271490256608559692538361571095921575989136588898'),
        ...put('partitionKey', partitionKey, 'key'),
        ...put('data', data, 'e30='),
        ...put('approximateArrivalTimestamp', approximateArrivalTimestamp, 1_767_225_600.5),
      },
    })),
);

/** `keep` as it is; `leave` it out; else the value in its place. */
function member() {
  const values = [undefined, null, '', '0', '01', '1e3', '9'.repeat(128), '9'.repeat(129), 0, -1, Number.NaN];
  const others = fc.constantFrom(...values, Number.POSITIVE_INFINITY, true, [], {});
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant({ keep: true as const }) },
    { weight: 1, arbitrary: fc.constant({ leave: true as const }) },
    { weight: 1, arbitrary: others.map((value) => ({ value })) },
  );
}

type Member = { keep: true } | { leave: true } | { value: unknown };

function put(name: string, member: Member, usual: unknown): object {
  if ('leave' in member) return {};
  return { [name]: 'value' in member ? member.value : usual };
}

describe('an event', () => {
  it('is taken exactly where the schema takes it, with the same fields', () => {
    const met = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(almostRecord, { minLength: 1, maxLength: 2 }), (Records) => {
        const asked = KinesisEvent.safeParse({ Records });
        met[asked.success ? 'taken' : 'refused']++;
        const found = outcome(() => KinesisEvent.parse({ Records: readEvent({ Records })?.records }));
        if (asked.success) expect([asked.data, MIXED]).toContainEqual(found);
        else expect(found).toContain('not a Kinesis event');
      }),
      { numRuns: 2_000, seed: 4 },
    );
    expect(Math.min(met.taken, met.refused)).toBeGreaterThan(200);
  });

  it.each([null, undefined, 'text', 7, [], {}, { Records: null }, { Records: { length: 1 } }])(
    'is not %j',
    (event) => {
      expect(() => readEvent(event)).toThrow('not a Kinesis event');
    },
  );

  it('is told to be none by its fields, five of them, and never by their values', () => {
    const bad = { eventSourceARN: 'arn', kinesis: { sequenceNumber: 'secret', partitionKey: 'p', data: 7 } };
    const said = outcome(() => readEvent({ Records: Array.from({ length: 9 }, () => bad) }));
    expect(said).toContain('Records.0.kinesis.sequenceNumber: expected a sequence number');
    expect(String(said).split('\n')).toHaveLength(6);
    expect(said).not.toContain('secret');
  });

  it('B: of a consumer’s trigger names the stream, whichever ARN AWS gives', () => {
    const { Records } = kinesisEvent(['{}']);
    const streamArn = String(Records[0]?.eventSourceARN);
    const consumerArn = `${streamArn}/consumer/penstock-dev:1767225600`;
    const through = Records.map((record) => ({ ...record, eventSourceARN: consumerArn }));
    expect(readEvent({ Records: through })?.streamArn).toBe(streamArn);
    expect([streamNameOf(consumerArn), streamArnIn(consumerArn)]).toEqual([
      streamNameOf(streamArn),
      streamArn,
    ]);
    const document = JSON.parse(onFailureDocument({ records: ['{}'], payload: 'object' })) as {
      KinesisBatchInfo: { streamArn: string };
    };
    const { KinesisBatchInfo: batch } = document;
    const discarded = { ...batch, streamArn: `${batch.streamArn}/consumer/a:1` };
    expect(readOnFailure({ ...document, KinesisBatchInfo: discarded })).toMatchObject({
      streamArn: batch.streamArn,
    });
  });

  it('may hold fields that nobody knows, and hold no records', () => {
    const { Records } = kinesisEvent(['{}']);
    const more = { Records: [{ ...Records[0], invented: 1 }], invented: 2 };
    expect(readEvent(more)).toMatchObject({ streamArn: Records[0]?.eventSourceARN });
    expect(readEvent({ Records: [] })).toBeUndefined();
  });
});

function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { message } = error as Error;
    return message.includes(MIXED) ? MIXED : message;
  }
}
