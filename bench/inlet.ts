// The inlet of the measurements, a process of its own: answers a request after a set latency with one entry per message.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { selfSigned } from '../test/support/certificate.ts';
import { MARK, ROUTED_STREAM_ARN, STREAM_ARN } from './event.ts';
import { linesOf } from './records.ts';

export interface InletPorts {
  readonly http: string;
  readonly https: string;
  /** Where the function's secrets are, and the list of its routes. */
  readonly secrets: string;
  /** PEM of the certificate to trust. */
  readonly cert: string;
}

/** What the inlet is told before a measurement; what it does not name is switched off. */
export interface InletMode {
  readonly latencyMs?: number;
  /** Closes each connection after one answer. */
  readonly closes?: boolean;
  /** The text of the secret of the stream with one route. */
  readonly secret?: string;
  /** The texts of the secrets of the stream with several routes, by pipeline. */
  readonly routes?: Readonly<Record<string, string>>;
  /** A folder that gets each body as a file. */
  readonly captureIn?: string;
  /** Parses every body and holds the messages against these records. */
  readonly verify?: { readonly records: number; readonly bytes: number };
}

/** What came in since the mode was set. */
export interface InletCounts {
  readonly requests: number;
  readonly messages: number;
  /** Messages that were not expected, or came twice; only where it verifies. */
  readonly wrong: number;
  /** When the first request was there as a whole: nanoseconds of this machine's monotonic clock. */
  readonly firstAt: string | undefined;
}

let mode: InletMode = {};
let counts = { requests: 0, messages: 0, wrong: 0, firstAt: undefined as string | undefined };
let expected = new Set<string>();
const answers = new Map<number, Buffer>();

function set(wanted: InletMode): void {
  // A secret is for good: a container that is kept reads it again after a minute.
  mode = { secret: mode.secret ?? '', routes: mode.routes ?? {}, ...wanted };
  counts = { requests: 0, messages: 0, wrong: 0, firstAt: undefined };
  expected = new Set(wanted.verify && linesOf(wanted.verify.records, wanted.verify.bytes).map(canonical));
  if (wanted.captureIn !== undefined) {
    rmSync(wanted.captureIn, { recursive: true, force: true });
    mkdirSync(wanted.captureIn, { recursive: true });
  }
}

const canonical = (text: string) => JSON.stringify(JSON.parse(text));

function receive(request: IncomingMessage, body: Buffer): number {
  counts.firstAt ??= String(process.hrtime.bigint());
  const number = counts.requests++;
  if (mode.captureIn !== undefined) writeFileSync(join(mode.captureIn, `${number}.body`), body);
  const messages = mode.verify === undefined ? marksIn(body) : verified(request, body);
  counts.messages += messages;
  return messages;
}

/** Cheap, so that what is measured is the sender. */
function marksIn(body: Buffer): number {
  let marks = 0;
  for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + MARK.length)) marks++;
  return marks;
}

function verified(request: IncomingMessage, body: Buffer): number {
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  const messages = isBatch(request) ? (parsed as { messages: unknown[] }).messages : [parsed];
  for (const message of messages) if (!expected.delete(JSON.stringify(message))) counts.wrong++;
  return messages.length;
}

function isBatch({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/collection/batch/');
}

/** As Adobe documents it: contract §6.3. */
function answerFor(messages: number): Buffer {
  let answer = answers.get(messages);
  if (answer === undefined) {
    const responses = Array.from({ length: messages }, (_, index) => ({
      xactionId: `1565650704337:6250:203:${index}`,
    }));
    const head = {
      inletId: 'a'.repeat(64),
      batchId: '1565650704337:6250:203',
      receivedTimeMs: 1565650704337,
    };
    answer = Buffer.from(JSON.stringify({ ...head, responses }));
    answers.set(messages, answer);
  }
  return answer;
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const messages = receive(request, Buffer.concat(chunks));
    const text = answerFor(messages);
    const send = () => {
      response.writeHead(isBatch(request) ? 207 : 200, {
        'content-type': 'application/json',
        'content-length': text.length,
        ...(mode.closes && { connection: 'close' }),
      });
      response.end(text);
    };
    if (mode.latencyMs) setTimeout(send, mode.latencyMs);
    else send();
  });
}

/** Secrets Manager with the secrets, and DynamoDB with the lists that name them. */
function serveAws(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const isTable = String(request.headers['x-amz-target']).startsWith('DynamoDB_');
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    response.writeHead(200, { 'content-type': `application/x-amz-json-1.${isTable ? 0 : 1}` });
    response.end(JSON.stringify(isTable ? itemFor(asked) : secretFor(asked)));
  });
}

interface Asked {
  readonly SecretId?: string;
  readonly Key?: { readonly pipeline: { readonly S: string } };
}

function secretFor({ SecretId = '' }: Asked) {
  const text = SecretId.includes('/routed/') ? mode.routes?.[SecretId.split('/').at(-1) ?? ''] : mode.secret;
  return { ARN: 'arn', Name: 'bench', VersionId: '1', SecretString: text };
}

/** The list of a stream's routes. A shard has no marks. */
function itemFor({ Key }: Asked) {
  const [stream, what] = Key?.pipeline.S.split('#') ?? [];
  if (what !== 'routes') return {};
  return stream === 'routed'
    ? { Item: listItem(ROUTED_STREAM_ARN, mode.routes ?? {}) }
    : { Item: listItem(STREAM_ARN, { bench: mode.secret ?? '' }) };
}

function listItem(streamArn: string, secrets: Readonly<Record<string, string>>) {
  const revision = (text: string) => createHash('sha256').update(text).digest('hex');
  const routes = Object.fromEntries(
    Object.entries(secrets).map(([pipeline, text]) => [pipeline, { revision: revision(text) }]),
  );
  const settings = { compression: 'none', unrouted: 'count' };
  const list = { version: 1, streamArn, settings, routes };
  return { routes: { S: JSON.stringify(list) }, routesVersion: { S: '1' } };
}

async function originOf(server: ReturnType<typeof createServer>, scheme: string): Promise<string> {
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const certificate = selfSigned();
const ports: InletPorts = {
  http: await originOf(createServer(serve), 'http'),
  https: await originOf(createTlsServer(certificate, serve), 'https'),
  secrets: await originOf(createServer(serveAws), 'http'),
  cert: certificate.cert,
};
process.on('disconnect', () => process.exit(0));
process.on('message', (message: { mode: InletMode } | 'counts') => {
  if (message === 'counts') return process.send?.(counts satisfies InletCounts);
  set(message.mode);
  return process.send?.('set');
});
process.send?.(ports);
