import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Framed } from '../../../lib/forward/frame/framed.ts';
import { recordId } from '../../../lib/forward/read/record-id.ts';
import { batch } from '../../../lib/forward/send/batch.ts';
import { kinesisEvent, SHARD_ID, STREAM_ARN, seq, world } from '../../support/forwarding.ts';
import { acknowledgeBut, fakeInlet } from '../../support/inlet.ts';
import { document, entry, ON_FAILURE_KEY, onFailureDocument, redriveWorld } from '../../support/redriving.ts';

// A 2: a record that was written without a partition key is a record like any other, and so is one of which AWS leaves out what it may.

/** As in "AWS Lambda triggers": every field that a Kinesis event is known to have. */
const lambdaRecord = (index = 0, data = '{"n":1}') => ({
  kinesis: {
    kinesisSchemaVersion: '1.0',
    partitionKey: 'ana',
    sequenceNumber: seq(index),
    data: Buffer.from(data).toString('base64'),
    approximateArrivalTimestamp: 1_770_000_000.5,
    encryptionType: 'KMS',
  },
  eventSource: 'aws:kinesis',
  eventVersion: '1.0',
  eventID: `${SHARD_ID}:${seq(index)}`,
  eventName: 'aws:kinesis:record',
  invokeIdentityArn: 'arn:aws:iam::123456789012:role/penstock-dev-forward',
  awsRegion: 'eu-west-1',
  eventSourceARN: STREAM_ARN,
});

/** Every member of a value, however deep, by its path. Items of arrays stay. */
function pathsIn(value: unknown, above: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = [...above, name];
    return [...(Array.isArray(value) ? [] : [path]), ...pathsIn(inner, path)];
  });
}

/** A copy in which the member is `null`, or not there. */
function without(value: object, path: readonly string[], how: 'null' | 'absent'): object {
  const copy = structuredClone(value);
  const holder = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((at, name) => at[name] as never, copy as never);
  const last = path.at(-1) as string;
  if (how === 'null') holder[last] = null;
  else delete holder[last];
  return copy;
}

const ways = (value: object) =>
  pathsIn(value).flatMap((path) =>
    (['null', 'absent'] as const).map((how) => ({ path, how, name: `${path.join('.')} is ${how}` })),
  );

/** Nobody could say of which stream a record is, or give back its place, without these. */
const NEEDED = ['kinesis', 'kinesis.sequenceNumber', 'eventSourceARN'];

describe('A 2: of a record in Lambda’s event', () => {
  it.each(ways(lambdaRecord()))('$name', async ({ path, how }) => {
    const own = world();
    const Records = [lambdaRecord(1, '{"n":0}'), without(lambdaRecord(2), path, how)];
    const answer = own.forward(
      { Records },
      { remainingMs: () => 60_000, invocationId: '5a0c6a0e-0000-4000-8000-000000000000' },
    );
    if (NEEDED.includes(path.join('.'))) {
      await expect(answer).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      return;
    }
    expect(await answer).toEqual({ batchItemFailures: [] });
    const isData = path.join('.') === 'kinesis.data';
    expect(own.inlet.acknowledged).toEqual(isData ? ['{"n":0}'] : ['{"n":0}', '{"n":1}']);
    expect(own.reasons()).toEqual(isData ? ['empty'] : []);
  });
});

describe('A 2: of Lambda’s document of a batch that it discarded', () => {
  const whole = JSON.parse(
    onFailureDocument({ records: ['{"n":0}', '{"n":1}'], payload: 'object' }),
  ) as Record<string, unknown>;
  const { payload, ...about } = whole;
  const needed = ['version', 'timestamp', 'KinesisBatchInfo'].concat(
    ['shardId', 'startSequenceNumber', 'endSequenceNumber', 'streamArn'].map(
      (name) => `KinesisBatchInfo.${name}`,
    ),
  );

  const run = async (value: object) => {
    const own = redriveWorld();
    own.s3.objects.set(ON_FAILURE_KEY, JSON.stringify(value));
    own.stream.records.push(
      ...[0, 1].map((index) => ({
        sequenceNumber: seq(index),
        partitionKey: undefined,
        data: Buffer.from(`{"n":${index}}`),
        arrivedAt: undefined,
      })),
    );
    return { own, answer: await own.run({ source: 'on-failure' }) };
  };

  it.each(ways(about))('$name', async ({ path, how }) => {
    const { own, answer } = await run({ ...without(about, path, how), payload });
    const isNeeded = needed.includes(path.join('.'));
    expect(answer).toMatchObject({ delivered: isNeeded ? 0 : 2 });
    expect([...own.s3.objects.keys()]).toEqual(isNeeded ? [ON_FAILURE_KEY] : []);
  });

  it.each(['null', 'absent'] as const)('the payload is %s', async (how) => {
    const { own, answer } = await run(without(whole, ['payload'], how));
    expect(answer).toMatchObject({ complete: true, delivered: 2 });
    expect(own.s3.objects.size).toBe(0);
  });

  it.each(ways(lambdaRecord()).filter(({ path }) => !NEEDED.includes(path.join('.'))))(
    'in a record of its payload $name',
    async ({ path, how }) => {
      const Records = [lambdaRecord(0, '{"n":0}'), without(lambdaRecord(1), path, how)];
      const { answer } = await run({ ...about, payload: { Records } });
      const isData = path.join('.') === 'kinesis.data';
      expect(answer).toMatchObject({ delivered: isData ? 1 : 2, rejectedAgain: isData ? 1 : 0 });
    },
  );
});

describe('A 2: records without a partition key', () => {
  const keyless = (count: number, bytes = 0, key: unknown = null) => ({
    Records: kinesisEvent(
      Array.from({ length: count }, (_, n) => `{"n":${n},"x":"${'x'.repeat(bytes)}"}`),
    ).Records.map((record) => ({ ...record, kinesis: { ...(record.kinesis as object), partitionKey: key } })),
  });
  const context = { remainingMs: () => 60_000, invocationId: '5a0c6a0e-0000-4000-8000-000000000000' };

  it.each([null, undefined])(
    '(%s) all arrive, in several requests and beside others, and are accounted for',
    async (key) => {
      const own = world({ published: { records: { derive: ['_id'] } } });
      const { Records } = keyless(3_000, 1_000, key);
      const mixed = Records.map((record, at) =>
        at % 7 === 0 ? { ...record, kinesis: { ...record.kinesis, partitionKey: `key-${at % 5}` } } : record,
      );
      expect(await own.forward({ Records: mixed }, context)).toEqual({ batchItemFailures: [] });
      const ids = own.inlet.acknowledged.map((message) => (JSON.parse(message) as { _id: string })._id);
      expect(new Set(ids).size).toBe(3_000);
      expect(ids).toContain(recordId({ stream: 'customers', shardId: SHARD_ID, sequenceNumber: seq(2_999) }));
      expect(own.inlet.requests.length).toBeGreaterThan(3);
    },
  );

  it('are rejected without one, and are sent from there', async () => {
    const refusing = fakeInlet(acknowledgeBut(() => ({ statusCode: 400, message: 'no' })));
    const own = world({ inlet: refusing });
    await own.forward(keyless(1), context);
    const [stored] = own.store.documents;
    expect(stored?.entries).toMatchObject([{ reason: 'refused', sequenceNumber: seq(0) }]);
    expect(stored?.entries[0]).not.toHaveProperty('partitionKey');

    const again = redriveWorld();
    await again.store({ ...document([]), entries: stored?.entries ?? [] });
    expect(await again.run({ source: 'rejected' })).toMatchObject({ complete: true, delivered: 1 });
    expect(again.s3.objects.size).toBe(0);
  });

  it('are rejected without one where the pipeline redacts, and stay so where they are rejected again', async () => {
    const records = { redact: [{ field: '/mail', action: 'mask' as const }] };
    const refusing = () => fakeInlet(acknowledgeBut(() => ({ statusCode: 400, message: 'no' })));
    const own = world({ inlet: refusing(), published: { records } });
    await own.forward(keyless(1), context);
    const [stored] = own.store.documents;
    expect(stored?.entries[0]).toMatchObject({ redacted: true });
    expect(stored?.entries[0]).not.toHaveProperty('partitionKey');

    const again = redriveWorld({ inlet: refusing(), published: { records } });
    const key = await again.store({
      ...document([]),
      entries: stored?.entries ?? [],
      rules: stored?.rules ?? {},
    });
    expect(await again.run({ source: 'rejected' })).toMatchObject({ complete: true, rejectedAgain: 1 });
    expect(again.documents().get(key)?.entries[0]).not.toHaveProperty('partitionKey');
  });

  it('are sent again from the stream', async () => {
    const own = redriveWorld();
    own.stream.records.push(
      ...[0, 1, 2].map((index) => ({
        sequenceNumber: seq(index),
        partitionKey: undefined,
        data: Buffer.from(`{"n":${index}}`),
        arrivedAt: undefined,
      })),
    );
    const where = { sequence: { shardId: SHARD_ID, from: seq(0), to: seq(2) } };
    expect(await own.run({ source: 'stream', where })).toMatchObject({ complete: true, delivered: 3 });
  });

  it('that AEP refused later, and whose record the stream had, are no rows of 0.1.0', async () => {
    const own = redriveWorld({ published: { records: { redact: [{ field: '/mail', action: 'mask' }] } } });
    const { partitionKey: _, ...joined } = entry(1, '{"mail":"a","n":1}', { reason: 'refused-later' });
    await own.store(document([joined]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({
      complete: true,
      delivered: 1,
      withheld: 0,
    });
  });

  it('share no lane and wait for no other, while those with a key keep their order', () => {
    const message = fc.record({
      key: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      size: fc.integer({ min: 20, max: 400 }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (all, lanes, strict) => {
          const framed = all.map(({ key, size }, at): Framed => {
            const slab = Buffer.alloc(size);
            const own = { sequenceNumber: String(at), partitionKey: key, arrivedAt: 0, bytes: slab };
            return { message: own, slab, start: 0, end: size, size };
          });
          const made = batch(framed, { lanes, strict, maxBytes: 1_000 });
          expect(new Set(made.flat(2))).toEqual(new Set(framed));
          expect(made.flat(2)).toHaveLength(framed.length);
          for (const key of ['a', 'b']) {
            const of = (list: readonly Framed[]) => list.filter((one) => one.message.partitionKey === key);
            expect(of(made.flat(2))).toEqual(of(framed));
            expect(made.filter((lane) => of(lane.flat()).length > 0).length).toBeLessThan(2);
            if (strict) for (const request of made.flat()) expect(of(request).length).toBeLessThan(2);
          }
          const alone = framed.filter(({ message: { partitionKey } }) => partitionKey === undefined);
          const options = { lanes, maxBytes: 1_000 };
          expect(batch(alone, { ...options, strict: true })).toEqual(batch(alone, options));
          expect(batch(alone, options)).toHaveLength(Math.min(lanes, alone.length));
        },
      ),
    );
  });
});
