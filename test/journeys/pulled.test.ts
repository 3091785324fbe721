// A stream that Experience Platform reads by itself while its pipeline is made, killed, swapped and taken down, and records keep
// coming; and the account of what was put into it. All in one process, time of the provisioning being virtual.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlatformOptions } from '../../local/aep/platform.ts';
import { startServer } from '../../local/aep/server.ts';
import { createAccessKeys } from '../../local/aws/access-keys.ts';
import { type LocalKinesis, startKinesis } from '../../local/aws/kinesis.ts';
import { account } from '../../local/start/account.ts';
import { carryPulled } from '../../local/start/pulled.ts';
import type { Stack } from '../../local/start/stack.ts';
import { createWitness } from '../../local/start/witness.ts';
import type { Intercept } from '../support/chaos.ts';
import { type RunOptions, world } from '../support/provisioning.ts';
import { PULLED } from '../support/scenarios.ts';
import { clientOf } from '../support/streams.ts';

const KEY = { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: 'fake-secret-key' };
const OLD = 'commerce.purchases';
const NEW = 'commerce.checkouts';

const keys = createAccessKeys();
let kinesis: LocalKinesis;
let client: KinesisClient;

const giveKey = () =>
  keys.put({ ...KEY, user: 'aep', statements: [{ actions: ['kinesis:*'], resources: ['*'] }] });

beforeAll(async () => {
  kinesis = await startKinesis({ keys });
  giveKey();
  client = clientOf(kinesis);
});
afterAll(async () => {
  client.destroy();
  await kinesis.close();
});

interface Row {
  readonly _id: string;
  readonly eventType: string;
}

let worlds = 0;

/** A world whose platform reads a stream of its own, in which a record comes and is looked for before each call that is made. */
async function begin(startAt: 'earliest' | 'now', options: PlatformOptions = {}) {
  const stream = `orders-${++worlds}`;
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
  const own = world({ kinesis: kinesis.endpoint, pullMs: 3_600_000, ...options });
  own.secrets.values.set('penstock/dev/sources/orders-kinesis', JSON.stringify(KEY));
  const source = { ...(PULLED.source as object), stream, startAt };
  const manifest = { ...PULLED, source };
  const mapping = PULLED.mapping.map((one) =>
    'destination' in one && one.destination === 'eventType' ? { ...one, expression: `"${NEW}"` } : one,
  );
  let put = 0;
  const comes = async () => {
    const id = `o-${put++}`;
    const order = { orderId: id, placedAt: '2026-02-13T08:15:30Z', total: {} };
    const Data = Buffer.from(JSON.stringify(order));
    await client.send(new PutRecordsCommand({ StreamName: stream, Records: [{ Data, PartitionKey: id }] }));
    await own.platform.readStreams();
    return id;
  };
  const intercept: Intercept = async (call, proceed) => {
    if (call.kind === 'aep') await comes();
    return proceed();
  };
  const rows = () =>
    [...(own.platform.state.sandboxes.get('dev1')?.batches.values() ?? [])].flatMap(
      (batch) => batch.rows as unknown as Row[],
    );
  return {
    own,
    manifest,
    swapped: { ...manifest, mapping },
    comes,
    run: (input: Record<string, unknown>, more: RunOptions = {}) => own.run(input, { intercept, ...more }),
    ids: (type: string) =>
      rows()
        .filter(({ eventType }) => eventType === type)
        .map(({ _id }) => _id),
    all: () => Array.from({ length: put }, (_, number) => `o-${number}`),
    end: () => own.platform.close(),
  };
}

/** Deaths of the steps that a swap goes through. */
const DEATHS: readonly [string, RunOptions][] = [
  ['nothing', {}],
  ['the death of the step that makes the source connection', { kill: 'sourceConnection' }],
  ['the death of the step that stops the old flow and makes the new one', { kill: 'flow' }],
  ['the death of the step that removes the old flow', { kill: 'retire' }],
];

describe('a stream that AEP reads by itself', () => {
  it.each(DEATHS)(
    '12 A: is missed nothing of by a swap, and read twice as plan foretold, through %s',
    async (_, death) => {
      const it_ = await begin('earliest');
      try {
        expect((await it_.run({ manifest: it_.manifest })).status).toBe('SUCCEEDED');
        await it_.comes();
        const before = it_.all();
        expect(it_.ids(OLD)).toEqual(before);
        const { status, document } = await it_.run({ manifest: it_.swapped }, death);
        expect(status).toBe('SUCCEEDED');
        expect(document.warnings.join()).toContain('what the old one has read is read twice');
        await it_.comes();
        // From the oldest record on, each once.
        expect(it_.ids(NEW)).toEqual(it_.all());
        // The old one read on until it was stopped, each once, and nothing since.
        const byOld = it_.ids(OLD);
        expect(byOld).toEqual(it_.all().slice(0, byOld.length));
        expect(byOld.length).toBeGreaterThan(before.length);
        expect(byOld.length).toBeLessThan(it_.all().length - 1);
        expect(it_.own.platform.sources()).toMatchObject([
          { flowId: document.resources.flow?.id, state: 'reading', dropped: 0 },
        ]);
      } finally {
        it_.end();
      }
    },
  );

  it('12 A: is read by what a killed execution left, once the next one has made it whole', async () => {
    const it_ = await begin('earliest');
    try {
      const [fault] = [{ k: 20, mode: 'killed', after: 'abort' } as const];
      const killed = await it_.run({ manifest: it_.manifest }, { fault });
      expect(killed.status).toBe('ABORTED');
      expect((await it_.run({ manifest: it_.manifest })).status).toBe('SUCCEEDED');
      await it_.comes();
      expect(it_.ids(OLD)).toEqual(it_.all());
    } finally {
      it_.end();
    }
  });

  it('12 A: that starts now lands from the moment on when the flow is warm, and a swap reads what was lost before', async () => {
    const it_ = await begin('now');
    try {
      expect((await it_.run({ manifest: it_.manifest })).status).toBe('SUCCEEDED');
      const [first] = [await it_.comes(), await it_.comes()];
      const read = it_.ids(OLD);
      expect(read).toContain(first);
      expect(read).toEqual(it_.all().slice(-read.length));
      expect(read.length).toBeLessThan(it_.all().length);
      expect((await it_.run({ manifest: it_.swapped })).status).toBe('SUCCEEDED');
      await it_.comes();
      expect(it_.ids(NEW)).toEqual(it_.all());
    } finally {
      it_.end();
    }
  });

  it('12 A: is not read any more once its pipeline is retired', async () => {
    const it_ = await begin('earliest');
    try {
      await it_.run({ manifest: it_.manifest });
      await it_.comes();
      expect((await it_.run({ manifest: it_.manifest, mode: 'retire' })).status).toBe('SUCCEEDED');
      const read = it_.ids(OLD).length;
      await it_.comes();
      expect(it_.ids(OLD)).toHaveLength(read);
      expect(it_.own.platform.sources()).toEqual([]);
    } finally {
      it_.end();
    }
  });
});

const order = (number: number, more: object = {}) => ({
  number,
  bytes: Buffer.from(
    JSON.stringify({ orderId: `o-${number}`, placedAt: '2026-02-13T08:15:30Z', channel: 'WEB', ...more }),
  ),
});

const quiet = () => undefined;

describe('what is put into such a stream', () => {
  it('12 A: ends in rows and in the account of an inlet, and a key that was taken back in the reason of the flow', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    const witness = createWitness();
    const it_ = await begin('now', { pullMs: 20, onReceived: witness.see });
    const { document } = await it_.own.run({ manifest: it_.manifest });
    const server = await startServer({ port: 0, platform: it_.own.platform });
    const stack = {
      platform: server,
      witness,
      deadLettersFolder: folder,
      kinesisIn: () => client,
    } as unknown as Stack;
    try {
      const lines = [
        order(1),
        { number: 2, bytes: Buffer.from('{"broken') },
        order(3, { channel: 'space' }),
        { number: 5, bytes: Buffer.from('["no object"]') },
        order(6),
        order(6),
      ];
      const { written, reading } = await carryPulled(stack, document, lines, quiet);
      const counted = await account(stack, written);
      expect(counted).toMatchObject({
        complete: true,
        produced: 6,
        received: 4,
        landed: 3,
        refusedLater: 1,
        lost: 0,
        missing: [],
        rejected: [],
      });
      expect(counted.dropped.map(({ line }) => line)).toEqual([2, 5]);
      expect(it_.ids(OLD).sort()).toEqual(['o-1', 'o-6', 'o-6']);
      expect(reading).toMatchObject({ kind: 'kinesis', place: expect.stringContaining('in eu-west-1') });
      // A line that nobody has read is missing.
      const nowhere = [{ sent: ['unknown'], filtered: 0, rejected: 0 }];
      const more = {
        lineOf: new Map([...written.lineOf, ['nowhere', 7]]),
        expected: new Map([...written.expected]).set('nowhere', nowhere),
      };
      expect(await account(stack, { ...written, ...more })).toMatchObject({ complete: false, missing: [7] });
      keys.remove(KEY.accessKeyId);
      const ended = carryPulled(stack, document, [order(8)], quiet);
      await expect(ended).rejects.toThrow(/does not read stream orders.*UnrecognizedClientException/);
    } finally {
      giveKey();
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
});
