// The processes of a measurement: the inlet, a load for each candidate, and the bundles they run.
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { ROUTED_STREAM_ARN, STREAM_ARN } from './event.ts';
import type { InletCounts, InletMode, InletPorts } from './inlet.ts';
import type { Load, Sample } from './load.ts';

export const PEERS = ['tutorial', 'powertools', 'axios', 'plain', 'decoding', 'bound'] as const;
/** `routes`: the forwarder with a stream of several routes; `before`: an earlier bundle of it. */
export type Candidate = 'penstock' | 'routes' | 'before' | 'syslog-ng' | (typeof PEERS)[number];
export type Scheme = 'http' | 'https';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORK = join(ROOT, '.penstock/bench');
const FORWARD = join(ROOT, 'dist/functions/forward.cjs');
/** What `serverless.yml` packs for the forwarder. */
export const PACKAGED = [FORWARD, join(ROOT, 'dist/functions/s3.cjs')];
/** A bundle of the forwarder that was built before a change, to be held against. */
export const BEFORE = process.env.PENSTOCK_BENCH_BEFORE;
const BODIES = join(WORK, 'bodies');

/** Builds what is deployed by the script that builds it for that, and the peers and the load the ordinary way. */
export async function buildAll(...options: string[]): Promise<void> {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  await promisify(execFile)(process.execPath, ['scripts/build.ts', ...options], { cwd: ROOT });
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['bench/load.ts', 'bench/cold.ts', ...PEERS.map((peer) => `bench/peers/${peer}.ts`)],
    outdir: WORK,
    outbase: 'bench',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    logLevel: 'warning',
  });
}

function bundleOf(candidate: Candidate): string {
  if (candidate === 'before') return BEFORE ?? FORWARD;
  const isOwn = candidate === 'penstock' || candidate === 'routes';
  return isOwn ? FORWARD : join(WORK, `peers/${candidate}.cjs`);
}

export class Inlet {
  readonly ports: InletPorts;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: InletPorts) {
    this.#child = child;
    this.ports = ports;
  }

  static async start(): Promise<Inlet> {
    const child = fork(new URL('inlet.ts', import.meta.url), { serialization: 'advanced' });
    const [ports] = (await once(child, 'message')) as [InletPorts];
    writeFileSync(join(WORK, 'certificate.pem'), ports.cert);
    return new Inlet(child, ports);
  }

  url(scheme: Scheme): string {
    return `${this.ports[scheme]}/collection/${'a'.repeat(64)}`;
  }

  /** Sets its ways and its counts back to nothing. */
  async set(mode: InletMode, scheme: Scheme): Promise<void> {
    const routes = routesFor(this.url(scheme));
    await this.#ask({ mode: { ...mode, secret: JSON.stringify(publishedFor(this.url(scheme))), routes } });
  }

  async counts(): Promise<InletCounts> {
    return (await this.#ask('counts')) as InletCounts;
  }

  async #ask(question: object | string): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(question);
    return (await answer)[0];
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** What provisioning would have published for a raw pipeline whose inlet asks for no token. */
function publishedFor(inletUrl: string) {
  return {
    version: 1,
    pipeline: 'bench',
    streamArn: STREAM_ARN,
    sandbox: 'dev1',
    organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
    data: 'raw',
    compression: 'none',
    inletUrl,
    authenticationRequired: false,
    flowId: 'flow',
    datasetId: 'dataset',
    schemaId: 'schema',
    sourceName: 'bench',
    execution: 'bench',
    publishedAt: '2026-01-01T00:00:00Z',
  };
}

/** The family names of the sample records, divided among eight routes: each record is taken by one. */
const ROUTES = [
  ['Reis', '佐藤'],
  ['Smith', 'da Silva'],
  ['Müller'],
  ['Nowak'],
  ['Nguyễn'],
  ['Haddad'],
  ["O'Neill"],
  ['Okafor'],
];

/** Each has an inlet of its own, as provisioning makes it. */
function routesFor(inletUrl: string): Record<string, string> {
  const documents = ROUTES.map((oneOf, number) => ({
    ...publishedFor(inletUrl.replace(/a+$/, (id) => String(number).repeat(id.length))),
    streamArn: ROUTED_STREAM_ARN,
    pipeline: `route-${number}`,
    datasetId: `dataset-${number}`,
    records: { where: [{ field: '/lastName', oneOf }] },
  }));
  return Object.fromEntries(documents.map((one) => [one.pipeline, JSON.stringify(one)]));
}

/** Where the inlet keeps the bodies of an event, for the bound to send. */
export function bodiesFolder(records: number, bytes: number): string {
  return join(BODIES, `${records}x${bytes}`);
}

function environment(inlet: Inlet, scheme: Scheme): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: inlet.ports.secrets,
    AWS_ENDPOINT_URL_DYNAMODB: inlet.ports.secrets,
    PENSTOCK_TABLE: 'bench',
    PENSTOCK_INLET_ORIGINS: inlet.ports[scheme],
    PENSTOCK_DEAD_LETTERS_URL: pathToFileURL(join(WORK, 'dead-letter')).href,
    BENCH_INLET_URL: inlet.url(scheme),
    BENCH_BODIES: BODIES,
    ...(scheme === 'https' && { NODE_EXTRA_CA_CERTS: join(WORK, 'certificate.pem') }),
  };
}

/** A candidate in a process of its own, which is kept: warm from its second event on. */
export class Loader {
  readonly candidate: Candidate;
  readonly #child: ChildProcess;

  private constructor(candidate: Candidate, child: ChildProcess) {
    this.candidate = candidate;
    this.#child = child;
  }

  static async start(candidate: Candidate, inlet: Inlet, scheme: Scheme): Promise<Loader> {
    const child = fork(join(WORK, 'load.cjs'), [bundleOf(candidate)], {
      execArgv: ['--expose-gc'],
      env: environment(inlet, scheme),
      // What a function logs goes to a pipe in Lambda too; nobody reads it here.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await messageFrom(child);
    return new Loader(candidate, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async run(load: Load): Promise<Sample> {
    this.#child.send(load);
    const answer = (await messageFrom(this.#child)) as { sample: Sample } | { error: string };
    if ('error' in answer) throw new Error(`${this.candidate}: ${answer.error}`);
    return answer.sample;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** The next message; a process that ends instead is an error. */
async function messageFrom(child: ChildProcess): Promise<unknown> {
  const done = new AbortController();
  const exited = once(child, 'exit', { signal: done.signal }).then(([code]) => {
    throw new Error(`a process ended with ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: done.signal }), exited])) as [
      unknown,
    ];
    return message;
  } finally {
    exited.catch(() => undefined);
    done.abort();
  }
}

/** From the start of a process to the first request that the inlet has received whole, in ms. */
export async function coldStart(
  candidate: Candidate,
  inlet: Inlet,
  scheme: Scheme,
  event: string,
): Promise<number> {
  await inlet.set({}, scheme);
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, [join(WORK, 'cold.cjs'), bundleOf(candidate), event], {
    env: environment(inlet, scheme),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number];
  const { firstAt } = await inlet.counts();
  if (code !== 0 || firstAt === undefined) throw new Error(`${candidate}: the first event was not delivered`);
  return Number(BigInt(firstAt) - started) / 1e6;
}

/** A file with the event for a cold start. */
export function eventFile(text: string): string {
  const file = join(WORK, 'event.json');
  writeFileSync(file, text);
  return file;
}
