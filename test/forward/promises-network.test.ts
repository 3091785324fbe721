// Promise 16 of docs/promises.md, and its bad input 39: the forwarder over real sockets that a bad network or a freeze has its way with.
import dns from 'node:dns';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFetch } from '../../lib/aws/http.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import { settingsFrom } from '../../lib/settings.ts';
import {
  blackHole,
  blackHoleBack,
  cutAt,
  late,
  resetAfterHeaders,
  resetBefore,
  sliced,
  slowClose,
  startProxy,
  type Toxic,
} from '../support/bad-network.ts';
import { selfSigned } from '../support/certificate.ts';
import { ALL_SETTLED, from, INLET_ID, kinesisEvent } from '../support/forwarding.ts';
import { itemsOf } from '../support/inlet.ts';
import { plainRuntime } from '../support/plain-runtime.ts';

/** How the server says where its answer ends. */
type Framing = 'length' | 'chunked' | 'close';

const TIMES = 50;
const RECORDS = 3;

/** What reached AEP, by the text of each message. */
const taken = new Map<string, number>();
let framing: Framing = 'length';
let inlet: Server;
let port: number;

beforeAll(async () => {
  inlet = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const messages = itemsOf(Buffer.concat(chunks).toString());
    for (const text of messages) taken.set(text, (taken.get(text) ?? 0) + 1);
    answer(response, messages.length);
  });
  await new Promise<void>((ready) => inlet.listen(0, '127.0.0.1', ready));
  port = (inlet.address() as AddressInfo).port;
});
afterAll(() => {
  inlet.closeAllConnections();
  inlet.close();
});
afterEach(() => vi.restoreAllMocks());

function answer(response: ServerResponse, messages: number): void {
  const responses = Array.from({ length: messages }, (_, at) => ({ xactionId: `1771:3120:78:${at}` }));
  const text = JSON.stringify({ responses });
  response.sendDate = false;
  if (framing === 'close') {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  response.writeHead(207, framing === 'length' ? { 'content-length': text.length } : {});
  response.end(text);
}

/** A container whose inlet is at this origin; `run` takes messages nobody else sends, and tells what came of them. */
function container(origin: string, name: string) {
  const settings = settingsFrom({ PENSTOCK_INLET_ORIGINS: origin });
  const inletUrl = `${origin}/collection/${INLET_ID}`;
  const warned: string[] = [];
  const log = (_: string, fields: object = {}) => void warned.push(JSON.stringify(fields));
  const runtime = plainRuntime(
    { settings, fetch: createFetch(), log: { debug: log, info: log, warn: log, error: log } },
    { inletUrl },
  );
  const texts = Array.from({ length: RECORDS }, (_, n) => `{"of":"${name}","n":${n}}`);
  return { forward: createForward(runtime), texts, runtime, warned };
}

async function run(forward: Forward, texts: readonly string[], remainingMs: number): Promise<string> {
  const end = Date.now() + remainingMs;
  const invocation = { remainingMs: () => end - Date.now(), invocationId: 'i' };
  return JSON.stringify(await forward(kinesisEvent(texts), invocation));
}

/** The bytes of one answer to one message, as they go over the wire. */
async function lengthOfAnswer(): Promise<number> {
  let length = 0;
  const proxy = await startProxy(port, ({ client, server }) => {
    client.pipe(server());
    server().on('data', (chunk: Buffer) => {
      length += chunk.length;
      client.write(chunk);
    });
    server().once('end', () => client.end());
  });
  const { forward, texts } = container(`http://127.0.0.1:${proxy.port}`, `measure ${framing}`);
  expect(await run(forward, texts.slice(0, 1), 60_000)).toBe(ALL_SETTLED);
  await proxy.close();
  return length;
}

describe('A 16: a network of', () => {
  const HARMLESS: [string, Toxic][] = [
    ['latency', late(() => 30)],
    ['jitter', late(() => Math.random() * 30)],
    ['crumbs of a byte', sliced],
    ['slow closes', slowClose],
  ];
  /** With so much time: for five tries that fail at once, or for one that hangs; of those there are fewer, so that all begin. */
  const FATAL: [string, Toxic, { times: number; ms: number }][] = [
    ['resets before the request', resetBefore, { times: TIMES, ms: 60_000 }],
    ['resets before the answer', cutAt(() => 0), { times: TIMES, ms: 60_000 }],
    ['resets after the headers', resetAfterHeaders, { times: TIMES, ms: 60_000 }],
    ['answers nobody hears', cutAt(() => 0, true), { times: TIMES, ms: 60_000 }],
    ['black holes', blackHole, { times: 10, ms: 2_900 }],
    ['black holes on the way back', blackHoleBack, { times: 10, ms: 2_900 }],
  ];

  it.each(HARMLESS)('%s delivers everything once', async (name, toxic) => {
    const proxy = await startProxy(port, toxic);
    await Promise.all(
      Array.from({ length: TIMES }, async (_, at) => {
        const { forward, texts } = container(`http://127.0.0.1:${proxy.port}`, `${name} ${at}`);
        expect(await run(forward, texts, 60_000)).toBe(ALL_SETTLED);
        expect(texts.map((text) => taken.get(text))).toEqual([1, 1, 1]);
      }),
    );
    expect(proxy.struck).toBeGreaterThanOrEqual(TIMES);
    await proxy.close();
  });

  it.each(FATAL)(
    '%s acknowledges nothing, and all of it arrives when it is over',
    async (name, toxic, { times, ms }) => {
      const proxy = await startProxy(port, toxic);
      const all = Array.from({ length: times }, (_, at) =>
        container(`http://127.0.0.1:${proxy.port}`, `${name} ${at}`),
      );
      const answers = await Promise.all(all.map(({ forward, texts }) => run(forward, texts, ms)));
      expect(new Set(answers)).toEqual(new Set([from(0)]));
      expect(proxy.struck).toBeGreaterThanOrEqual(times);
      proxy.heal();
      const healed = await Promise.all(all.map(({ forward, texts }) => run(forward, texts, 60_000)));
      expect(new Set(healed)).toEqual(new Set([ALL_SETTLED]));
      for (const { texts, runtime } of all) {
        // Five tries, each of which may have been heard, and the last one.
        for (const text of texts)
          expect(taken.get(text)).toSatisfy((often: number) => often >= 1 && often <= 6);
        expect(runtime.documents).toEqual([]);
      }
      await proxy.close();
    },
  );

  it.each<[string, Framing, boolean]>([
    ['with a length, torn down', 'length', false],
    ['with a length, closed', 'length', true],
    ['in chunks, closed', 'chunked', true],
    ['that lasts until it is closed', 'close', true],
  ])(
    'answers cut off at every byte, %s, acknowledges nothing until one is whole',
    async (name, how, gently) => {
      framing = how;
      const length = await lengthOfAnswer();
      expect(length).toBeGreaterThan(80);
      const proxy = await startProxy(
        port,
        cutAt((index) => index % length, gently),
      );
      const seen: string[] = [];
      for (let at = 0; proxy.struck < length; at++) {
        const { forward, texts } = container(`http://127.0.0.1:${proxy.port}`, `${name} ${at}`);
        // One message: several would be sent alone in the end, with answers of another length.
        seen.push(await run(forward, texts.slice(0, 1), 60_000));
      }
      await proxy.close();
      framing = 'length';
      expect(new Set(seen)).toEqual(new Set([from(0)]));
    },
  );

  it('names that nobody knows sends nothing', async () => {
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
      const done = args.at(-1) as (error: Error) => void;
      setImmediate(done, Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    }) as never);
    const all = Array.from({ length: TIMES / 5 }, (_, at) => container('https://inlet.invalid', `dns ${at}`));
    for (const { forward, texts, warned } of all) {
      expect(await run(forward, texts, 60_000)).toBe(from(0));
      expect(warned[0]).toContain('ENOTFOUND');
    }
    expect(lookup.mock.calls.length).toBeGreaterThanOrEqual(TIMES);
  });

  it('certificates that nobody vouches for sends nothing', async () => {
    let [connections, requests] = [0, 0];
    const stranger = createTlsServer(selfSigned(), (_, response) => {
      requests++;
      response.end();
    });
    stranger.on('connection', () => connections++);
    await new Promise<void>((ready) => stranger.listen(0, '127.0.0.1', ready));
    const origin = `https://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    for (let at = 0; at < TIMES / 5; at++) {
      const { forward, texts, warned } = container(origin, `tls ${at}`);
      expect(await run(forward, texts, 60_000)).toBe(from(0));
      expect(warned[0]).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    }
    await new Promise((done) => stranger.close(done));
    expect(connections).toBeGreaterThanOrEqual(TIMES);
    expect(requests).toBe(0);
  });
});

describe('B 39: a container that is frozen', () => {
  /**
   * An inlet with a life of its own, which goes on while this thread stands still. It does at once, or when it is told `go`,
   * what it is to do with a request: answer, close the connection, or both; `done` counts how often it has.
   */
  const INLET = `
    const { createServer } = require('node:http');
    const { parentPort, workerData: done } = require('node:worker_threads');
    const sockets = new Set();
    const waiting = [];
    let [requests, how] = [0, {}];
    const act = (request, response) => {
      const finish = () => {
        if (how.closes) request.socket.destroy();
        Atomics.add(done, 0, 1);
        Atomics.notify(done, 0);
      };
      if (how.answers) response.writeHead(207).end('{"responses":[{"xactionId":"1771:3120:78:0"}]}', finish);
      else finish();
    };
    const server = createServer((request, response) => request.resume().once('end', () => {
      requests++;
      sockets.add(request.socket);
      if (how.waits) waiting.push([request, response]);
      else act(request, response);
      parentPort.postMessage('arrived');
    }));
    server.keepAliveTimeout = 0;
    const COMMANDS = {
      how: (next) => { how = next; parentPort.postMessage(requests); },
      go: () => { how = { ...how, waits: false }; for (const pair of waiting.splice(0)) act(...pair); },
      closeAll: () => {
        for (const socket of sockets) socket.destroy();
        Atomics.add(done, 0, 1);
        Atomics.notify(done, 0);
      },
    };
    parentPort.on('message', ([command, given]) => COMMANDS[command](given));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  `;
  const done = new Int32Array(new SharedArrayBuffer(4));
  const heard = <T>(worker: Worker, type: 'number' | 'string') =>
    new Promise<T>((resolve) => {
      const listen = (message: T) => {
        if (typeof message !== type) return;
        worker.off('message', listen);
        resolve(message);
      };
      worker.on('message', listen);
    });

  let worker: Worker;
  let origin: string;
  beforeAll(async () => {
    worker = new Worker(INLET, { eval: true, workerData: done });
    origin = `http://127.0.0.1:${await heard<number>(worker, 'number')}`;
  });
  afterAll(() => worker.terminate());

  /** From now on the inlet does this; so many requests it has had. */
  async function told(how: { waits?: boolean; answers?: boolean; closes?: boolean }): Promise<number> {
    worker.postMessage(['how', how]);
    return heard<number>(worker, 'number');
  }

  /** Stands still until the inlet has done so, and for so long after that. */
  function frozenWhile(command: 'go' | 'closeAll', ms = 50): void {
    const before = Atomics.load(done, 0);
    worker.postMessage([command]);
    Atomics.wait(done, 0, before);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  it('between invocations does not send by a connection that has been closed meanwhile', async () => {
    const before = await told({ answers: true });
    const { forward, warned } = container(origin, 'idle');
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
    frozenWhile('closeAll');
    // In the same turn: the end of the connection is there, and nobody has read of it.
    expect(await run(forward, ['{"n":1}'], 60_000)).toBe(ALL_SETTLED);
    expect((await told({})) - before).toBe(2);
    expect(warned.filter((line) => line.includes('transient'))).toEqual([]);
  });

  it('in mid-flight hears an answer that came meanwhile', async () => {
    const before = await told({ waits: true, answers: true, closes: true });
    const { forward, warned } = container(origin, 'answered');
    const answered = run(forward, ['{"n":0}'], 60_000);
    await heard(worker, 'string');
    frozenWhile('go');
    expect(await answered).toBe(ALL_SETTLED);
    expect((await told({})) - before).toBe(1);
    expect(warned.filter((line) => line.includes('transient'))).toEqual([]);
  });

  it('in mid-flight takes nothing for acknowledged where the connection is gone without an answer', async () => {
    await told({ waits: true, closes: true });
    const { forward, warned } = container(origin, 'gone');
    const answered = run(forward, ['{"n":0}'], 60_000);
    await heard(worker, 'string');
    frozenWhile('go');
    expect(await answered).toBe(from(0));
    expect(warned[0]).toMatch(/UND_ERR_SOCKET|ECONNRESET/);
    await told({ answers: true });
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
  });

  it('for longer than there is time gives the records back, or has them acknowledged: nothing in between', async () => {
    const before = await told({ waits: true, answers: true });
    const { forward } = container(origin, 'late');
    const answered = run(forward, ['{"n":0}'], 2_900);
    await heard(worker, 'string');
    frozenWhile('go', 1_000);
    expect([ALL_SETTLED, from(0)]).toContain(await answered);
    expect((await told({ answers: true })) - before).toBe(1);
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
  });
});
