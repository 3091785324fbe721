// The samples of sources that are played here, from their manifests to rows and the account: `npm start` without its processes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startServer } from '../../../local/aep/server.ts';
import { account } from '../../../local/start/account.ts';
import { carryPulled, isSamePlace } from '../../../local/start/pulled.ts';
import { linesOf as fileLines } from '../../../local/start/records.ts';
import { showAccount } from '../../../local/start/report.ts';
import { recordsFor } from '../../../local/start/sample-files.ts';
import type { Stack } from '../../../local/start/stack.ts';
import { createWitness } from '../../../local/start/witness.ts';
import { world } from '../../support/provisioning.ts';
import { shown } from '../../support/shown.ts';

const SECRETS = {
  'clicks-event-hubs': { sasKeyName: 'fake', sasKey: 'fake' },
  'loyalty-pubsub': { type: 'service_account', client_email: 'fake@example.com', private_key: 'fake' },
} as const;

const read = async (file: string) =>
  JSON.parse(await readFile(new URL(`../../../examples/${file}.json`, import.meta.url), 'utf8'));

const linesOf = (records: readonly object[]) =>
  records.map((record, index) => ({ number: index + 1, bytes: Buffer.from(JSON.stringify(record)) }));

it('12 A: what a changed pipeline reads once more is counted as copies, and is accounted for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const witness = createWitness();
  const own = world({ onReceived: witness.see });
  const { $schema: _, ...manifest } = await read('clicks-event-hubs');
  own.secrets.values.set(manifest.source.credentials, JSON.stringify(SECRETS['clicks-event-hubs']));
  const { document } = await own.run({ manifest });
  const server = await startServer({ port: 0, platform: own.platform });
  const stack = { platform: server, witness, deadLettersFolder: folder } as unknown as Stack;
  try {
    const samples: { record: object }[] = await read('clicks-event-hubs.samples');
    const lines = linesOf([...samples.map(({ record }) => record), []]);
    const changed = { ...manifest, mapping: manifest.mapping.slice(0, -1) };
    const swap = async () => (await own.run({ manifest: changed })).document;
    const { written } = await carryPulled(stack, document, lines, () => undefined, swap);
    expect(await account(stack, written)).toMatchObject({
      complete: true,
      produced: 3,
      received: 4,
      copies: 2,
      landed: 4,
      dropped: [{ line: 3 }],
    });
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
});

it('12 A: a change has to read from the same place', async () => {
  const source = async (file: string) => (await read(file)).source;
  const [stream, hub, members] = await Promise.all(
    ['orders-kinesis', 'clicks-event-hubs', 'loyalty-pubsub'].map(source),
  );
  for (const one of [stream, hub, members]) expect(isSamePlace(one, { ...one, data: 'xdm' })).toBe(true);
  expect(isSamePlace(stream, { ...stream, region: 'us-east-1' })).toBe(false);
  expect(isSamePlace(hub, { ...hub, namespace: 'another' })).toBe(false);
  expect(isSamePlace(members, { ...members, subscription: 'another' })).toBe(false);
  expect(isSamePlace(stream, hub)).toBe(false);
});

it.each(Object.entries(SECRETS))(
  '12 A: records of %s end in rows, and each is accounted for',
  async (name, secret) => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    const witness = createWitness();
    const own = world({ onReceived: witness.see });
    const { $schema: _, ...manifest } = await read(name);
    own.secrets.values.set(manifest.source.credentials, JSON.stringify(secret));
    const { status, document } = await own.run({ manifest });
    expect(status).toBe('SUCCEEDED');
    const server = await startServer({ port: 0, platform: own.platform });
    const stack = { platform: server, witness, deadLettersFolder: folder } as unknown as Stack;
    try {
      const samples: { record: object }[] = await read(`${name}.samples`);
      const lines = samples.map(({ record }, index) => ({
        number: index + 1,
        bytes: Buffer.from(JSON.stringify(record)),
      }));
      lines.push(
        { number: 3, bytes: Buffer.from('no JSON') },
        { number: 4, bytes: Buffer.alloc(6_000_000, 'x') },
      );
      const { written, reading } = await carryPulled(stack, document, lines, () => undefined);
      const counted = await account(stack, written);
      expect(counted).toMatchObject({
        complete: true,
        produced: 4,
        received: 2,
        landed: 2,
        dropped: [{ line: 3 }],
        unsent: [{ line: 4 }],
        missing: [],
      });
      const told = await shown((output) =>
        showAccount(output, {
          pipeline: document,
          account: counted,
          by: { reading },
          rows: [],
          later: [],
          list: undefined,
          losses: [],
        }),
      );
      expect(told).toContain('2 accepted, 0 rejected, 1 dropped, 1 not sent; of the accepted 2 landed');
      expect(told).toContain('which the simulated platform plays');
      expect(told).toContain('line 3: dropped: not a JSON object');
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  },
);

/** What becomes of the sample records of each example: rows, refused later, and lines that are no JSON object. */
const SAMPLES = {
  'clicks-event-hubs': { landed: 6, refusedLater: 1, dropped: 6 },
  'loyalty-pubsub': { landed: 4, refusedLater: 2, dropped: 6 },
} as const;

it.each(Object.entries(SAMPLES))(
  '12 A: the sample records that npm start sends for %s end in rows, and each is accounted for',
  async (name, { landed, refusedLater, dropped }) => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    const witness = createWitness();
    const own = world({ onReceived: witness.see });
    const { $schema: _, ...manifest } = await read(name);
    own.secrets.values.set(
      manifest.source.credentials,
      JSON.stringify(SECRETS[name as keyof typeof SECRETS]),
    );
    const { document } = await own.run({ manifest });
    const server = await startServer({ port: 0, platform: own.platform });
    const stack = { platform: server, witness, deadLettersFolder: folder } as unknown as Stack;
    try {
      const file = recordsFor(fileURLToPath(new URL(`../../../examples/${name}.json`, import.meta.url)));
      const { written } = await carryPulled(stack, document, fileLines(file ?? ''), () => undefined);
      const counted = await account(stack, written);
      expect(counted).toMatchObject({
        complete: true,
        landed,
        missing: [],
        unsent: [],
        dropped: [{ line: dropped }],
      });
      expect(counted.refusedLater).toBe(refusedLater);
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  },
);
