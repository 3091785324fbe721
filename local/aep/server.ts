// Serves the simulated platform on a port of this machine: `node local/aep/server.ts --port 4010 --warm-up 5`.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { legacyProblem } from './errors.ts';
import type { Call } from './http.ts';
import { scopesOf } from './ims.ts';
import { FAKE_CREDENTIAL } from './options.ts';
import { createPlatform, type Platform, type PlatformOptions, wireText } from './platform.ts';
import type { Standard } from './xdm/standard.ts';

export interface ServerOptions extends PlatformOptions {
  /** 0 takes any free port. */
  port?: number;
  /** Serves this platform instead of a new one. */
  platform?: Platform;
}

export interface RunningServer {
  readonly origin: string;
  readonly platform: Platform;
  close(): Promise<void>;
}

/** Above the inlet's 1 MB, so that its own 413 can answer; beyond it the body is not kept. */
const KEPT_BYTES = 8 * 1024 * 1024;

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { port = 4010, platform: given, ...platformOptions } = options;
  const platform = given ?? createPlatform(platformOptions);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    answer(platform, request, response).catch((error: unknown) => fail(response, error));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // This machine only: a fake that holds data has no business on a network.
    server.listen(port, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  platform.origin = platformOptions.origin ?? origin;
  return {
    origin,
    platform,
    close: () =>
      new Promise<void>((resolve, reject) => {
        platform.close();
        server.close((error) => (error ? reject(error) : resolve()));
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(platform: Platform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = await callFrom(request, response);
  const result = await platform.handle(call);
  if (result.dropped) {
    request.socket.destroy();
    return;
  }
  const text = wireText(result);
  const body = text === undefined || result.status === 204 ? undefined : Buffer.from(text);
  response.writeHead(result.status, {
    ...result.headers,
    ...(body ? { 'content-length': body.length } : {}),
  });
  if (result.breaksAfter !== undefined && body !== undefined) {
    response.write(body.subarray(0, result.breaksAfter), () => request.socket.destroy());
    return;
  }
  response.end(body);
}

async function callFrom(request: IncomingMessage, response: ServerResponse): Promise<Call> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller went away'));
  });
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: await bodyOf(request),
    requestId: headers.get('x-request-id') ?? crypto.randomUUID(),
    signal: gone.signal,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    if (size <= KEPT_BYTES) parts.push(part);
    size += part.length;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const detail = error instanceof Error ? error.message : String(error);
  response.writeHead(500, { 'content-type': 'application/json', 'x-simulated': 'penstock' });
  response.end(JSON.stringify(legacyProblem(500, 'Simulator error', detail)));
}

function banner({ origin, platform }: RunningServer): string {
  const { settings } = platform;
  const [credential] = platform.credentials;
  return [
    '',
    '  SIMULATED Adobe Experience Platform: nothing here reaches Adobe',
    '',
    `  address        ${origin}   (IMS, platform API and inlets alike)`,
    `  client id      ${credential?.clientId}`,
    `  client secret  ${credential?.clientSecrets[0]}   (fake)`,
    `  scopes         ${credential ? scopesOf(credential).join(',') : ''}`,
    `  organization   ${settings.organization}`,
    `  tenant         ${settings.tenant}`,
    `  sandboxes      ${settings.sandboxes.map((each) => each.name).join(', ')}`,
    `  warm-up        ${settings.warmUpMs / 1000} s after a flow is made or changed`,
    `  look inside    ${origin}/_simulator/`,
    '',
  ].join('\n');
}

const USAGE = `The simulated Experience Platform alone, for any client.

  npm run simulate -- [options]

  --port N            where it listens, on this machine only (4010; 0 takes any free one)
  --warm-up SECONDS   how long a new or changed flow warms up (300, as with Adobe)
  --scopes A,B        scopes of the credential, as the Developer Console would list them
  --kinesis URL       the Kinesis that flows read which have a stream as their source (HTTP/2, as AWS's own clients speak
                      it); without it such a flow stays idle
  --seed N            seed of the ids and of faults with a probability (1)
  --xdm DIR           a checkout of github.com/adobe/xdm: all of Adobe's public classes, field groups and data types are known
  --help              this text
`;

function wholeNumberOf(value: string | undefined, name: string, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value);
  throw new Error(`--${name}: expected a whole number from 0 to ${most}; found '${value}'`);
}

function scopesFrom(value: string): string[] {
  const scopes = value.split(/[\s,]+/).filter(Boolean);
  if (scopes.length > 0) return scopes;
  throw new Error("--scopes: expected one scope or more, with commas between; found ''");
}

function urlOf(value: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new Error(`--kinesis: expected a URL such as http://127.0.0.1:4567; found '${value}'`);
}

function parsed() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        'warm-up': { type: 'string' },
        scopes: { type: 'string' },
        seed: { type: 'string' },
        kinesis: { type: 'string' },
        xdm: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function standardFrom(folder: string): Promise<Standard> {
  // Loaded only where it is asked for: it would cost every start some 15 ms.
  const { standardWith } = await import('./xdm/checkout.ts');
  try {
    return standardWith(folder);
  } catch (error) {
    throw new Error(`--xdm: ${(error as Error).message}`);
  }
}

async function main(): Promise<void> {
  const values = parsed();
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const options: ServerOptions = { port: wholeNumberOf(values.port, 'port', 65_535) ?? 4010 };
  const warmUp = wholeNumberOf(values['warm-up'], 'warm-up', 86_400);
  const seed = wholeNumberOf(values.seed, 'seed', 4_294_967_295);
  if (warmUp !== undefined) options.warmUpMs = warmUp * 1000;
  if (seed !== undefined) options.seed = seed;
  if (values.scopes !== undefined)
    options.credentials = [{ ...FAKE_CREDENTIAL, scopes: scopesFrom(values.scopes) }];
  if (values.kinesis !== undefined) options.kinesis = urlOf(values.kinesis);
  if (values.xdm !== undefined) options.xdm = await standardFrom(values.xdm);
  const running = await startServer(options).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${options.port} is taken; choose another with --port, or 0 for any free one.`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close());
  process.stdout.write(`${banner(running)}\n`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
}
