// What the simulator's own pages take and answer, as JSON Schemas of their OpenAPI document.

import { FAULT_KINDS } from './fault-kinds.ts';
import type { JsonObject } from './json.ts';
import { REFUSALS } from './pulled/memory.ts';
import { DAY_MS, MAX_SANDBOXES, SANDBOX_NAME, TENANT_NAME } from './tenants.ts';

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const anything = {} as const;
const time = { type: 'number', description: 'milliseconds since 1970' } as const;
const orNull = (type: string) => ({ type: [type, 'null'] });

/** Ten years: a date has an end, and nobody waits for it. */
export const MAX_ADVANCE_MS = 3_650 * 86_400_000;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });
const mapOf = (values: JsonObject): JsonObject => ({ type: 'object', additionalProperties: values });

/** An object of these members and no others; those that end in `?` may be absent. */
function object(members: Readonly<Record<string, JsonObject>>): JsonObject {
  const all = Object.entries(members);
  const required = all.map(([name]) => name).filter((name) => !name.endsWith('?'));
  return {
    type: 'object',
    properties: Object.fromEntries(all.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** The same with any other members beside them, which are not looked at. */
function open(members: Readonly<Record<string, JsonObject>>): JsonObject {
  const { additionalProperties: _, ...schema } = object(members);
  return schema;
}

/** What a fault is told by; `id`, `seen` and `struck` are what became of it. */
const FAULT = {
  kind: {
    enum: Object.keys(FAULT_KINDS),
    description: 'what it does: see `kinds` of GET /_simulator/faults',
  },
  'method?': { ...text, description: 'any method without it' },
  'path?': {
    type: 'string',
    pattern: '^/',
    description: '`*` is one segment, `**` any number; any path without it',
  },
  'after?': { ...count, description: 'leaves so many calls that match alone' },
  'times?': { ...count, description: 'how often it strikes; always without it' },
  'probability?': { type: 'number', minimum: 0, maximum: 1, description: 'drawn from the seed' },
  'latencyMs?': count,
  'status?': { type: 'integer', minimum: 200, maximum: 599 },
  'body?': anything,
  'headers?': mapOf(text),
  'retryAfter?': { type: ['string', 'number'] },
  'bytes?': count,
  'staleMs?': count,
  'count?': count,
  'messages?': list(count),
  'containing?': text,
  'shape?': { enum: ['A', 'B'] },
  'field?': { enum: ['status', 'statusCode'] },
  'asText?': flag,
  'message?': text,
};

const DATASET = {
  id: text,
  name: orNull('string'),
  sandbox: text,
  schemaId: orNull('string'),
  tags: { type: 'object' },
  landed: count,
  refused: count,
};

const SANDBOX = {
  name: text,
  type: { enum: ['production', 'development'] },
  schemas: count,
  fieldGroups: count,
  descriptors: count,
  dataSets: count,
  connections: count,
  sourceConnections: count,
  targetConnections: count,
  mappingSets: count,
  batches: count,
  flows: list(
    object({
      id: text,
      name: orNull('string'),
      state: text,
      acceptsFrom: { ...time, description: 'what is sent before is answered as usual, and lost' },
      warm: flag,
    }),
  ),
};

const COUNTS = {
  requests: count,
  received: count,
  landed: count,
  refused: count,
  lost: count,
  dropped: count,
  profileOnly: count,
  linked: count,
  warnings: count,
  forgotten: { ...count, description: 'rows and refusals that are not kept any more' },
  requestsForgotten: count,
};

const LOSS = {
  reason: text,
  inletId: text,
  flowId: orNull('string'),
  messages: count,
  lastAt: time,
};

const ENTRY = {
  number: { type: 'integer', minimum: 1 },
  at: time,
  method: text,
  path: text,
  query: { type: 'object' },
  headers: { type: 'object' },
  body: anything,
  status: { type: 'integer', minimum: 0, maximum: 599, description: '0 where the connection was cut' },
  replyHeaders: { type: 'object' },
  reply: anything,
  durationMs: { type: 'number', minimum: 0 },
  faults: { ...list(text), description: 'kinds of the faults that struck' },
};

const SOURCE = {
  sandbox: text,
  flowId: text,
  flow: text,
  sourceConnectionId: text,
  kind: { enum: ['kinesis', 'event-hubs', 'pubsub'] },
  place: text,
  state: { enum: ['reading', 'idle', 'failing'] },
  'why?': text,
  read: count,
  dropped: count,
  reads: count,
  throttled: count,
  caughtUpBy: { type: 'integer' },
};

const REFUSED_ROW = {
  batchId: text,
  at: time,
  stage: { enum: ['mapper', 'streamingValidation'] },
  code: text,
  violations: list({ type: 'object' }),
  header: { type: 'object' },
  body: { type: 'object' },
  source: { ...anything, description: 'the record as it was sent' },
};

const EVENT = open({ body: text, 'partitionId?': anything, 'enqueuedTimeUtc?': anything });
const MESSAGE = open({ 'data?': text, 'attributes?': anything, 'publishTime?': anything });

const upToADay = { type: 'integer', minimum: 0, maximum: DAY_MS };

/** What is left out is as the server has it. */
const TENANT_OPTIONS = {
  'warmUpMs?': upToADay,
  'sandboxes?': {
    ...list({ type: 'string', pattern: SANDBOX_NAME.source, not: { const: 'prod' } }),
    maxItems: MAX_SANDBOXES,
    uniqueItems: true,
    description: 'besides `prod`',
  },
  'tenant?': { type: 'string', pattern: TENANT_NAME.source },
  'tokenSeconds?': { type: 'integer', minimum: 1, maximum: 86_400 },
  'staleMs?': upToADay,
  'ingestDelayMs?': upToADay,
  'rateLimits?': flag,
  'seed?': { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
};

const TENANT = {
  id: text,
  url: { ...text, description: 'takes the place of the address of Adobe and of IMS; inlets are there too' },
  organization: text,
  tenant: text,
  clientId: text,
  clientSecret: text,
  scopes: list(text),
  sandboxes: list(text),
  createdAt: time,
};

export const SCHEMAS: JsonObject = {
  Problem: {
    type: 'object',
    description: '`title` says what is wrong in one word; `detail` is for people',
    properties: {
      type: text,
      status: { type: 'integer' },
      title: { type: 'string', pattern: '^[A-Za-z]+$' },
      detail: text,
    },
    required: ['type', 'status', 'title', 'detail'],
  },
  Pages: object({
    simulated: text,
    openapi: { ...text, description: 'where this document is' },
    sources: list(ref('Source')),
    pages: mapOf(text),
    faultKinds: mapOf(text),
    notSimulated: { ...mapOf(list(text)), description: 'what Experience Platform has and this has not' },
  }),
  Document: { type: 'object', required: ['openapi', 'info', 'paths'] },
  State: object({
    simulated: { const: true },
    now: time,
    organization: text,
    tenant: text,
    credentials: list(object({ clientId: text, scopes: list(text) })),
    warmUpMs: count,
    counts: object(COUNTS),
    losses: { ...list(object(LOSS)), description: 'messages that were accepted and went nowhere' },
    unlinked: { ...mapOf(count), description: 'identities that were not linked, by the reason' },
    sandboxes: list(object(SANDBOX)),
  }),
  DataSet: object(DATASET),
  DataSets: object({ datasets: list(ref('DataSet')) }),
  Rows: object({ total: count, rows: list({ type: 'object' }) }),
  RefusedRows: object({ total: count, rows: list(object(REFUSED_ROW)) }),
  Journal: object({ entries: list(object(ENTRY)) }),
  FaultSpec: object(FAULT),
  Fault: object({ ...FAULT, id: text, seen: count, struck: count }),
  Faults: object({
    seed: count,
    faults: list(ref('Fault')),
    kinds: { ...mapOf(text), description: 'what each kind does' },
  }),
  FaultRun: {
    description: 'one fault, a list, or what GET /_simulator/faults has answered; all of them or none',
    oneOf: [
      ref('FaultSpec'),
      list(ref('FaultSpec')),
      object({
        'seed?': { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
        faults: list(object({ ...FAULT, 'id?': text, 'seen?': count, 'struck?': count })),
        'kinds?': { type: 'object' },
      }),
    ],
  },
  AddedFaults: object({ faults: list(ref('Fault')) }),
  Source: object(SOURCE),
  Sources: object({ sources: list(ref('Source')) }),
  SourceRecords: open({ records: list({ anyOf: [EVENT, MESSAGE] }) }),
  TakenRecords: object({ place: text, records: count }),
  SourceRefusal: open({ 'why?': { enum: [...Object.keys(REFUSALS), null] } }),
  Advance: open({ advanceMs: { type: 'number', minimum: 0, maximum: MAX_ADVANCE_MS } }),
  Now: object({ now: time }),
  Snapshot: object({ id: text, at: time }),
  Snapshots: object({ snapshots: list(ref('Snapshot')), most: count }),
  TenantOptions: object(TENANT_OPTIONS),
  Tenant: object(TENANT),
  Tenants: object({ tenants: list(ref('Tenant')), most: count }),
  Differences: object({
    there: text,
    asked: count,
    same: count,
    different: count,
    notAsked: { ...mapOf(count), description: 'reads that were not sent, by the reason' },
    differences: list(object({ operation: text, what: text, times: count })),
  }),
};
