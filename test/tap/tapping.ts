// A world with a stream that tap reads: pipelines are provisioned in it, and records come to it.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { plainStep } from '../../lib/provision/steps/step.ts';
import type { StreamRecord } from '../../lib/runtime.ts';
import { type TapAnswer, type TappedMessage, tap } from '../../lib/tap/tap.ts';
import { world } from '../support/provisioning.ts';

const FIRST = 49590338271490256608559692538361571095921575989136588898n;

const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8')) as {
    source: object;
  };

export async function tapping(shards = ['shardId-000000000000']) {
  const own = world();
  const kept = new Map<string, StreamRecord[]>(shards.map((id) => [id, []]));
  let count = 0n;
  const stream: Parameters<typeof tap>[1]['stream'] = {
    shards: async () => [...kept.keys()],
    async *pages(_, shardId, from) {
      const all = kept.get(shardId) ?? [];
      const isNext = ({ sequenceNumber, arrivedAt = 0 }: StreamRecord) =>
        from.kind === 'time'
          ? arrivedAt * 1_000 >= from.time
          : BigInt(sequenceNumber) > BigInt(from.sequenceNumber);
      yield { records: all.filter(isNext), last: true };
    },
  };
  const step = plainStep('tap', () => ({ ...own.runtime, stream }), tap);
  const ask = async (more: object = {}, pipeline = 'customer-profiles') =>
    (await step({ pipeline, ...more })) as TapAnswer;
  return {
    ...own,
    ask,
    step,
    /** Provisions the sample under another name, and with these rules for its records. */
    async provision(more: { name?: string; records?: object; sample?: string } = {}) {
      const manifest = sample(more.sample ?? 'customer-profiles');
      const { name = 'customer-profiles', records } = more;
      const source = { ...manifest.source, stream: 'customers', ...(records && { records }) };
      const { document, cause } = await own.run({ manifest: { ...manifest, name, source } });
      expect(document?.report?.outcome, cause).toBe('succeeded');
      // A route takes what comes from a time on that lies ahead.
      own.time.now += 3_600_000;
    },
    /** A record comes. */
    put(data: string | Uint8Array, shardId = shards[0] ?? ''): string {
      const sequenceNumber = String(FIRST + count++);
      own.time.now += 10;
      const arrivedAt = own.time.now / 1_000;
      kept.get(shardId)?.push({ sequenceNumber, partitionKey: 'k', data: Buffer.from(data), arrivedAt });
      return sequenceNumber;
    },
    /** What the inlet was asked, by anybody. */
    sentToInlet: () => own.platform.journal.entries().filter(({ path }) => path.includes('/collection/')),
    /** Begins, lets the records come, and looks. */
    async looked(come: () => void, more: object = {}, pipeline?: string) {
      own.time.now += 10;
      const { continue: begun } = await ask({}, pipeline);
      own.time.now += 10;
      come();
      return ask({ continue: begun, ...more }, pipeline);
    },
  };
}

export const told = (messages: readonly TappedMessage[]) =>
  messages.map(({ outcome, reason }) => (reason === undefined ? outcome : `${outcome} ${reason}`));
