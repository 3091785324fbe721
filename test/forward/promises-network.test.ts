// Promise 16 of the reliability notes, and its bad input 39: the forwarder over real sockets that a bad network or a freeze has its way with.
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

/** The bytes of one answer, as they go over the wire. */
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
  expect(await run(forward, texts, 60_000)).toBe(ALL_SETTLED);
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
  const FATAL: [string, Toxic][] = [
    ['resets before the request', resetBefore],
    ['resets before the answer', cutAt(() => 0)],
    ['resets after the headers', resetAfterHeaders],
    ['answers nobody hears', cutAt(() => 0, true)],
    ['black holes', blackHole],
    ['black holes on the way back', blackHoleBack],
  ];
  /** Enough for five tries that fail at once, and for one that hangs. */
  const SHORT_MS = 2_900;

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

  it.each(FATAL)('%s acknowledges nothing, and all of it arrives when it is over', async (name, toxic) => {
    const proxy = await startProxy(port, toxic);
    const all = Array.from({ length: TIMES }, (_, at) =>
      container(`http://127.0.0.1:${proxy.port}`, `${name} ${at}`),
    );
    const answers = await Promise.all(all.map(({ forward, texts }) => run(forward, texts, SHORT_MS)));
    expect(new Set(answers)).toEqual(new Set([from(0)]));
    expect(proxy.struck).toBeGreaterThanOrEqual(TIMES);
    proxy.heal();
    const healed = await Promise.all(all.map(({ forward, texts }) => run(forward, texts, 60_000)));
    expect(new Set(healed)).toEqual(new Set([ALL_SETTLED]));
    for (const { texts, runtime } of all) {
      // Five tries, each of which may have been heard, and the last one.
      for (const text of texts)
        expect(taken.get(text)).toSatisfy((times: number) => times >= 1 && times <= 6);
      expect(runtime.documents).toEqual([]);
    }
    await proxy.close();
  });

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
      expect(length).toBeGreaterThan(150);
      const proxy = await startProxy(
        port,
        cutAt((index) => index % length, gently),
      );
      const seen: string[] = [];
      for (let at = 0; proxy.struck < length; at++) {
        const { forward, texts } = container(`http://127.0.0.1:${proxy.port}`, `${name} ${at}`);
        seen.push(await run(forward, texts, 60_000));
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
  /** An inlet with a life of its own, which goes on while this thread stands still. */
  const INLET = `
    const { createServer } = require('node:http');
    const { parentPort } = require('node:worker_threads');
    let [requests, how] = [0, {}];
    const server = createServer((request, response) => request.resume().once('end', () => {
      requests++;
      const { answerMs, closeMs } = how;
      const text = '{"responses":[{"xactionId":"1771:3120:78:0"}]}';
      if (answerMs !== undefined) setTimeout(() => response.writeHead(207).end(text), answerMs);
      if (closeMs !== undefined) setTimeout(() => request.socket.destroy(), closeMs);
    }));
    parentPort.on('message', (next) => { how = next; parentPort.postMessage(requests); });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  `;
  const heard = (worker: Worker) => new Promise<number>((resolve) => worker.once('message', resolve));
  const freeze = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  let worker: Worker;
  let origin: string;
  beforeAll(async () => {
    worker = new Worker(INLET, { eval: true });
    origin = `http://127.0.0.1:${await heard(worker)}`;
  });
  afterAll(() => worker.terminate());

  /** From now on the inlet does this; so many requests it has had. */
  async function told(how: { answerMs?: number; closeMs?: number }): Promise<number> {
    worker.postMessage(how);
    return heard(worker);
  }

  it('between invocations sends again where the connection it kept has been closed', async () => {
    const before = await told({ answerMs: 0, closeMs: 80 });
    const { forward, warned } = container(origin, 'idle');
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
    freeze(300);
    // In the same turn: the end of the connection is there, and nobody has read of it.
    expect(await run(forward, ['{"n":1}'], 60_000)).toBe(ALL_SETTLED);
    expect((await told({})) - before).toBe(2);
    const failed = warned.filter((line) => line.includes('transient'));
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(/ECONNRESET|EPIPE/);
  });

  it('in mid-flight hears an answer that came meanwhile', async () => {
    const before = await told({ answerMs: 20, closeMs: 60 });
    const { forward, warned } = container(origin, 'answered');
    const answered = run(forward, ['{"n":0}'], 60_000);
    await new Promise((resolve) => setTimeout(resolve, 15));
    freeze(150);
    expect(await answered).toBe(ALL_SETTLED);
    expect((await told({})) - before).toBe(1);
    expect(warned.filter((line) => line.includes('transient'))).toEqual([]);
  });

  it('in mid-flight takes nothing for acknowledged where the connection is gone without an answer', async () => {
    await told({ closeMs: 20 });
    const { forward, warned } = container(origin, 'gone');
    const answered = run(forward, ['{"n":0}'], 3_000);
    await new Promise((resolve) => setTimeout(resolve, 15));
    freeze(100);
    expect(await answered).toBe(from(0));
    expect(warned[0]).toMatch(/ECONNRESET/);
    await told({ answerMs: 0 });
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
  });

  it('for longer than there is time gives the records back, or has them acknowledged: nothing in between', async () => {
    const before = await told({ answerMs: 20 });
    const { forward } = container(origin, 'late');
    const answered = run(forward, ['{"n":0}'], 2_400);
    await new Promise((resolve) => setTimeout(resolve, 15));
    freeze(600);
    expect([ALL_SETTLED, from(0)]).toContain(await answered);
    expect((await told({ answerMs: 0 })) - before).toBe(1);
    expect(await run(forward, ['{"n":0}'], 60_000)).toBe(ALL_SETTLED);
  });
});
