// The pipeline document: it travels through the state machine, and every step takes and returns the same
// shape.
import * as z from 'zod';
import { Ask } from './ask.ts';
import { Manifest } from './manifest.ts';
import { Samples } from './samples.ts';
import { MAX_DRAIN_SECONDS, MAX_WARM_UP_SECONDS } from './shared-rules.ts';
import { DRAIN_SECONDS, WARM_UP_SECONDS } from './waits.ts';

/**
 * What a pipeline needs in AEP, in the order of creation; removal goes backwards. Own field groups come
 * first.
 */
export const RESOURCE_KEYS = [
  'schema',
  'base-connection',
  'mapping',
  'identity',
  'profile',
  'dataset',
  'identity-dataset',
  'source-connection',
  'target-connection',
  'flow',
] as const;

/** One of `RESOURCE_KEYS`, or `field-group:{name}`. */
export const ResourceKey = z.union([
  z.enum(RESOURCE_KEYS),
  z.templateLiteral(['field-group:', z.string().regex(/^[a-z0-9-]{1,40}$/)]),
]);
export type ResourceKey = z.infer<typeof ResourceKey>;

const Execution = z.object({
  /** ARN of the execution. */
  id: z.string(),
  /** The execution's name, which is part of the ownership tag. */
  name: z.string().regex(/^\S{1,80}$/, 'expected 1 to 80 characters without spaces'),
  /** ISO 8601. */
  startedAt: z.iso.datetime({ offset: true }),
});

const ToldDifference = z.object({ field: z.string(), found: z.string(), wanted: z.string() });

const Planned = z.object({
  resource: z.union([ResourceKey, z.enum(['publish', 'trigger'])]),
  action: z.enum(['keep', 'create', 'adopt', 'update', 'replace', 'remove', 'conflict', 'none']),
  name: z.string(),
  reason: z.string(),
  id: z.string().optional(),
  differences: z.array(ToldDifference).optional(),
  /** For a connection that is replaced: the new one reads another stream, event hub or subscription. */
  elsewhere: z.boolean().optional(),
  /** What AEP cannot undo about it. */
  irreversible: z.string().optional(),
  /** Records are read or ingested twice because of it; a warning says which. */
  readTwice: z.boolean().optional(),
});

export type Planned = z.infer<typeof Planned>;

const Made = z.object({
  id: z.string().min(1),
  name: z.string(),
  /**
   * `created` by this execution, `kept` as found, `adopted` or `updated` by it, or `given` by the manifest.
   */
  how: z.enum(['created', 'kept', 'adopted', 'updated', 'given']),
  /** Planned to be updated or adopted, and not yet done. */
  pending: z.boolean().optional(),
  /** For a mapping set: the version that the flow uses. */
  version: z.number().int().optional(),
  /** For a schema: whether it was in Profile when the step looked. */
  union: z.boolean().optional(),
  /** For a dataset: when it was made, ms since the epoch. */
  createdAt: z.number().optional(),
  /** For a flow, a schema, a field group: when it was last made or changed, ms since the epoch. */
  changedAt: z.number().optional(),
  /** For a flow: its state when the step looked. */
  state: z.string().optional(),
  /** For a base connection: a hash of its inlet, whose URL may be a secret. */
  inlet: z.string().optional(),
});

export type Made = z.infer<typeof Made>;

/** A resource of ours that is no longer needed, and is removed last. */
const Old = z.object({
  resource: ResourceKey,
  id: z.string().min(1),
  /** For a flow: it was reading when it became old. If its successor is not made, it has to read again. */
  running: z.boolean().optional(),
});
export type Old = z.infer<typeof Old>;

/** Samples that became what they must. */
export const Tried = z.object({
  /** A hash of the samples, the mapping set, and the namespace. */
  digest: z.string(),
  /** When Data Prep was asked, as ISO 8601. */
  at: z.string(),
});
export type Tried = z.infer<typeof Tried>;

/** AEP knows the types `production` and `development`. Absent: it was not asked, or did not tell. */
const ToldSandbox = z.object({ name: z.string(), type: z.string().optional() });
export type ToldSandbox = z.infer<typeof ToldSandbox>;

/** What one step did, for the report. */
const Trail = z.object({
  step: z.string(),
  ms: z.number(),
  /** AEP calls, without those for tokens. */
  calls: z.number().int(),
  /** Calls that changed something: `METHOD path`, and AEP's id of the request. */
  changes: z.array(z.object({ call: z.string(), requestId: z.string().optional() })),
});
export type Trail = z.infer<typeof Trail>;

/** An item of the ledger, as DynamoDB answers it. */
const LeaseHolder = z.object({ item: z.object({ owner: z.object({ S: z.string() }).optional() }) });

/** How an execution ended, and what it advised. */
const Before = z.object({ outcome: z.string(), endedAt: z.string(), next: z.array(z.string()) });

/** In a report. */
export const REPORT_VERSION = 2;

/** What is kept of every execution, whatever its outcome. Under 64 KB. */
export const Report = z.object({
  /** Version 1 calls the trigger `intake`. */
  version: z.union([z.literal(1), z.literal(REPORT_VERSION)]),
  pipeline: z.string(),
  mode: z.string(),
  execution: z.object({ id: z.string(), name: z.string(), startedAt: z.string(), endedAt: z.string() }),
  /** `succeeded`, `planned`, `retired`, or the error that the execution fails with. */
  outcome: z.string(),
  /** One line. */
  summary: z.string(),
  durationMs: z.number(),
  resources: z.array(
    z.object({
      resource: z.string(),
      planned: z.string(),
      /**
       * What became of it: `kept`, `created`, `adopted`, `updated`, `given`, `removed`, `undone`, `left`, or
       * `not reached`.
       */
      done: z.string(),
      name: z.string(),
      id: z.string().optional(),
      why: z.string(),
      /** What AEP cannot undo about it. */
      irreversible: z.string().optional(),
      /** Records are read or ingested twice because of it; a warning says which. */
      readTwice: z.boolean().optional(),
      differences: z.array(ToldDifference).optional(),
    }),
  ),
  /** Where it is. The type is looked up for a plan: `production` or `development`, as AEP says. */
  sandbox: ToldSandbox.optional(),
  /** Whether the plan has anything to do: to make, change or remove. */
  toDo: z.boolean().optional(),
  /** What of the pipeline's own is not needed any more: it goes last. */
  old: z.array(z.object({ resource: z.string(), id: z.string() })).optional(),
  /** Of a plan; `apply` takes it, and refuses another state. Also with a refusal, for the state as it is now. */
  token: z.string().optional(),
  /** With a refusal: what is another than in the plan of the token. Parts of lib/provision/plan/token.ts. */
  moved: z.array(z.string()).optional(),
  /** With a refusal: how the execution before it ended. `lib/provision/outcome.ts` reads it. */
  before: Before.optional(),
  warnings: z.array(z.string()),
  verified: z.array(z.string()),
  steps: z.array(Trail),
  failure: z.object({ error: z.string(), cause: z.string(), code: z.string().optional() }).optional(),
  /** What to do next; empty if there is nothing to do. */
  next: z.array(z.string()),
  /** The calls that `next` advises, in its order. */
  ask: z.array(Ask).optional(),
});
export type Report = z.infer<typeof Report>;

/** Three warm-ups, a drain and all retries have to fit into the state machine's two hours. */
const warmUp = z.number().int().min(0).max(MAX_WARM_UP_SECONDS);
const drain = z.number().int().min(0).max(MAX_DRAIN_SECONDS);

/** Of a plan: `p4.`, digests and letters. One of another version is understood as far as that. */
const PlanToken = z.string().regex(/^p\d{1,4}\.[\w.-]{1,4000}$/, 'expected the token of a plan');

/** The state machine's input; `begin` turns it into a `Pipeline`. */
export const ProvisionRequest = z.strictObject({
  manifest: z.unknown(),
  mode: z.enum(['apply', 'plan', 'retire']).default('apply'),
  /** For mode `retire`: also removes the dataset with all its data, and the schema. */
  deleteData: z.boolean().default(false),
  /** Records and the XDM expected of them: the file beside the manifest. */
  samples: Samples.optional(),
  warmUpSeconds: warmUp.default(WARM_UP_SECONDS),
  drainSeconds: drain.default(DRAIN_SECONDS),
  /** The sandbox that the sender has in mind. A manifest of another one is refused. */
  sandbox: z.string().min(1).optional(),
  /** For mode `apply`: the token of the plan that somebody has looked at. Another state is refused. */
  token: PlanToken.optional(),
  /** The delivery that asked for it, if a deploy hook did. For readers of the execution's input. */
  requestedBy: z.strictObject({ sender: z.string(), id: z.string(), digest: z.string() }).optional(),
  /** Added by the state machine. */
  execution: Execution.optional(),
});

/** As Step Functions writes it. `code` and `next` are added once a step of ours has read the Cause. */
const ErrorOutput = z.object({
  Error: z.string(),
  Cause: z.string().default(''),
  code: z.string().optional(),
  next: z.string().optional(),
});

/** What became of one thing to be removed. The texts of `removed` and `left` are for people. */
const Fate = z.object({
  resource: z.union([ResourceKey, z.enum(['publish', 'trigger'])]),
  id: z.string().optional(),
  became: z.enum(['removed', 'left']),
});
export type Fate = z.infer<typeof Fate>;

/** In the document between two states. */
export const DOCUMENT_VERSION = 2;

export const Pipeline = z.object({
  version: z.literal(DOCUMENT_VERSION),
  mode: z.enum(['apply', 'plan', 'retire']),
  manifest: Manifest,
  execution: Execution,
  deleteData: z.boolean().default(false),
  samples: Samples.optional(),
  warmUpSeconds: warmUp,
  drainSeconds: drain,
  /** For an inlet: the stream that feeds it. */
  streamArn: z.string().optional(),
  /** The organization's namespace, if the manifest needs it. */
  tenant: z.string().optional(),
  /** Ids that an earlier execution reported: looked up if a name finds nothing. */
  hints: z.partialRecord(ResourceKey, z.string()).default({}),
  /** The sandbox where an earlier execution left something that still exists. */
  home: z.string().optional(),
  plan: z.array(Planned),
  sandbox: ToldSandbox.optional(),
  /** As asked for at first; then that of the plan. */
  token: PlanToken.optional(),
  /** What is another than when the token that was asked for was made. */
  moved: z.array(z.string()).optional(),
  /** Then also how the execution before this one ended. */
  before: Before.optional(),
  warnings: z.array(z.string()).default([]),
  resources: z.partialRecord(ResourceKey, Made),
  /** Ours, and not needed any more. */
  old: z.array(Old).default([]),
  /** As the state machine found it: the execution that had the lease, if this one took it over. */
  holder: LeaseHolder.optional().catch(undefined),
  /** Whether the state machine took the lease. */
  leased: z.boolean().default(false),
  /** The fencing token of the last step that worked on the pipeline. */
  entered: z.number().int().optional(),
  /** How long the state machine waits before `verify`. */
  waitSeconds: z.number().int().min(0).default(0),
  verified: z.array(z.string()).default([]),
  /** The samples that last became what they must. */
  tried: Tried.optional(),
  published: z.enum(['written', 'kept', 'removed']).optional(),
  /** From when its route takes records, in ms since the epoch; absent where the trigger's start decides. */
  routeFrom: z.number().optional(),
  trigger: z
    .object({ id: z.string(), how: z.enum(['created', 'kept', 'removed']), startAt: z.string() })
    .optional(),
  /** Whether records take this way already: from then on nothing is undone. */
  inService: z.boolean().default(false),
  /** `resource id` of what was removed; and what could not be removed, with the reason. */
  removed: z.array(z.string()).default([]),
  left: z.array(z.string()).default([]),
  /** The same for code. */
  fates: z.array(Fate).default([]),
  trail: z.array(Trail).default([]),
  report: Report.optional(),
  /** Step Functions' own error object, added by the state machine when a step failed. */
  failure: ErrorOutput.optional(),
  /** The same for a failed rollback. */
  rollbackFailure: ErrorOutput.optional(),
});

export type Pipeline = z.infer<typeof Pipeline>;

/** The name of a resource in AEP: from the manifest, or derived from the pipeline's name. */
export function nameInAep(key: ResourceKey, manifest: Manifest): string {
  const { name, names, schema } = manifest;
  switch (key) {
    case 'schema':
      return ('title' in schema ? schema.title : undefined) ?? `${name}-schema`;
    case 'identity':
      return 'identities of the schema';
    case 'profile':
      return 'schema in Profile';
    case 'dataset':
      return manifest.dataset.name ?? `${name}-dataset`;
    case 'identity-dataset':
      return names.identityDataset ?? `${name}-identities`;
    case 'base-connection':
      return names.baseConnection ?? `${name}-${manifest.source.kind === 'inlet' ? 'inlet' : 'connection'}`;
    case 'source-connection':
      return names.sourceConnection ?? `${name}-source`;
    case 'target-connection':
      return names.targetConnection ?? `${name}-target`;
    case 'mapping':
      return names.mapping ?? `${name}-mapping`;
    case 'flow':
      return names.flow ?? `${name}-flow`;
    default:
      return (
        ownGroups(manifest).find((group) => keyOfGroup(group) === key)?.title ?? `${name}-${key.slice(12)}`
      );
  }
}

/** The field groups that a manifest defines itself. */
export function ownGroups({ schema }: Manifest) {
  return 'id' in schema ? [] : schema.fieldGroups.filter((group) => typeof group !== 'string');
}

export function keyOfGroup({ name }: { name: string }): ResourceKey {
  return `field-group:${name}`;
}

/**
 * Converts a document of version 1, from release 0.1.0, which calls the trigger `intake`. Others are returned
 * unchanged.
 */
export function fromVersion1(document: unknown): unknown {
  const { intake, ...rest } = { ...(document as Readonly<Record<string, unknown>> | null) };
  if (rest.version !== 1) return document;
  const members = Object.entries(rest).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map(withTrigger) : value,
  ]);
  const trigger = intake === undefined ? {} : { trigger: intake };
  const fates = [...fatesIn(rest.removed, 'removed'), ...fatesIn(rest.left, 'left')];
  return { ...Object.fromEntries(members), ...trigger, fates, version: DOCUMENT_VERSION };
}

/** Version 1 has its fates in text alone: "{resource} {id}", or the name of what has no id, and a reason behind what is left. */
function fatesIn(texts: unknown, became: Fate['became']): Fate[] {
  return (Array.isArray(texts) ? texts : []).flatMap((text): Fate[] => {
    const [name = '', id] = String(text)
      .replace(/ \([\s\S]*$/, '')
      .split(' ');
    if (name === 'published') return [{ resource: 'publish', became }];
    if (name === 'intake') return [{ resource: 'trigger', became }];
    const resource = ResourceKey.safeParse(name);
    return resource.success && id !== undefined ? [{ resource: resource.data, id, became }] : [];
  });
}

function withTrigger(one: unknown): unknown {
  const { resource } = { ...(one as { readonly resource?: unknown } | null) };
  return resource === 'intake' ? { ...(one as object), resource: 'trigger' } : one;
}

/** What a document has of an execution that has done nothing yet. */
export function nothingYet() {
  return {
    hints: {},
    plan: [],
    warnings: [],
    resources: {},
    old: [],
    leased: false,
    waitSeconds: 0,
    verified: [],
    inService: false,
    removed: [],
    left: [],
    fates: [],
    trail: [],
  } satisfies Partial<Pipeline>;
}
