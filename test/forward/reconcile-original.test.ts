import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { recordId } from '../../lib/forward/record-id.ts';
import type { StreamRecord } from '../../lib/runtime.ts';
import { MAPPINGS, sendBatch, WARM_UP } from '../local/aep/support.ts';
import { aggregate } from '../support/kpl.ts';
import { type Reconciling, reconciling } from '../support/reconciling.ts';
import { document, entry, redriveWorld } from '../support/redriving.ts';

// A flow that maps: what AEP refuses is not what the producer wrote, and sent again it would be mapped twice.

const SHARD = 'shardId-000000000001';
const at = (index: number) =>
  (49590338271490256608559692538361571095921575989136588898n + BigInt(index)).toString();
const idOf = (index: number, subSequenceNumber?: number) =>
  recordId({
    stream: 'customers',
    shardId: SHARD,
    sequenceNumber: at(index),
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
  });
const written = (index: number | string) => `{"n": ${index}.0, "firstName":"Ana","gender":"Female!"}`;

/** What the producer wrote, with the _id that the forwarder derives. */
async function send(own: Reconciling, ids: readonly string[]): Promise<void> {
  own.with_.clock.advance(WARM_UP);
  const records = ids.map((id) => ({ id, firstName: 'Ana', gender: 'Female!' }));
  expect((await sendBatch(own.with_, own.made, records)).status).toBe(207);
  own.with_.clock.advance(1_000);
}

const inStream = (index: number, data: string | Uint8Array = written(index)): StreamRecord => ({
  sequenceNumber: at(index),
  partitionKey: `key-${index}`,
  data: Buffer.from(data),
  arrivedAt: 1_770_000_000 + index,
});

const world = (records?: object) =>
  reconciling({}, { dataType: 'raw', mappings: MAPPINGS }).then((own) => {
    const published = { ...own.published, ...(records && { records }) };
    own.secrets.set('penstock/dev/streams/customers', JSON.stringify(published));
    return own;
  });

const stored = (own: Reconciling) =>
  [...own.store.documents.values()].flatMap(({ shardId, entries }) =>
    entries.map(({ data, ...entry }) => ({
      ...entry,
      shardId,
      record: Buffer.from(data, 'base64').toString(),
    })),
  );

describe('behind a refused row', () => {
  it('the record is read from the stream, byte for byte, with its partition key', async () => {
    const own = await world();
    await send(own, [idOf(3), idOf(1), 'their-own']);
    own.stream.shards.set(SHARD, [inStream(1), inStream(2), inStream(3)]);
    expect(await own.run()).toMatchObject({ stored: 3, complete: true });
    const [third, first, other] = stored(own);
    expect(third).toMatchObject({ record: written(3), partitionKey: 'key-3', arrivedAt: 1_770_000_003 });
    expect(first).toMatchObject({ record: written(1), partitionKey: 'key-1', sequenceNumber: at(1) });
    expect(first).not.toHaveProperty('processed');
    // Nothing says which record this was: what AEP has of it is to be looked at, and no more.
    expect(other).toMatchObject({ processed: true, shardId: 'unknown', partitionKey: '' });
    expect(other?.record).toBe(
      '{"_id":"their-own","person":{"gender":"female!","name":{"firstName":"Ana"}}}',
    );
    expect(own.stream.reads).toEqual([at(1)]);
  });

  it('it is the one that is meant among those of an aggregate', async () => {
    const own = await world();
    await send(own, [idOf(1, 1), idOf(1, 7)]);
    const parts = [0, 1, 2].map((n) => ({ key: `own-${n}`, data: Buffer.from(written(n)) }));
    own.stream.shards.set(SHARD, [inStream(1, aggregate(parts))]);
    await own.run();
    expect(stored(own)).toMatchObject([
      { record: written(1), partitionKey: 'own-1', subSequenceNumber: 1 },
      { processed: true, subSequenceNumber: 7 },
    ]);
  });

  it('it stays what AEP had where the stream does not have it any more', async () => {
    const own = await world();
    await send(own, [idOf(1), idOf(2)]);
    own.stream.shards.set(SHARD, [inStream(2)]);
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, sequenceNumber: at(1) }, { record: written(2) }]);
  });

  it('a pipeline that redacts keeps nothing else than what AEP had', async () => {
    const own = await world({ redact: [{ field: '/firstName', action: 'drop' }] });
    await send(own, [idOf(1)]);
    own.stream.shards.set(SHARD, [inStream(1)]);
    await own.run();
    expect(stored(own)).toMatchObject([{ processed: true, redacted: true }]);
    expect(own.stream.reads).toEqual([]);
  });

  it('no more than a few reads are made of the stream', async () => {
    const own = await world();
    const indexes = Array.from({ length: 20 }, (_, index) => index * 1_000);
    await send(
      own,
      indexes.map((index) => idOf(index)),
    );
    own.stream.shards.set(
      SHARD,
      indexes.flatMap((index) => Array.from({ length: 200 }, (_, n) => inStream(index + n))),
    );
    await own.run();
    expect(own.stream.reads).toHaveLength(5);
    expect(stored(own).filter(({ processed }) => processed === undefined)).toHaveLength(5);
  });
});

describe('what AEP had in place of the record', () => {
  it('is not sent again by redrive, and stays', async () => {
    const own = redriveWorld();
    const processed = entry(1, '{"_id":"mapped"}', { reason: 'refused-later', processed: true });
    await own.store(document([processed, entry(2, '{}', { reason: 'refused-later' })]));
    const answer = await own.run({ stream: 'customers', source: 'rejected' });
    expect(answer).toMatchObject({ delivered: 1, withheld: 1, complete: false });
    expect([...own.documents().values()].flatMap(({ entries }) => entries)).toEqual([processed]);
  });
});

describe('a stream that cannot be read', () => {
  const refusing = (own: Reconciling, code: 'AWS_UNAVAILABLE' | 'AWS_REFUSED') => {
    own.stream.pages = () => {
      throw new Failure(code, 'no');
    };
  };

  it('for now is waited for', async () => {
    const own = await world();
    await send(own, [idOf(1)]);
    own.stream.shards.set(SHARD, [inStream(1)]);
    const { pages } = own.stream;
    refusing(own, 'AWS_UNAVAILABLE');
    await expect(own.run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    own.stream.pages = pages;
    expect(await own.run()).toMatchObject({ stored: 1 });
    expect(stored(own)).toMatchObject([{ record: written(1) }]);
  });

  it('ever leaves what AEP had, and says so', async () => {
    const own = await world();
    await send(own, [idOf(1)]);
    refusing(own, 'AWS_REFUSED');
    expect(await own.run()).toMatchObject({ stored: 1, complete: true });
    expect(stored(own)).toMatchObject([{ processed: true }]);
    expect(own.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { code: 'AWS_REFUSED' } },
    ]);
  });
});
