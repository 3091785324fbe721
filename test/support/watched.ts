// A stack as the page looks at it, without one that runs: a simulated platform, and executions that are told.
import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Manifest } from '../../lib/manifest.ts';
import { Manifest as ManifestSchema } from '../../lib/manifest.ts';
import { nothingYet } from '../../lib/pipeline.ts';
import { createPlatform, type Platform } from '../../local/aep/platform.ts';
import type { Execution } from '../../local/aws/executions.ts';
import type { Mapping } from '../../local/aws/mapping.ts';
import { createLocalMetrics } from '../../local/aws/metrics.ts';
import type { Watched } from '../../local/page/watched.ts';

export interface Told extends Watched {
  readonly platform: { readonly origin: string; readonly platform: Platform };
  readonly told: Execution[];
  readonly mappings: Mapping[];
}

export const ORIGIN = 'http://127.0.0.1:4010';

/** @param folder of the dead-letter store; none is there where it is left out */
export function toldStack(folder = '/nowhere'): Told {
  const told: Execution[] = [];
  const mappings: Mapping[] = [];
  return {
    platform: { origin: ORIGIN, platform: createPlatform({ seed: 1, keepRequests: 100_000 }) },
    executions: { all: told },
    platformTimeOf: ({ at }) => at,
    aws: {
      mappings: {
        all: mappings,
        progress: () => ({ invocations: 3, records: 12, redelivered: 2, discarded: 0, shards: [] }),
      },
    },
    metrics: createLocalMetrics(),
    streams: {
      client: new KinesisClient({ endpoint: 'http://127.0.0.1:9', region: 'eu-west-1', maxAttempts: 1 }),
      arn: (name) => `arn:aws:kinesis:eu-west-1:123456789012:stream/${name}`,
      published: async () => undefined,
    },
    redrive: () => Promise.reject(new Error('nothing is sent again here')),
    deadLettersFolder: folder,
    told,
    mappings,
  };
}

export function manifestOf(name: string, more: object = {}): Manifest {
  return ManifestSchema.parse({
    version: 1,
    name,
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'shop', data: 'raw' },
    schema: { class: 'profile', fieldGroups: ['profile-person-details'] },
    mapping: [{ source: '_id', destination: '_id' }],
    ...more,
  });
}

/** An execution that has made everything, or retired it. */
export function succeeded(manifest: Manifest, mode: 'apply' | 'retire' = 'apply'): Execution {
  const { name } = manifest;
  const made = (id: string) => ({ id: `${name}-${id}`, name: `${name}-${id}`, how: 'created' as const });
  const output = {
    ...nothingYet(),
    version: 2,
    mode,
    manifest,
    execution: { id: `arn:${name}`, name, startedAt: '2026-11-29T08:00:00.000Z' },
    warmUpSeconds: 1,
    drainSeconds: 1,
    resources: {
      schema: made('schema'),
      'base-connection': made('inlet'),
      mapping: made('mapping'),
      dataset: made('dataset'),
      flow: made('flow'),
    },
  };
  return { ...executionOf(manifest, mode), status: 'SUCCEEDED', output };
}

/** An execution that runs. */
export function executionOf(manifest: unknown, mode: 'apply' | 'plan' | 'retire' = 'apply'): Execution {
  return {
    executionArn: 'arn:aws:states:eu-west-1:000000000000:execution:penstock-dev-provision:one',
    name: 'one',
    startDate: new Date(0),
    input: { manifest, mode },
    status: 'RUNNING',
    events: [],
    result: new Promise(() => undefined),
  };
}
