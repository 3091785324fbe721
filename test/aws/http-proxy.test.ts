// B 6: the way to Adobe through a proxy: who is asked by way of it, who is not, and what becomes of a proxy that says no.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBounded } from '../../lib/aep/exchange.ts';
import { limited } from '../../lib/aws/client.ts';
import { createFetch } from '../../lib/aws/http.ts';
import { baseRuntime } from '../../lib/aws/runtimes/base.ts';
import { selfSigned } from '../support/certificate.ts';

const usual = getCACertificates('default');
const certificate = selfSigned();
const servers: Server[] = [];
const sockets = new Set<Socket>();
/** What the proxy was asked for, with the password it was told. */
let asked: { readonly to: string; readonly who: string | undefined }[] = [];
let answers = 200;
let [proxy, adobe, plain, aws] = ['', '', '', ''];

async function listen(server: Server, scheme = 'http'): Promise<string> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  setDefaultCACertificates([...usual, certificate.cert]);
  const tunnels = createServer((_, response) => response.writeHead(500).end('not by CONNECT'));
  tunnels.on('connect', (request, socket: Socket) => {
    asked.push({ to: request.url ?? '', who: request.headers['proxy-authorization'] });
    if (answers !== 200) return void socket.end(`HTTP/1.1 ${answers} No\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${request.url}`);
    const there = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    for (const one of [there, socket]) one.on('error', () => undefined);
    socket.once('close', () => there.destroy());
  });
  proxy = await listen(tunnels);
  adobe = await listen(
    createTlsServer(certificate, (_, response) => response.end('adobe')),
    'https',
  );
  plain = await listen(createServer((_, response) => response.end('plain')));
  aws = await listen(createServer((_, response) => response.end('{"SecretString":"aws"}')));
});
afterAll(() => {
  setDefaultCACertificates(usual);
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});
beforeEach(() => {
  asked = [];
  answers = 200;
});
afterEach(() => vi.unstubAllEnvs());

const get = async (fetch: ReturnType<typeof createFetch>, url: string) => {
  const { signal } = new AbortController();
  return (await readBounded(await fetch(url, { method: 'GET', headers: {}, redirect: 'manual', signal })))
    .text;
};
const hostOf = (url: string) => new URL(url).host;

describe('B 6: with a proxy', () => {
  it('Adobe is asked through a tunnel, which is kept, with the name and the password of its URL', async () => {
    const fetch = createFetch({ url: proxy.replace('//', '//me:fake-p%40ss@'), except: '' });
    for (let i = 0; i < 3; i++) expect(await get(fetch, `${adobe}/path`)).toBe('adobe');
    const who = `Basic ${Buffer.from('me:fake-p@ss').toString('base64')}`;
    expect(asked).toEqual([{ to: hostOf(adobe), who }]);
  });

  it.each([
    ['its address', '127.0.0.1'],
    ['its address and port', () => hostOf(adobe)],
    ['everybody', '*'],
    ['one of several', 'example.com, 127.0.0.1'],
  ])('a host that NO_PROXY lists is asked directly: by %s', async (_, except) => {
    const fetch = createFetch({ url: proxy, except: typeof except === 'string' ? except : except() });
    expect(await get(fetch, adobe)).toBe('adobe');
    expect(asked).toEqual([]);
  });

  it('a host that it lists otherwise is not: another port, part of a name', async () => {
    const fetch = createFetch({ url: proxy, except: '127.0.0.1:1,7.0.0.1,example.com' });
    expect(await get(fetch, adobe)).toBe('adobe');
    expect(asked).toHaveLength(1);
  });

  it('plain HTTP, which is this machine alone, goes past it', async () => {
    expect(await get(createFetch({ url: proxy, except: '' }), plain)).toBe('plain');
    expect(asked).toEqual([]);
  });

  it.each([403, 407, 502])('that says %i there is no answer, and no request', async (status) => {
    answers = status;
    await expect(get(createFetch({ url: proxy, except: '' }), adobe)).rejects.toThrow(/./);
    expect(asked).toHaveLength(1);
  });

  it('certificates are checked all the same', async () => {
    setDefaultCACertificates(usual);
    try {
      const asking = get(createFetch({ url: proxy, except: '' }), adobe);
      await expect(asking).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    } finally {
      setDefaultCACertificates([...usual, certificate.cert]);
    }
  });
});

describe('B 6: HTTPS_PROXY in the environment of a function', () => {
  it('is obeyed on the way to Adobe, with NO_PROXY', async () => {
    vi.stubEnv('HTTPS_PROXY', proxy);
    expect(await get(baseRuntime().fetch, adobe)).toBe('adobe');
    expect(asked).toHaveLength(1);
    vi.stubEnv('NO_PROXY', hostOf(adobe));
    expect(await get(baseRuntime().fetch, adobe)).toBe('adobe');
    expect(asked).toHaveLength(1);
  });

  it('is nothing to a client that was given none', async () => {
    vi.stubEnv('HTTPS_PROXY', proxy);
    expect(await get(createFetch(), adobe)).toBe('adobe');
    expect(asked).toEqual([]);
  });

  it.each(['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'])(
    'is nothing to AWS, whose endpoints are in the network: %s',
    async (name) => {
      vi.stubEnv(name, proxy);
      const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' };
      const own = { endpoint: aws, region: 'eu-west-1', credentials };
      const secrets = limited((config) => new SecretsManagerClient({ ...own, ...config }), {
        connectMs: 5_000,
        answerMs: 5_000,
      });
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'x' }));
      secrets.destroy();
      expect([SecretString, asked]).toEqual(['aws', []]);
    },
  );
});
