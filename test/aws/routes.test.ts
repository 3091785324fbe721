import { Readable } from 'node:stream';
import { DynamoDBClient, type DynamoDBClientConfig, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { type HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessFrom, createTableCall, type DynamoDbAccess, signed } from '../../lib/aws/dynamodb.ts';
import { createRoutes } from '../../lib/aws/routes.ts';
import { MAX_ROUTES_BYTES } from '../../lib/bounds.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { isSignedWith, signatureIn } from '../../local/aws/signature.ts';
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

/** One of each partition, and one that the SDK does not know yet. */
const REGIONS = [
  'eu-west-1',
  'cn-north-1',
  'us-gov-west-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
  'eusc-de-east-1',
  'eu-nowhere-9',
];

/** What the SDK's client would send. */
async function requestOfTheSdk(config: DynamoDBClientConfig): Promise<HttpRequest> {
  let request: HttpRequest | undefined;
  const client = new DynamoDBClient({
    accountIdEndpointMode: 'disabled',
    maxAttempts: 1,
    requestHandler: {
      handle: async (asked: HttpRequest) => {
        request = asked;
        throw new Error('it is only looked at');
      },
    } as never,
    ...config,
  });
  await client
    .send(new GetItemCommand({ TableName: 't', Key: { pipeline: { S: 'k' } } }))
    .catch(() => undefined);
  if (request === undefined) throw new Error('the SDK asked for nothing');
  return request;
}

const hostOfTheSdk = async (config: DynamoDBClientConfig) =>
  (await requestOfTheSdk({ ...config, credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' } }))
    .hostname;

describe("a request to DynamoDB without the SDK's client", () => {
  const of = (token?: string): DynamoDbAccess => ({
    ...access,
    endpoint: 'https://dynamodb.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
    accessKeyId: 'AKIAFAKEFAKEFAKEFAKE',
    ...(token !== undefined && { sessionToken: token }),
  });

  it.each([[undefined], ['fake-session-token']])(
    "has the SDK's signature (session token: %s)",
    async (token) => {
      const { region, accessKeyId, secretAccessKey } = of(token);
      const theirs = await requestOfTheSdk({
        region,
        credentials: { accessKeyId, secretAccessKey, ...(token !== undefined && { sessionToken: token }) },
      });
      const body = Buffer.from(theirs.body);
      const at = String(theirs.headers['x-amz-date']);
      const now = new Date(at.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
      const { headers: ours } = await signed('GetItem', body.toString(), of(token), now);
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

  const answering = (...answers: (HttpResponse | Error)[]) => {
    let asked = 0;
    const signatures: string[] = [];
    const handle = async ({ headers }: HttpRequest) => {
      signatures.push(headers.authorization ?? '');
      const response = answers[asked++];
      if (response === undefined || response instanceof Error) throw response ?? new Error('asked too often');
      return { response };
    };
    const clock = { now: () => asked * 60_000, sleep: async () => undefined };
    return { call: createTableCall(() => access, { handle }, clock), asked: () => asked, signatures };
  };
  const json = (statusCode: number, value: object) =>
    new HttpResponse({ statusCode, body: Readable.from([Buffer.from(JSON.stringify(value))]) });
  const wrong = (status: number, type: string, rest = {}) =>
    json(status, { __type: `com.amazonaws.dynamodb#${type}`, ...rest });
  const network = (code: string) => Object.assign(new Error('no route'), { code });

  it('is sent again after an error that passes, three times at most', async () => {
    const passing = [network('ECONNRESET'), wrong(500, 'InternalServerError'), json(200, { Item: {} })];
    const own = answering(...passing);
    expect(await own.call('reading', 'GetItem', {})).toEqual({ Item: {} });
    const never = answering(...Array.from({ length: 4 }, () => wrong(400, 'ThrottlingException')));
    await expect(never.call('reading', 'GetItem', {})).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(never.asked()).toBe(3);
    const away = answering(...Array.from({ length: 4 }, () => network('EHOSTUNREACH')));
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

  it('is sent again, with a new signature, after one that expired in a frozen container', async () => {
    const expired = { message: 'Signature expired: 20261128T210000Z is now earlier than 20261128T211000Z' };
    const own = answering(wrong(400, 'InvalidSignatureException', expired), json(200, { Item: {} }));
    expect(await own.call('reading', 'GetItem', {})).toEqual({ Item: {} });
    expect(new Set(own.signatures).size).toBe(2);
  });

  it.each(REGIONS)(
    'to %s goes where the SDK sends it, with and without FIPS and dual stack',
    async (region) => {
      for (const [fips, dual] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        const theirs = await hostOfTheSdk({ region, useFipsEndpoint: fips, useDualstackEndpoint: dual });
        const { endpoint } = accessFrom({
          AWS_REGION: region,
          AWS_USE_FIPS_ENDPOINT: String(fips),
          AWS_USE_DUALSTACK_ENDPOINT: String(dual),
        });
        expect(endpoint, `FIPS ${fips}, dual stack ${dual}`).toBe(`https://${theirs}`);
      }
    },
  );

  it('goes to the endpoint that the environment names, unless that is to be ignored', () => {
    const all = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://all.example' };
    expect(accessFrom(all).endpoint).toBe('http://all.example');
    const own = { ...all, AWS_ENDPOINT_URL_DYNAMODB: 'http://own.example:8000' };
    expect(accessFrom(own).endpoint).toBe('http://own.example:8000');
    expect(accessFrom({ ...own, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }).endpoint).toBe(
      'https://dynamodb.eu-west-1.amazonaws.com',
    );
  });
});
