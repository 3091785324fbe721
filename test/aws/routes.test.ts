import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTableCall, type DynamoDbAccess, signed } from '../../lib/aws/dynamodb.ts';
import { createRoutes } from '../../lib/aws/routes.ts';
import { MAX_ROUTES_BYTES } from '../../lib/bounds.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { isSignedWith, signatureIn } from '../../local/aws/signature.ts';
import { json } from '../support/inlet.ts';
import { memoryRoutes } from '../support/routes.ts';

// The port against DynamoDB's protocol, beside the one in memory that other tests use.

const TABLE = 'pipelines';
let server: RunningServer;
let access: DynamoDbAccess;

beforeAll(async () => {
  server = await startDynamoDb({ tables: { [TABLE]: 'pipeline' } });
  access = {
    endpoint: server.endpoint,
    region: 'us-east-1',
    accessKeyId: 'local',
    secretAccessKey: 'fake-secret-key',
  };
});
afterAll(() => server.close());

const PORTS = {
  'in DynamoDB': () =>
    createRoutes(
      TABLE,
      createTableCall(() => access),
    ),
  'in memory': () => memoryRoutes(),
};

describe.each(Object.entries(PORTS))('issue 14 A 2: the list of routes %s', (_, port) => {
  it('is written once by writers that have read the same', async () => {
    const routes = port();
    const stream = `orders-${Math.random()}`;
    expect(await routes.read(stream)).toEqual({ value: undefined, version: undefined });
    const first = await Promise.all([1, 2, 3].map((n) => routes.write(stream, { n }, undefined)));
    expect(first.filter(Boolean)).toHaveLength(1);
    const { version } = await routes.read(stream);
    const second = await Promise.all([4, 5].map((n) => routes.write(stream, { n }, version)));
    expect(second.filter(Boolean)).toHaveLength(1);
    expect((await routes.read(stream)).value).toEqual({ n: 4 + second.indexOf(true) });
  });

  it('has another version after each write, also after it was removed and made again', async () => {
    const routes = port();
    const stream = `orders-${Math.random()}`;
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 3; n++) {
      const { version } = await routes.read(stream);
      expect(await routes.write(stream, { n: 1 }, version)).toBe(true);
      const written = (await routes.read(stream)).version;
      expect(seen.has(written)).toBe(false);
      seen.add(written);
      if (version !== undefined) expect(await routes.remove(stream, version)).toBe(false);
      expect(await routes.remove(stream, 'another')).toBe(false);
      expect(await routes.remove(stream, written)).toBe(true);
      expect(await routes.read(stream)).toEqual({ value: undefined, version: undefined });
    }
  });

  it('of one stream is not the list of another', async () => {
    const routes = port();
    await routes.write('a', { of: 'a' }, undefined);
    expect((await routes.read('b')).value).toBeUndefined();
  });
});

it('issue 14 A 1: a list beyond its bound is refused with its size', async () => {
  const routes = PORTS['in DynamoDB']();
  const value = { text: 'x'.repeat(MAX_ROUTES_BYTES) };
  await expect(routes.write('large', value, undefined)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

it('issue 14 A 2: without a table it says which setting is missing', async () => {
  const routes = createRoutes(
    undefined,
    createTableCall(() => access),
  );
  await expect(routes.read('a')).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
});

describe("a signed request of the project's own", () => {
  const of = (token?: string): DynamoDbAccess => ({
    ...access,
    endpoint: 'https://dynamodb.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
    accessKeyId: 'AKIAFAKEFAKEFAKEFAKE',
    sessionToken: token,
  });

  it.each([[undefined], ['fake-session-token']])(
    "has the SDK's signature (session token: %s)",
    async (token) => {
      const { region, accessKeyId, secretAccessKey } = of(token);
      let theirs: { headers: Record<string, string>; body: Uint8Array } | undefined;
      const client = new DynamoDBClient({
        region,
        credentials: { accessKeyId, secretAccessKey, ...(token !== undefined && { sessionToken: token }) },
        maxAttempts: 1,
        requestHandler: {
          handle: async (request: { headers: Record<string, string>; body: Uint8Array }) => {
            theirs = request;
            throw new Error('it is only looked at');
          },
        } as never,
      });
      await client
        .send(new GetItemCommand({ TableName: 't', Key: { pipeline: { S: 'k' } } }))
        .catch(() => undefined);
      if (theirs === undefined) throw new Error('the SDK asked for nothing');
      const body = Buffer.from(theirs.body);
      const at = String(theirs.headers['x-amz-date']);
      const now = new Date(at.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
      const ours = signed('GetItem', body.toString(), of(token), now);
      expect(ours['x-amz-date']).toBe(at);
      // The SDK signs more headers. By the rules of the signature, its own ones and ours are valid both.
      for (const headers of [theirs.headers, ours]) {
        const lower = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
        );
        const signature = signatureIn(lower.authorization);
        expect(signature).toMatchObject({ accessKeyId, region, service: 'dynamodb' });
        const request = { method: 'POST', url: '/', headers: lower, body };
        expect(signature && isSignedWith(secretAccessKey, signature, request)).toBe(true);
      }
    },
  );

  const answering = (...answers: (Response | Error)[]) => {
    let asked = 0;
    const fetch = async () => {
      const answer = answers[asked++];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked too often');
      return answer as never;
    };
    const clock = { now: () => 0, sleep: async () => undefined };
    return { call: createTableCall(() => access, fetch, clock), asked: () => asked };
  };
  const wrong = (status: number, type: string) => json(status, { __type: `com.amazonaws.dynamodb#${type}` });

  it('is sent again after an error that passes, three times at most', async () => {
    const passing = [new Error('reset'), wrong(500, 'InternalServerError'), json(200, { Item: {} })];
    const own = answering(...passing);
    expect(await own.call('reading', 'GetItem', {})).toEqual({ Item: {} });
    const never = answering(...Array.from({ length: 4 }, () => wrong(400, 'ThrottlingException')));
    await expect(never.call('reading', 'GetItem', {})).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(never.asked()).toBe(3);
    const away = answering(...Array.from({ length: 4 }, () => new Error('no route')));
    await expect(away.call('reading', 'GetItem', {})).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });

  it.each(['AccessDeniedException', 'ValidationException', 'ResourceNotFoundException'])(
    'is not sent again after %s',
    async (type) => {
      const own = answering(wrong(400, type));
      await expect(own.call('reading', 'GetItem', {})).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      expect(own.asked()).toBe(1);
    },
  );
});
