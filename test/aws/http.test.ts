import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exchange, MAX_ANSWER_BYTES, readBounded } from '../../lib/aep/exchange.ts';
import { type FetchAnswer, type FetchInit, systemClock } from '../../lib/aep/transport.ts';
import { createFetch } from '../../lib/aws/http.ts';
import { MAX_AT_ONCE } from '../../lib/forward/send/limits.ts';
import { selfSigned } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';

/** In ms: a limit that nothing here comes near. */
const FAR = 3_600_000;

const servers: NetServer[] = [];
const sockets = new Set<Socket>();
/** Connections that the servers of a test were asked for. */
let connections = 0;

beforeEach(() => {
  connections = 0;
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: NetServer, scheme = 'http'): Promise<string> {
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    // A client that gives up tears its connection down, whatever is still on its way to it.
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
}

const serve = (listener: RequestListener) => listen(createServer(listener));
/** A server that says these bytes to whoever connects, and nothing more. */
const speak = (bytes: string) => listen(createTcpServer((socket) => void socket.resume().write(bytes)));

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}

function post(more: Partial<FetchInit> = {}): FetchInit {
  return {
    method: 'POST',
    headers: {},
    redirect: 'manual',
    body: 'body',
    signal: new AbortController().signal,
    ...more,
  };
}

const read = async (answer: FetchAnswer) => (await readBounded(answer)).text;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing was thrown',
    (error: NodeJS.ErrnoException) => error.code ?? error.name,
  );

describe('a request', () => {
  it('carries method, path, headers and the bytes of the body, with their length', async () => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      const { 'x-one': one, 'content-length': length } = request.headers;
      seen.push(request.method, request.url, one, length, await bodyOf(request));
      response.end('ok');
    });
    const body = Buffer.from('{"ü":1}');
    const answer = await createFetch()(`${url}?a=b%20c`, post({ body, headers: { 'x-one': '1' } }));
    expect([answer.status, await read(answer)]).toEqual([200, 'ok']);
    expect(seen).toEqual(['POST', '/path?a=b%20c', '1', '8', '{"ü":1}']);
  });

  it.each(['DELETE', 'PATCH', 'PUT'])('says the length of the body of a %s, and sends it', async (method) => {
    const url = await serve(async (request, response) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
      response.end(JSON.stringify([length, encoding, await bodyOf(request)]));
    });
    const answer = await createFetch()(url, post({ method }));
    expect(JSON.parse(await read(answer))).toEqual(['4', null, 'body']);
  });

  it('has no body where there is none, and asks for an answer that is not packed', async () => {
    const url = await serve((request, response) => {
      response.end(JSON.stringify([request.headers['content-length'], request.headers['accept-encoding']]));
    });
    const { body: _, ...rest } = post({ method: 'GET' });
    expect(JSON.parse(await read(await createFetch()(url, rest)))).toEqual([null, 'identity']);
  });
});

describe('an answer', () => {
  it('has its headers whatever their case, several of one name as one', async () => {
    const url = await serve((_, response) => {
      response.writeHead(207, [
        ['X-Request-Id', 'id'],
        ['Set-Cookie', 'a'],
        ['Set-Cookie', 'b'],
      ]);
      response.end();
    });
    const { status, headers } = await createFetch()(url, post());
    const found = ['x-request-id', 'X-REQUEST-ID', 'set-cookie', 'retry-after'].map((name) =>
      headers.get(name),
    );
    expect([status, ...found]).toEqual([207, 'id', 'id', 'a, b', null]);
  });

  it.each([301, 302, 303, 307, 308])(
    'that is a %i is the answer: no other place is asked',
    async (status) => {
      let elsewhere = 0;
      const other = await serve((_, response) => {
        elsewhere++;
        response.end();
      });
      const url = await serve((_, response) => response.writeHead(status, { location: other }).end());
      const answer = await createFetch()(url, post());
      await read(answer);
      expect([answer.status, answer.headers.get('location'), elsewhere]).toEqual([status, other, 0]);
    },
  );

  it('is not read beyond its bound, and its connection is let go', async () => {
    const url = await serve((_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(1 << 20, 'a')));
      };
      response.on('drain', more);
      more();
    });
    const { text, cut } = await readBounded(await createFetch()(url, post()));
    expect([text.length <= MAX_ANSWER_BYTES, cut]).toEqual([true, true]);
    await eventually(() => sockets.size).toBe(0);
  });

  it('may come before the body has been sent', async () => {
    const url = await serve((_, response) => response.writeHead(413).end('too large'));
    const answer = await createFetch()(url, post({ body: Buffer.alloc(200_000) }));
    expect([answer.status, await read(answer)]).toEqual([413, 'too large']);
  });
});

describe('connections', () => {
  it('are kept: requests one after the other take one', async () => {
    const url = await serve((_, response) => response.end('ok'));
    const fetch = createFetch();
    for (let i = 0; i < 5; i++) await read(await fetch(url, post()));
    expect(connections).toBe(1);
  });

  it('are as many as allowed, and further requests wait for one', async () => {
    const held: ServerResponse[] = [];
    let received = 0;
    const url = await serve((_, response) => {
      received++;
      held.push(response);
      // Three are answered together, and the last one by itself: further connections would have come long before.
      if (held.length === 3 || received === 10) for (const one of held.splice(0)) one.end('ok');
    });
    const fetch = createFetch(undefined, { connections: 3, idleMs: FAR, connectMs: FAR });
    const texts = Array.from({ length: 10 }, async () => read(await fetch(url, post())));
    expect(await Promise.all(texts)).toEqual(Array.from({ length: 10 }, () => 'ok'));
    expect([connections, received]).toEqual([3, 10]);
  });

  it('are more than the requests to one inlet: where it does not answer, another one does', async () => {
    const held: ServerResponse[] = [];
    const url = await serve(({ url: path }, response) =>
      path === '/other' ? response.end('ok') : held.push(response),
    );
    const fetch = createFetch();
    const waiting = Array.from({ length: MAX_AT_ONCE }, async () => read(await fetch(url, post())));
    await eventually(() => held.length).toBe(MAX_AT_ONCE);
    expect(await read(await fetch(new URL('/other', url).href, post()))).toBe('ok');
    for (const one of held) one.end('late');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['late']));
  });

  it('are closed when nobody has needed them for a while', async () => {
    const url = await serve((_, response) => response.end('ok'));
    const fetch = createFetch(undefined, { connections: 1, idleMs: 50, connectMs: FAR });
    await read(await fetch(url, post()));
    await eventually(() => sockets.size).toBe(0);
    expect(await read(await fetch(url, post()))).toBe('ok');
    expect(connections).toBe(2);
  });

  it('are not taken for idle while an answer is awaited', async () => {
    const held = Promise.withResolvers<ServerResponse>();
    const url = await serve((_, response) => held.resolve(response));
    const other = await serve((_, response) => response.end('ok'));
    const fetch = createFetch(undefined, { connections: 1, idleMs: 30, connectMs: FAR });
    const awaited = fetch(url, post());
    const response = await held.promise;
    // Another one was used later, and is closed for being idle: so much time has passed.
    await read(await fetch(other, post()));
    await eventually(() => sockets.size).toBe(1);
    response.end('late');
    expect(await read(await awaited)).toBe('late');
    expect(connections).toBe(2);
  });

  it('that the server said it would close are not used again', async () => {
    const url = await serve((_, response) => response.writeHead(200, { connection: 'close' }).end('ok'));
    const fetch = createFetch();
    for (let i = 0; i < 3; i++) await read(await fetch(url, post()));
    expect(connections).toBe(3);
  });

  it('that died while nobody used them cost one attempt, which is reported and not repeated', async () => {
    let received = 0;
    // Silently: the client learns of it when it writes, as after a container was frozen.
    const server = createTcpServer((socket) => {
      let requests = 0;
      socket.on('data', () => {
        received++;
        if (requests++ > 0) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const url = await listen(server);
    const transport = { fetch: createFetch(), clock: systemClock, random: Math.random };
    const request = { method: 'POST', url, headers: {}, body: 'b', timeoutMs: FAR, label: 'POST /x' };
    expect(await exchange(transport, request)).toMatchObject({ status: 200, text: 'ok' });
    await expect(exchange(transport, request)).rejects.toMatchObject({
      code: 'AEP_UNREACHABLE',
      retryable: true,
      inDoubt: true,
      message: expect.stringContaining('ECONNRESET'),
    });
    expect(received).toBe(2);
    expect(await exchange(transport, request)).toMatchObject({ status: 200, text: 'ok' });
    expect([received, connections]).toEqual([3, 2]);
  });
});

describe('A 9 (d): what nobody has asked for', () => {
  const one = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  const TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';
  /** Answers each request by its number, and says more to the first one's connection. */
  const overspeaking = async (more: (socket: Socket) => void, together = '') => {
    let requests = 0;
    return listen(
      createTcpServer((socket) => {
        socket.on('data', () => {
          requests++;
          socket.write(one(`answer ${requests}`) + (requests === 1 ? together : ''));
          if (requests === 1) more(socket);
        });
      }),
    );
  };
  const fetchOne = () => createFetch(undefined, { connections: 1, idleMs: FAR, connectMs: FAR });

  it('comes with the answer: it is no answer to the next request, and the connection is closed', async () => {
    const url = await overspeaking(() => undefined, one('not asked'));
    const fetch = fetchOne();
    expect(await read(await fetch(url, post()))).toBe('answer 1');
    expect(await read(await fetch(url, post()))).toBe('answer 2');
    expect(connections).toBe(2);
  });

  it.each([
    ['another answer', one('not asked')],
    ['half of one', 'HTTP/1.1 200 OK\r\ncontent-'],
    ['a word about the time', TIMEOUT],
    ['no HTTP at all', 'not asked'],
  ])('comes while nobody waits: %s; the connection is closed at once', async (_, bytes) => {
    const said = Promise.withResolvers<Socket>();
    const url = await overspeaking((socket) => said.resolve(socket));
    const fetch = fetchOne();
    expect(await read(await fetch(url, post()))).toBe('answer 1');
    (await said.promise).write(bytes);
    await eventually(() => sockets.size).toBe(0);
    expect(await read(await fetch(url, post()))).toBe('answer 2');
  });

  it.each([
    ['another answer', one('not asked')],
    ['a word about the time', TIMEOUT],
  ])(
    'has come while the process stood still: %s is read before the next request is sent',
    async (_, bytes) => {
      const said = Promise.withResolvers<Socket>();
      const url = await overspeaking((socket) => said.resolve(socket));
      const fetch = fetchOne();
      expect(await read(await fetch(url, post()))).toBe('answer 1');
      // It is with the kernel before the client's turn comes, as after a container was frozen.
      (await said.promise).write(bytes);
      const next = await fetch(url, post());
      expect([next.status, await read(next), connections]).toEqual([200, 'answer 2', 2]);
    },
  );
});

describe('a signal', () => {
  /** A signal, and what makes it go off. */
  const aborting = () => {
    const controller = new AbortController();
    const abort = () => controller.abort(new DOMException('enough', 'TimeoutError'));
    return { signal: controller.signal, abort };
  };
  /** `speak`, and what is done when the bytes are on their way. */
  const speakAnd = (bytes: string, then: () => void) =>
    listen(createTcpServer((socket) => void socket.resume().write(bytes, then)));

  it('that has gone off already lets nothing be sent', async () => {
    const url = await serve((_, response) => response.end());
    const signal = AbortSignal.abort(new DOMException('enough', 'TimeoutError'));
    await expect(createFetch()(url, post({ signal }))).rejects.toThrow('enough');
    expect(connections).toBe(0);
  });

  it('ends a request that waits for a connection', async () => {
    const { signal, abort } = aborting();
    const over = Promise.withResolvers<void>();
    let received = 0;
    const url = await serve((_, response) => {
      if (++received === 1) abort();
      void over.promise.then(() => response.end('ok'));
    });
    const fetch = createFetch(undefined, { connections: 1, idleMs: FAR, connectMs: FAR });
    const first = fetch(url, post());
    // While the first one has its connection and no answer.
    await expect(fetch(url, post({ signal }))).rejects.toThrow('enough');
    over.resolve();
    expect(await read(await first)).toBe('ok');
    expect(await read(await fetch(url, post()))).toBe('ok');
    // The one that had ended was given the connection, sent nothing, and took it along.
    expect([received, connections]).toEqual([2, 2]);
  });

  it.each([
    ['before anything is answered', ''],
    ['within the headers', 'HTTP/1.1 200 OK\r\nx-one: '],
  ])('ends a request %s, and its connection', async (_, bytes) => {
    const { signal, abort } = aborting();
    const url = await speakAnd(bytes, abort);
    await expect(createFetch()(url, post({ signal }))).rejects.toThrow('enough');
    await eventually(() => sockets.size).toBe(0);
  });

  it('ends a handshake', async () => {
    const { signal, abort } = aborting();
    const url = (await speakAnd('', abort)).replace('http:', 'https:');
    await expect(createFetch()(url, post({ signal }))).rejects.toThrow('enough');
    await eventually(() => sockets.size).toBe(0);
  });

  it('ends a body, with its reason', async () => {
    const url = await speak('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome');
    const { signal, abort } = aborting();
    const answer = await createFetch()(url, post({ signal }));
    abort();
    await expect(read(answer)).rejects.toThrow('enough');
    await eventually(() => sockets.size).toBe(0);
  });

  it('that outlives its requests is not held by them', async () => {
    const url = await serve((_, response) => response.end('ok'));
    const { signal } = new AbortController();
    let listeners = 0;
    const add = vi.spyOn(signal, 'addEventListener').mockImplementation(() => void listeners++);
    vi.spyOn(signal, 'removeEventListener').mockImplementation(() => void listeners--);
    const fetch = createFetch();
    for (let i = 0; i < 3; i++) await read(await fetch(url, post({ signal })));
    await eventually(() => listeners).toBe(0);
    expect(add).toHaveBeenCalled();
  });
});

describe('what goes wrong', () => {
  it('is a connection that nobody accepts', async () => {
    const url = await serve((_, response) => response.end());
    servers[0]?.close();
    expect(await codeOf(createFetch()(url, post()))).toBe('ECONNREFUSED');
  });

  it('is a handshake that takes longer than one ever does', async () => {
    const url = (await speak('')).replace('http:', 'https:');
    const fetch = createFetch(undefined, { connections: 1, idleMs: FAR, connectMs: 50 });
    expect(await codeOf(fetch(url, post()))).toBe('UND_ERR_CONNECT_TIMEOUT');
  });

  it('is a connection that ends before the answer, or within it', async () => {
    const url = await listen(createTcpServer((socket) => void socket.once('data', () => socket.end())));
    expect(await codeOf(createFetch()(url, post()))).toBe('UND_ERR_SOCKET');
    const short = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome';
    const within = await listen(
      createTcpServer((socket) => void socket.once('data', () => socket.end(short))),
    );
    expect(await codeOf(createFetch()(within, post()).then(read))).toBe('UND_ERR_SOCKET');
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n', 'HTTPParserError'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    ],
    ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`, 'UND_ERR_HEADERS_OVERFLOW'],
  ])('is an answer with %s', async (_, bytes, code) => {
    const url = await listen(
      createTcpServer((socket) => void socket.once('data', () => socket.write(bytes))),
    );
    expect(await codeOf(createFetch()(url, post()))).toBe(code);
  });

  it('is a change of protocol that nobody has asked for', async () => {
    const url = await speak('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    expect(await codeOf(createFetch()(url, post()))).toBe('UND_ERR_SOCKET');
  });

  it.each([
    ['a refused connection', 'ECONNREFUSED', 'GET', false],
    ['a refused connection', 'ECONNREFUSED', 'POST', true],
  ])('is told as AEP_UNREACHABLE: %s, %s to a %s', async (_, code, method, inDoubt) => {
    const url = await serve((_request, response) => response.end());
    servers[0]?.close();
    const transport = { fetch: createFetch(), clock: systemClock, random: Math.random };
    const request = { method, url, headers: {}, timeoutMs: FAR, label: 'X /x' };
    await expect(exchange(transport, request)).rejects.toMatchObject({
      code: 'AEP_UNREACHABLE',
      retryable: true,
      inDoubt,
      message: expect.stringContaining(`X /x got no complete answer: ${code}`),
    });
  });

  it('is told as AEP_UNREACHABLE: too little time', async () => {
    const url = await speak('');
    const transport = { fetch: createFetch(), clock: systemClock, random: Math.random };
    const request = { method: 'POST', url, headers: {}, timeoutMs: 30, label: 'X /x' };
    await expect(exchange(transport, request)).rejects.toThrow('it took too long');
  });
});

describe('TLS', () => {
  const usual = getCACertificates('default');
  const serveTls = (certificate: ReturnType<typeof selfSigned>): Promise<string> => {
    const server: Server = createTlsServer(certificate, (_, response) => response.end('ok'));
    return listen(server, 'https');
  };
  afterEach(() => {
    setDefaultCACertificates(usual);
    vi.unstubAllEnvs();
  });

  it('is spoken with whom this machine trusts, over connections that are kept', async () => {
    const certificate = selfSigned();
    setDefaultCACertificates([...usual, certificate.cert]);
    const url = await serveTls(certificate);
    const fetch = createFetch();
    for (let i = 0; i < 3; i++) expect(await read(await fetch(url, post()))).toBe('ok');
    expect(connections).toBe(1);
  });

  it('refuses a certificate of nobody it trusts', async () => {
    expect(await codeOf(createFetch()(await serveTls(selfSigned()), post()))).toBe(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    );
  });

  it('refuses a certificate for somebody else', async () => {
    const certificate = selfSigned('127.0.0.2');
    setDefaultCACertificates([...usual, certificate.cert]);
    expect(await codeOf(createFetch()(await serveTls(certificate), post()))).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  it('cannot be switched off by the environment', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const url = await serveTls(selfSigned());
    // Node's own client does as it is told there, so the variable is what Node looks at.
    expect((await globalThis.fetch(url)).status).toBe(200);
    expect(await codeOf(createFetch()(url, post()))).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(warned).toHaveBeenCalled();
  });
});
