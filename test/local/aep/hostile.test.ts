// Bad input never stops the simulated platform: whatever comes over the wire, the next caller is answered.
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClock } from '../../../local/aep/clock.ts';
import { DEEPEST } from '../../../local/aep/json.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';
import { type Caller, caller, FLOWS, type Made, makePipeline, PREP, REGISTRY, ROW } from './support.ts';

let user: Caller;
let made: Made;
let running: RunningServer;

beforeAll(async () => {
  user = await caller({ clock: realClock, warmUpMs: 0 });
  made = await makePipeline(user);
  running = await startServer({ port: 0, platform: user.platform });
});

afterAll(() => running.close());

/** A socket whose errors are nobody's business: the other side may cut it. */
async function open(halfOpen = false): Promise<Socket> {
  const { port } = new URL(running.origin);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: halfOpen });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** What comes back for these bytes, until the other side closes; nothing, where it cuts the connection. */
async function exchange(...bytes: string[]): Promise<string> {
  const socket = await open();
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const part of bytes) socket.write(part);
  await closed;
  return answer;
}

async function statusOf(target: string, body?: string, more = ''): Promise<number> {
  const head = `${body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${more}`;
  const sized = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body ?? '')}\r\n\r\n`;
  return Number((await exchange(head + sized, body ?? '')).slice(9, 12));
}

async function alive(): Promise<void> {
  const { landed } = user.platform.state.counts;
  const reply = await fetch(`${running.origin}/collection/${made.inletId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-adobe-flow-id': made.flowId },
    body: JSON.stringify(ROW),
  });
  expect(reply.status).toBe(200);
  await user.platform.idle();
  expect(user.platform.state.counts.landed).toBe(landed + 1);
}

const deepArray = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

test.each([
  ['no JSON', '{"messages": [', 400],
  ['no text', '\u0000\uffff', 400],
  ['no object', '"messages"', 400],
  ['a million arrays in each other', deepArray(1_000_000), 413],
  ['arrays in each other as deep as a megabyte allows', deepArray(490_000), 400],
  ['objects in each other', deepObject(100_000), 400],
  ['a message too deep', `{"messages":[{"a":${deepArray(DEEPEST)}}]}`, 400],
  ['a message just not too deep', `{"messages":[{"a":${deepArray(DEEPEST - 3)}}]}`, 207],
  ["names that are JavaScript's own", '{"messages":[{"__proto__":{"id":1},"constructor":{}}]}', 207],
])('12 shown: an inlet given %s answers, and goes on', async (_what, body, status) => {
  expect(await statusOf(`/collection/batch/${made.inletId}`, body)).toBe(status);
  await alive();
});

test('12 shown: services, the journal and the pages of the simulator bear what is too deep', async () => {
  for (const path of [`${FLOWS}/flows`, `${REGISTRY}/tenant/schemas`, `${PREP}/mappingSets`]) {
    for (const body of [deepArray(8_000), deepObject(2_000), deepArray(500_000)])
      expect((await user.call('POST', path, body)).status).toBe(400);
  }
  expect(await statusOf('/_simulator/faults', deepArray(8_000))).toBe(400);
  expect(await statusOf('/_simulator/journal')).toBe(200);
  await alive();
});

test('12 shown: a body of 100 MB, with or without its length said, ends in 413', async () => {
  const megabyte = Buffer.alloc(1_000_000, 'x');
  const chunked = new ReadableStream({
    start: () => undefined,
    pull: (controller) => {
      if (left-- > 0) controller.enqueue(megabyte);
      else controller.close();
    },
  });
  let left = 100;
  const url = `${running.origin}/collection/batch/${made.inletId}`;
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: chunked, duplex: 'half' } as RequestInit;
  expect((await fetch(url, init)).status).toBe(413);
  await alive();
});

test.each([
  ['two slashes', '//', 404],
  ['another host', '//evil.example/_simulator/', 404],
  ['a target with a host', 'http://evil.example/nowhere', 404],
  ['no path', '*', 400],
  ['steps up', '/data/../../etc/passwd', 404],
  ['encoded steps up', '/%2e%2e/%2e%2e/etc/passwd', 404],
  ['a broken escape', '/collection/%E0%A4%A', 405],
  ['a zero byte', '/collection/%00', 405],
  ['a name of JavaScript', '/__proto__/constructor', 404],
  ['a page of the simulator with a wrong id', '/_simulator/datasets/__proto__/rows', 404],
])('12 shown: a path with %s is answered', async (_what, target, status) => {
  expect(await statusOf(target)).toBe(status);
  await alive();
});

test.each([
  ['what is no HTTP', 'hello\r\n\r\n', /^400$/],
  ['a head without end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, /^(431)?$/],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', /^400$/],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    '400',
  ],
  ['a broken chunk', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', /^400$/],
])('12 shown: %s is refused', async (_what, bytes, status) => {
  expect((await exchange(bytes)).slice(9, 12)).toMatch(status);
  await alive();
});

test('12 shown: callers that stop in the middle, slowly or for good, hold up nobody', async () => {
  const head = `POST /collection/${made.inletId} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
  const waiting = await Promise.all(Array.from({ length: 200 }, () => open()));
  for (const [index, socket] of waiting.entries()) {
    // In the request line, in the head, before and in the body: and then nothing.
    const whole = `${head}content-length: 1000\r\n\r\n{"id":`;
    socket.write(whole.slice(0, 1 + ((index * 7) % whole.length)));
  }
  await alive();
  for (const [index, socket] of waiting.entries()) {
    if (index % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  await alive();
});

test('12 shown: who closes its half after the request still gets its answer, who cuts it before does not', async () => {
  const body = JSON.stringify(ROW);
  const head = `POST /collection/${made.inletId} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
  const whole = await open(true);
  const answer = text(whole);
  whole.end(
    `${head}x-adobe-flow-id: ${made.flowId}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await answer).toMatch(/^HTTP\/1.1 200 /);
  const part = await open(true);
  const none = text(part);
  part.end(`${head}content-length: 1000\r\n\r\n{"id":`);
  expect(await none).not.toMatch(/^HTTP\/1.1 200 /);
  await alive();
});
