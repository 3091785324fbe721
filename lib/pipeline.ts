// The pipeline document: what travels through the state machine, in and out of every step in the same shape.
import * as z from 'zod';
import { Manifest } from './manifest.ts';

/** What a pipeline needs in AEP, in the order in which it is made. Undone backwards. */
export const RESOURCE_KINDS = [
  'schema',
  'dataset',
  'base-connection',
  'source-connection',
  'target-connection',
  'mapping',
  'flow',
] as const;

export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Adobe asks for at least five minutes between making a flow and sending to it. Contract §4.6. */
export const WARM_UP_SECONDS = 300;

const Execution = z.object({
  /** ARN of the execution. */
  id: z.string(),
  /** Its name, which marks what it makes. */
  name: z.string().regex(/^\S{1,80}$/, 'expected 1 to 80 characters without spaces'),
  /** ISO 8601. */
  startedAt: z.iso.datetime({ offset: true }),
});

const Planned = z.object({
  resource: z.enum([...RESOURCE_KINDS, 'publish', 'intake']),
  action: z.enum(['keep', 'create', 'conflict', 'update', 'none']),
  name: z.string(),
  reason: z.string(),
  id: z.string().optional(),
});

export type Planned = z.infer<typeof Planned>;

const Made = z.object({
  id: z.string().min(1),
  name: z.string(),
  /** `created` by this execution, `kept` as found, or `given` by the manifest. */
  how: z.enum(['created', 'kept', 'given']),
  /** Of a mapping set: the version the flow uses. */
  version: z.number().int().optional(),
  /** Of a flow: when it was made or changed last, ms since the epoch. */
  changedAt: z.number().optional(),
});

export type Made = z.infer<typeof Made>;

/** What starts a state machine; `plan` turns it into a `Pipeline`. */
export const ProvisionRequest = z.strictObject({
  manifest: z.unknown(),
  mode: z.enum(['apply', 'plan']).default('apply'),
  warmUpSeconds: z.number().int().min(0).max(3_600).default(WARM_UP_SECONDS),
  /** Added by the state machine. */
  execution: Execution.optional(),
});

export const Pipeline = z.object({
  version: z.literal(1),
  mode: z.enum(['apply', 'plan']),
  manifest: Manifest,
  execution: Execution,
  warmUpSeconds: z.number().int().min(0),
  streamArn: z.string(),
  plan: z.array(Planned),
  resources: z.partialRecord(z.enum(RESOURCE_KINDS), Made),
  /** How long the machine waits before it verifies. */
  waitSeconds: z.number().int().min(0).default(0),
  verified: z.array(z.string()).default([]),
  published: z.enum(['written', 'kept']).optional(),
  intake: z.object({ id: z.string(), how: z.enum(['created', 'kept']), startAt: z.string() }).optional(),
  /** Put here by the state machine when a step failed: Step Functions' own error object. */
  failure: z.object({ Error: z.string(), Cause: z.string().default('') }).optional(),
});

export type Pipeline = z.infer<typeof Pipeline>;

/** The name of a resource in AEP: as the manifest says, else after the pipeline. */
export function nameOf(kind: ResourceKind, manifest: Manifest): string {
  switch (kind) {
    case 'schema':
      return ('title' in manifest.schema ? manifest.schema.title : undefined) ?? `${manifest.name}-schema`;
    case 'dataset':
      return manifest.dataset.name ?? `${manifest.name}-dataset`;
    case 'base-connection':
      return manifest.names.baseConnection ?? `${manifest.name}-inlet`;
    case 'source-connection':
      return manifest.names.sourceConnection ?? `${manifest.name}-source`;
    case 'target-connection':
      return manifest.names.targetConnection ?? `${manifest.name}-target`;
    case 'mapping':
      return manifest.names.mapping ?? `${manifest.name}-mapping`;
    case 'flow':
      return manifest.names.flow ?? `${manifest.name}-flow`;
  }
}
