// Serves the simulated platform on a port of this machine: `node local/aep/server.ts --port 4010 --warm-up 5`.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Access, areaOf, createAccess, insideOf, OWN_HEADERS, refusal, tokenFrom } from './access.ts';
import { type Answer, json } from './answer.ts';
import { commandLine } from './command-line.ts';
import type { Comparison } from './compare/comparison.ts';
import { legacyProblem, Refusal } from './errors.ts';
import { type Call, callHeader } from './http.ts';
import { scopesOf } from './ims.ts';
import type { JsonObject } from './json.ts';
import { didYouMean } from './nearest.ts';
import { FAKE_CREDENTIAL } from './options.ts';
import { createPlatform, type Platform, type PlatformOptions, wireText } from './platform.ts';
import { parseQuirks, QUIRK_HELP, type Quirks } from './quirks.ts';
import { createRouter, type Route, type Router } from './router.ts';
import { createTenants, type Tenants } from './tenants.ts';
import type { Standard } from './xdm/standard.ts';

export interface ServerOptions extends PlatformOptions {
  /** 0 takes any free port. */
  port?: number;
  /** Serves this platform instead of a new one. */
  platform?: Platform;
  /** Every read is asked of the real service too; `/_simulator/differences` shows what differs. */
  comparison?: Comparison;
  /** Who may look inside; without it, a token of its own is drawn. */
  access?: Access;
  /** Whether others can have platforms of their own beside it; a tenant has none. */
  hasTenants?: boolean;
}

export interface RunningServer {
  readonly origin: string;
  readonly platform: Platform;
  readonly access: Access;
  close(): Promise<void>;
}

/** Above the inlet's 1 MB, so that the inlet itself answers 413. More of a body is not kept. */
const KEPT_BYTES = 8 * 1024 * 1024;

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { port = 4010, platform: given, comparison, access = createAccess(), ...more } = options;
  const { hasTenants = true, ...platformOptions } = more;
  const platform = given ?? createPlatform(platformOptions);
  const tenants = hasTenants
    ? createTenants(platform, (own) => startServer({ ...own, port: 0, access, hasTenants: false }))
    : undefined;
  const served: Served = {
    platform,
    comparison,
    access,
    own: createRouter(serverRoutes(comparison, tenants)),
  };
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    answer(served, request, response).catch((error: unknown) => fail(response, error));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // This machine only: a simulator that holds data must not be reachable from a network.
    server.listen(port, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  platform.origin = platformOptions.origin ?? origin;
  return {
    origin,
    platform,
    access,
    close: async () => {
      await tenants?.close();
      await new Promise<void>((resolve, reject) => {
        platform.close();
        comparison?.close();
        server.close((error) => (error ? reject(error) : resolve()));
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

interface Served {
  readonly platform: Platform;
  readonly comparison: Comparison | undefined;
  readonly access: Access;
  readonly own: Router<Call>;
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const call = callFrom(request, response, body);
  const area = areaOf(call.path);
  const refused = refusal(call, area, served.access);
  const result = refused ?? (await answerOf(served, call));
  const { platform, comparison } = served;
  if (result.dropped) {
    request.socket.destroy();
    return;
  }
  const text = result.status === 204 ? undefined : wireText(result);
  const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  const own = area === 'platform' ? {} : OWN_HEADERS;
  response.writeHead(result.status, { 'x-simulated': 'penstock', ...own, ...result.headers, ...length });
  if (result.breaksAfter !== undefined && text !== undefined) {
    response.write(Buffer.from(text).subarray(0, result.breaksAfter), () => request.socket.destroy());
    return;
  }
  // As a text it goes out in one piece with the head; as a buffer it would be a write of its own.
  response.end(text);
  // After the answer, so that the caller does not wait for it.
  if (!refused) comparison?.note(call, result, (name) => platform.state.sandboxes.has(name));
}

function answerOf({ platform, own }: Served, call: Call): Answer | Promise<Answer> {
  const found = own(call.method, call.path);
  if (typeof found !== 'object') return platform.handle(call);
  return found.handler(call, ...found.parts);
}

/** What a server adds to the pages of its platform. */
export function serverRoutes(comparison?: Comparison, tenants?: Tenants): Route<Call>[] {
  const routes = [...(tenants?.routes ?? [])];
  if (comparison !== undefined) {
    const report = () => json(200, { ...comparison.report() } as object as JsonObject);
    routes.push(['GET', '/_simulator/differences', report]);
  }
  return routes;
}

function callFrom(request: IncomingMessage, response: ServerResponse, body: Buffer): Call {
  const { path, query } = targetOf(request.url ?? '/');
  const { headers } = request;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller went away'));
  });
  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers,
    body,
    requestId: callHeader(request, 'x-request-id') ?? randomUUID(),
    signal: gone.signal,
  };
}

/** A path that `URL` would leave as it is. */
const PLAIN = /^(?:\/[\w-]+)+$/;

/** Throws a Refusal where the request line names no resource at all. */
function targetOf(target: string): { path: string; query: URLSearchParams } {
  if (PLAIN.test(target)) return { path: target, query: new URLSearchParams() };
  // A target with two slashes at its beginning is a path too, and names no other host.
  const whole = target.startsWith('/') ? `http://localhost${target}` : target;
  const url = URL.parse(whole);
  if (url) return { path: url.pathname, query: url.searchParams };
  throw Refusal.problem(400, 'BadRequestError', 'The request target is neither a path nor a URL.');
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      if (size <= KEPT_BYTES) parts.push(part);
      size += part.length;
    });
    request.once('end', () => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    request.once('error', reject);
  });
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  if (error instanceof Refusal) {
    response.writeHead(error.answer.status, { ...error.answer.headers, 'x-simulated': 'penstock' });
    response.end(wireText(error.answer));
    return;
  }
  const detail = error instanceof Error ? error.message : String(error);
  response.writeHead(500, { 'content-type': 'application/json', 'x-simulated': 'penstock' });
  response.end(JSON.stringify(legacyProblem(500, 'Simulator error', detail)));
}

function banner({ origin, platform, access }: RunningServer): string {
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
    `  look inside    ${insideOf(origin, access)}   (${access.isForAll ? 'everybody needs' : 'a browser needs'} the token)`,
    '',
  ].join('\n');
}

const USAGE = `Runs the simulated Experience Platform alone, for any client.

  npm run simulate -- [options]

  --port N            where it listens, on this machine only (4010; 0 takes any free one)
  --warm-up SECONDS   how long a new or changed flow warms up (300, as with Adobe)
  --scopes A,B        scopes of the credential, as the Developer Console would list them
  --kinesis URL       the Kinesis that flows with a stream as their source read. It speaks HTTP/2, as AWS's clients do.
                      Without it such a flow stays idle
  --seed N            seed of the ids and of faults with a probability (1)
  --xdm DIR           a checkout of github.com/adobe/xdm, for field groups of Adobe that are not built in
  --compare URL       sends every read that it answers to the real service too (https://platform.adobe.io), with the
                      credential in AEP_CONTRACT_CLIENT_ID, _CLIENT_SECRET, _ORGANIZATION_ID and _SANDBOX. Prints what
                      differs, here and at /_simulator/differences, without values
  --quirk NAME=VALUE  how the platform behaves where Adobe's pages contradict each other (docs/fidelity.md). Can be given more
                      than once. Values, and the default in brackets:
${QUIRK_HELP}
  --admin-token       asks programs, too, for the token that browsers need at /_simulator/. It is drawn anew at each start
                      and printed; PENSTOCK_ADMIN_TOKEN names another
  --help              this text
`;

function wholeNumberOf(value: string | undefined, name: string, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value);
  throw new Error(`--${name}: expected a whole number from 0 to ${most}; found '${value}'`);
}

function scopesFrom(value: string): string[] {
  const scopes = value.split(/[\s,]+/).filter(Boolean);
  if (scopes.length === 0)
    throw new Error("--scopes: expected one scope or more, with commas between; found ''");
  const usual = scopesOf(FAKE_CREDENTIAL);
  // A credential for several of Adobe's products has more scopes. They are taken with a warning.
  for (const scope of scopes.filter((each) => !usual.includes(each)))
    process.stderr.write(
      `--scopes: '${scope}' is none of Experience Platform's, which are ${usual.join(', ')}${didYouMean(scope, usual)}; it is taken all the same\n`,
    );
  return scopes;
}

function urlOf(value: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new Error(`--kinesis: expected a URL such as http://127.0.0.1:4567; found '${value}'`);
}

/** Loaded only where it is asked for, like the checkout. */
async function comparisonWith(url: string): Promise<Comparison> {
  const { createComparison } = await import('./compare/comparison.ts');
  const { createReal, realFrom } = await import('./compare/real.ts');
  const real = createReal(realFrom(url, process.env));
  return createComparison(real, ({ operation, what }) => {
    process.stdout.write(`  differs  ${operation}: ${what}\n`);
  });
}

function parsed() {
  return commandLine({
    options: {
      port: { type: 'string' },
      'warm-up': { type: 'string' },
      scopes: { type: 'string' },
      seed: { type: 'string' },
      kinesis: { type: 'string' },
      xdm: { type: 'string' },
      compare: { type: 'string' },
      quirk: { type: 'string', multiple: true },
      'admin-token': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values;
}

function quirksFrom(words: readonly string[]): Partial<Quirks> {
  try {
    return parseQuirks(words);
  } catch (error) {
    throw new Error(`--${(error as Error).message}`);
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
  if (values.quirk !== undefined) options.quirks = quirksFrom(values.quirk);
  if (values.kinesis !== undefined) options.kinesis = urlOf(values.kinesis);
  if (values.xdm !== undefined) options.xdm = await standardFrom(values.xdm);
  if (values.compare !== undefined) options.comparison = await comparisonWith(values.compare);
  options.access = createAccess(values['admin-token'], tokenFrom(process.env));
  const running = await startServer(options).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${options.port} is taken; choose another with --port, or 0 for any free one.`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close());
  process.stdout.write(`${banner(running)}\n`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    // What was typed instead of this script tells its errors with a code and the next command.
    const typed = process.env.PENSTOCK_TYPED;
    const told = typed === undefined ? said : `error USAGE  ${said}\nnext   ${typed} --help`;
    process.stderr.write(`${told}\n`);
    process.exitCode = 2;
  });
}
