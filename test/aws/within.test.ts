import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, it, vi } from 'vitest';
import { createSecrets } from '../../lib/aws/secrets.ts';
import { within } from '../../lib/aws/within.ts';
import { turn } from '../support/eventually.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

it('a service that takes a request and never answers is given up, and is worth another try', async () => {
  let asked = Promise.withResolvers<void>();
  const server = createServer(() => asked.resolve());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const client = new SecretsManagerClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    maxAttempts: 2,
    requestHandler: within(HOUR_MS, HOUR_MS),
  });
  try {
    const read = expect(createSecrets(client).get('x')).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining('TimeoutError'),
    });
    await asked.promise;
    asked = Promise.withResolvers();
    vi.advanceTimersByTime(HOUR_MS);
    let there = false;
    void asked.promise.then(() => {
      there = true;
    });
    // The pause before the second try passes a millisecond a turn.
    for (let ms = 0; !there && ms < MINUTE_MS; ms++) {
      await turn();
      vi.advanceTimersByTime(1);
    }
    expect(there).toBe(true);
    vi.advanceTimersByTime(HOUR_MS);
    await read;
  } finally {
    vi.useRealTimers();
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
});

it('every client over HTTP/1.1 has such limits; that of Kinesis, and of logs that are searched, take their time', () => {
  const root = new URL('../../lib/aws/', import.meta.url);
  const made = globSync('*.ts', { cwd: root }).flatMap((file) =>
    Array.from(
      readFileSync(new URL(file, root), 'utf8').matchAll(/new (\w+Client)\(\{([^)]*)/g),
      ([, name, given = '']) => ({
        name,
        limited: /within\(|LIMITS/.test(given),
      }),
    ),
  );
  expect(made.length).toBeGreaterThan(8);
  const without = made.filter(({ limited }) => !limited).map(({ name }) => name);
  expect([...new Set(without)].toSorted()).toEqual(['CloudWatchLogsClient', 'KinesisClient']);
});
