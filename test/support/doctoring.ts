// The doctor in a test: a provisioned pipeline in the simulated platform, every part of its surroundings at hand to be broken.
import { expect } from 'vitest';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { type Diagnosis, doctor } from '../../lib/doctor/doctor.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { DoctorRuntime, StreamDescription, Trigger } from '../../lib/runtime.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import { inletManifest, position, sandboxOf, sent, type World } from '../provision/cases.ts';
import { SHARD_ID } from './forwarding.ts';
import { memoryMarks } from './marks.ts';
import { world } from './provisioning.ts';
import { memoryS3 } from './s3.ts';
import { CREDENTIALS } from './scripted.ts';

export const PLATFORM = 'http://127.0.0.1:4020';
export const CREDENTIALS_SECRET = 'penstock/dev/credentials';
export const PUBLISHED_SECRET = 'penstock/dev/streams/customers/people';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What surrounds the pipeline, to be changed by a test. */
export interface Surroundings {
  readonly own: World;
  readonly resources: Pipeline['resources'];
  readonly runtime: Mutable<DoctorRuntime>;
  /** The client secrets that IMS takes. */
  readonly clientSecrets: string[];
  /** What the platform's clock is ahead, in ms; `undefined`: it sends no date. */
  skewMs: number | undefined;
  /** Hosts that do not answer. */
  readonly dead: Set<string>;
  /** The stream, as Kinesis describes it. */
  stream: StreamDescription;
  /** What Lambda says of the trigger besides what the memory knows. */
  trigger: Partial<Trigger>;
}

export async function surroundings(
  manifest: Record<string, unknown> = inletManifest(),
  prepare: (own: World) => void = () => undefined,
  options: PlatformOptions = {},
): Promise<Surroundings> {
  const s3 = memoryS3();
  const clientSecrets = [CREDENTIALS.clientSecret];
  const own = world({ credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets }], ...options });
  prepare(own);
  const { cause, status, document } = await own.run({ manifest });
  expect(cause ?? status).toBe('SUCCEEDED');
  own.time.now += 3_600_000;
  const { runtime: base } = own;
  const all: Surroundings = {
    own,
    resources: document.resources,
    clientSecrets,
    skewMs: 0,
    dead: new Set(),
    stream: { state: 'ACTIVE', retentionHours: 24 },
    trigger: { lastResult: 'OK', changedAt: own.time.now - 60_000, maximumRecordAgeSeconds: 69_120 },
    runtime: {
      ...base,
      // Each at an origin of its own, so that any can be away by itself.
      settings: { ...base.settings, platformUrl: PLATFORM, imsUrl: 'http://127.0.0.1:4030' },
      fetch: async (url, init) => {
        if (all.dead.has(new URL(url).origin)) throw new TypeError('fetch failed');
        const answer = await base.fetch(url, init);
        const date = new Date(own.time.now + (all.skewMs ?? 0)).toUTCString();
        const get = (name: string) =>
          name === 'date' && all.skewMs !== undefined ? date : answer.headers.get(name);
        return { status: answer.status, body: answer.body, headers: { get } };
      },
      streams: { ...base.streams, describe: async () => all.stream },
      triggers: {
        find: async (arn) => {
          const found = await base.triggers.find(arn);
          return found && { ...found, ...all.trigger };
        },
      },
      deadLetters: createDeadLetters('s3://store', async () => s3.client),
      marks: memoryMarks(),
      stream: {
        shards: async () => [SHARD_ID],
        pages: () => {
          throw new Error('the doctor reads no record');
        },
      },
      forwardLog: {
        batches: () => {
          throw new Error('the doctor looks for no record');
        },
        waiting: () => {
          throw new Error('the doctor reads no log where a stream has one pipeline');
        },
      },
    },
  };
  return all;
}

/** Asks the doctor, and makes sure that nothing was done but looking, and that nothing secret is told. */
export async function ask(all: Surroundings, pipeline = 'people'): Promise<Diagnosis> {
  const { own, runtime } = all;
  const kept = () => JSON.stringify([[...own.ledger.items], [...own.secrets.values], [...own.triggers.all]]);
  const [from, before] = [position(own), kept()];
  const writes = own.secrets.writes() + own.triggers.writes();
  const found = await doctor({ pipeline, doctor: true }, runtime);
  const changing = sent(own, from).filter(
    ({ method, path }) => method !== 'GET' && !path.startsWith('/ims/'),
  );
  expect(changing).toEqual([]);
  // Nothing at all is sent to the inlet.
  expect(sent(own, from).filter(({ path }) => path.startsWith('/collection'))).toEqual([]);
  expect([kept(), own.secrets.writes() + own.triggers.writes()]).toEqual([before, writes]);
  const told = JSON.stringify([found, own.logged]);
  for (const secret of [...secretsOf(own), ...own.platform.state.tokens.keys()])
    expect(told).not.toContain(secret);
  expect(found.says).not.toContain('\n');
  for (const { state, next } of found.checks) expect(next !== undefined).toBe(state === 'not ok');
  return found;
}

function secretsOf(own: World): string[] {
  const { clientSecret, previousClientSecret } = read(own.secrets.values.get(CREDENTIALS_SECRET));
  const { inletUrl } = read(own.secrets.values.get(PUBLISHED_SECRET));
  const inlets = [...own.platform.state.inlets.keys()];
  return [clientSecret, previousClientSecret, inletUrl, ...inlets].filter((one) => typeof one === 'string');
}

function read(text: string | undefined): Record<string, unknown> {
  try {
    return JSON.parse(text ?? '{}') as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A failed batch of the pipeline's dataset. */
export function failBatch({ own, resources }: Surroundings, code: string, created: number): void {
  const id = `batch-${created}-${code}`;
  const violation = { keyword: 'type', message: 'canary', pointerToViolation: '#', schemaLocation: '#' };
  sandboxOf(own).batches.set(id, {
    id,
    dataSetId: resources.dataset?.id ?? '',
    flowId: resources.flow?.id ?? '',
    created,
    sealAt: created,
    updated: created,
    bytes: 1,
    rowCount: 0,
    rows: [],
    refused: [
      { stage: 'streamingValidation', code, violations: [violation], header: {}, body: {}, source: {} },
    ],
  });
}
