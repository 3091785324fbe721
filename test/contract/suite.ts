// The contract suite: calls of Penstock's client, and bare ones, that are made to two platforms alike, and what each answered.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Aep,
  type Clock,
  CONNECTION_SPECS,
  createAep,
  type FetchInit,
  FLOW_SPECS,
  inletAddress,
  postBatch,
  type Sessions,
  systemClock,
} from '../../lib/aep/index.ts';
import { isFailure } from '../../lib/failure.ts';
import type { RealOptions } from '../../local/aep/compare/real.ts';
import { parsed } from '../../local/aep/compare/real.ts';
import type { Seen } from '../../local/aep/compare/shapes.ts';
import { ASSUMPTIONS, AT_THE_INLET } from './assumptions.ts';
import { type Resource, removeAll } from './removal.ts';
import { type Around, type Bare, inletOf, Missing, of, type Step } from './step.ts';

/** A platform to ask, and how it is reached. */
export type Target = RealOptions;

/** What a step brought: each answer in order, and how it ended. */
export interface Observed {
  readonly answers: readonly Seen[];
  /** `ok`, the code of the client's Failure, or why it was not asked. */
  readonly outcome: string;
  readonly asked: boolean;
  /** What the client's code relies on, and whether it is so. */
  readonly facts: ReadonlyMap<string, boolean>;
}

const NOBODY = '00000000-0000-4000-8000-000000000000';
const FLOWS = '/data/foundation/flowservice';
const PREP = '/data/foundation/conversion';
const CATALOG = '/data/foundation/catalog';
const REGISTRY = '/data/foundation/schemaregistry';
const XDM = 'https://ns.adobe.com/xdm/context/';
const JSON_BODY = { 'content-type': 'application/json' };

const XED_ID = 'application/vnd.adobe.xed-id+json';

/** Reads that need nothing, and change nothing: a name, a path, and what is accepted. */
export const READS: readonly (readonly [name: string, path: string, accept?: string])[] = [
  ['the namespaces', '/data/core/idnamespace/identities'],
  ['the sandboxes that the caller may use', '/data/foundation/sandbox-management/'],
  ['the classes of Adobe', `${REGISTRY}/global/classes?limit=1`, XED_ID],
  [
    'a class of Adobe',
    `${REGISTRY}/global/classes/${encodeURIComponent(`${XDM}profile`)}`,
    'application/vnd.adobe.xed+json; version=1',
  ],
  ['the field groups of Adobe', `${REGISTRY}/global/fieldgroups?limit=1`, XED_ID],
  ['the field groups of the tenant', `${REGISTRY}/tenant/fieldgroups?limit=1`, XED_ID],
  ['descriptors', `${REGISTRY}/tenant/descriptors?limit=1`, 'application/vnd.adobe.xdm+json'],
  ['a connection spec', `${FLOWS}/connectionSpecs/${CONNECTION_SPECS.httpApi}`],
  ['a flow spec', `${FLOWS}/flowSpecs/${FLOW_SPECS.streaming}`],
  ['runs', `${FLOWS}/runs?limit=1`],
  ['the last batches', `${CATALOG}/lastBatches?limit=1`],
  ["Data Prep's functions", `${PREP}/languages/el/functions`],
  ["Data Prep's operators", `${PREP}/languages/el/operators`],
];

const described = (mark: string, what: string) => ({ name: `${mark} ${what}`, description: mark });
const mappings = [
  { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
  { sourceType: 'ATTRIBUTE', source: 'first', destination: 'person.name.firstName' },
] as const;

/** In dependency order. What is sent to the inlet comes before there is a flow: it lands nowhere. */
export const STEPS: readonly Step[] = [
  { name: 'the tenant', run: ({ aep }) => aep.schemaRegistry.tenantId() },
  {
    name: 'no token',
    run: ({ bare }) => bare('GET', `${REGISTRY}/stats`, { headers: { authorization: undefined } }),
  },
  {
    name: 'a made-up token',
    run: ({ bare }) => bare('GET', `${REGISTRY}/stats`, { headers: { authorization: 'Bearer made-up' } }),
  },
  {
    name: 'no api key',
    run: ({ bare }) => bare('GET', `${REGISTRY}/stats`, { headers: { 'x-api-key': undefined } }),
  },
  {
    name: 'no organization',
    run: ({ bare }) => bare('GET', `${REGISTRY}/stats`, { headers: { 'x-gw-ims-org-id': undefined } }),
  },
  {
    name: 'Flow Service without a sandbox',
    run: ({ bare }) => bare('GET', `${FLOWS}/flows`, { headers: { 'x-sandbox-name': undefined } }),
  },
  {
    name: 'a sandbox that is none',
    run: ({ bare, mark }) => bare('GET', `${FLOWS}/flows`, { headers: { 'x-sandbox-name': mark } }),
  },
  {
    name: 'mapping sets without conversion in the path',
    run: ({ bare }) => bare('GET', '/data/foundation/mappingSets?limit=1&start=0'),
  },
  ...READS.map(([name, path, accept]) => ({
    name,
    run: ({ bare }: Around) => bare('GET', path, accept === undefined ? {} : { headers: { accept } }),
  })),
  { name: 'a schema that is none', run: ({ aep }) => aep.schemaRegistry.getSchema('nobody') },
  { name: 'a dataset that is none', run: ({ bare }) => bare('GET', `${CATALOG}/dataSets/${'0'.repeat(24)}`) },
  { name: 'a connection that is none', run: ({ aep }) => aep.flowService.getConnection(NOBODY) },
  { name: 'a flow that is none', run: ({ aep }) => aep.flowService.getFlow(NOBODY) },
  {
    name: 'a mapping set that is none',
    run: ({ bare }) => bare('GET', `${PREP}/mappingSets/${'0'.repeat(32)}`),
  },
  {
    name: 'a schema is made',
    run: async ({ aep, made, mark, later }) => {
      const parts = ['profile', 'profile-person-details'].map((name) => XDM + name);
      const schema = await aep.schemaRegistry.createSchema({ title: mark, description: mark, parts });
      made.schemaId = schema.$id;
      later('schema', schema.$id);
    },
  },
  { name: 'a schema is read', run: ({ aep, made }) => aep.schemaRegistry.getSchema(of(made, 'schemaId')) },
  {
    name: 'a schema is read with all its fields',
    run: ({ aep, made }) => aep.schemaRegistry.getFields(of(made, 'schemaId')),
  },
  { name: 'a schema is found by its title', run: ({ aep, mark }) => aep.schemaRegistry.findSchemas(mark) },
  {
    name: 'a schema whose title is taken',
    run: async ({ aep, made, mark, later }) => {
      of(made, 'schemaId');
      const parts = [`${XDM}profile`];
      const twin = await aep.schemaRegistry.createSchema({ title: mark, description: mark, parts });
      later('schema', twin.$id);
    },
  },
  {
    name: 'a dataset is made',
    run: async ({ aep, made, mark, later }) => {
      const wanted = {
        name: mark,
        description: mark,
        schemaId: of(made, 'schemaId'),
        tags: { penstock: [mark] },
      };
      const id = await aep.catalog.createDataset(wanted);
      made.datasetId = id;
      later('dataset', id);
    },
  },
  { name: 'a dataset is read', run: ({ aep, made }) => aep.catalog.getDataset(of(made, 'datasetId')) },
  { name: 'a dataset is found by its name', run: ({ aep, mark }) => aep.catalog.findDatasets(mark) },
  {
    name: 'a dataset is changed, and then at a version that is old',
    run: async ({ aep, made }) => {
      const id = of(made, 'datasetId');
      const { etag } = await aep.catalog.getDataset(id);
      const change = [{ op: 'add', path: '/description', value: 'changed' }] as const;
      await aep.catalog.patchDataset(id, change, etag);
      await aep.catalog.patchDataset(id, change, etag);
    },
  },
  {
    name: 'a connection with an inlet is made',
    run: async ({ aep, made, mark, later }) => {
      const wanted = { ...described(mark, 'inlet'), dataType: 'raw', authenticationRequired: false } as const;
      const id = await aep.flowService.createInletConnection(wanted);
      made.connectionId = id;
      later('connection', id);
    },
  },
  {
    name: 'a connection is read',
    run: ({ aep, made }) => aep.flowService.getConnection(of(made, 'connectionId')),
  },
  {
    name: 'a connection is found by its name',
    run: ({ aep, mark }) => aep.flowService.findInletConnections(`${mark} inlet`),
  },
  {
    name: 'one message to the inlet',
    run: async (around) =>
      around.bare('POST', '', { url: await inletOf(around), headers: JSON_BODY, body: '{"id":"1"}' }),
  },
  {
    name: 'a batch to the inlet',
    run: async (around) => {
      const url = (await inletOf(around)).replace('/collection/', '/collection/batch/');
      return around.bare('POST', '', {
        url,
        headers: JSON_BODY,
        body: '{"messages":[{"id":"1"},"no object"]}',
      });
    },
  },
  {
    name: 'no JSON to the inlet',
    run: async (around) =>
      around.bare('POST', '', { url: await inletOf(around), headers: JSON_BODY, body: '{' }),
  },
  {
    name: 'a text to the inlet',
    run: async (around) =>
      around.bare('POST', '', {
        url: await inletOf(around),
        headers: { 'content-type': 'text/plain' },
        body: 'x',
      }),
  },
  ...AT_THE_INLET,
  {
    name: 'a source connection is made',
    run: async ({ aep, made, mark, later }) => {
      const wanted = { ...described(mark, 'source'), baseConnectionId: of(made, 'connectionId') };
      const id = await aep.flowService.createInletSourceConnection(wanted);
      made.sourceId = id;
      later('source connection', id);
    },
  },
  {
    name: 'a source connection is read',
    run: ({ aep, made }) => aep.flowService.getSourceConnection(of(made, 'sourceId')),
  },
  {
    name: 'a target connection is made',
    run: async ({ aep, made, mark, later }) => {
      const [datasetId, schemaId] = [of(made, 'datasetId'), of(made, 'schemaId')];
      const id = await aep.flowService.createTargetConnection({
        ...described(mark, 'target'),
        datasetId,
        schemaId,
      });
      made.targetId = id;
      later('target connection', id);
    },
  },
  {
    name: 'a target connection is read',
    run: ({ aep, made }) => aep.flowService.getTargetConnection(of(made, 'targetId')),
  },
  {
    name: 'a mapping is validated',
    run: ({ aep, made, mark }) =>
      aep.dataPrep.validateMappings({ name: mark, schemaId: of(made, 'schemaId'), mappings }),
  },
  {
    name: 'a mapping to a field that is none',
    run: ({ aep, made, mark }) => {
      const wrong = [{ sourceType: 'ATTRIBUTE', source: 'id', destination: 'no.such.field' }] as const;
      return aep.dataPrep.validateMappings({ name: mark, schemaId: of(made, 'schemaId'), mappings: wrong });
    },
  },
  {
    name: 'a mapping is tried on a record',
    run: ({ aep, made, mark }) =>
      aep.dataPrep.previewMappings({ name: mark, schemaId: of(made, 'schemaId'), mappings }, [
        { id: '1', first: 'A' },
      ]),
  },
  {
    name: 'a mapping set is made',
    run: async ({ aep, made, mark, later }) => {
      const set = await aep.dataPrep.createMappingSet({
        name: mark,
        schemaId: of(made, 'schemaId'),
        mappings,
      });
      made.mapping = set;
      later('mapping set', set.id);
    },
  },
  {
    name: 'a mapping set is read',
    run: ({ aep, made }) => aep.dataPrep.getMappingSet(of(made, 'mapping').id),
  },
  {
    name: 'the rows of a mapping set',
    run: ({ bare, made }) => bare('GET', `${PREP}/mappingSets/${of(made, 'mapping').id}/mappings`),
  },
  {
    name: 'a flow is made',
    run: async ({ aep, made, mark, later }) => {
      const id = await aep.flowService.createFlow({
        ...described(mark, 'flow'),
        flowSpecId: FLOW_SPECS.streaming,
        sourceConnectionId: of(made, 'sourceId'),
        targetConnectionId: of(made, 'targetId'),
        mapping: of(made, 'mapping'),
      });
      made.flowId = id;
      later('flow', id);
    },
  },
  { name: 'a flow is read', run: ({ aep, made }) => aep.flowService.getFlow(of(made, 'flowId')) },
  {
    name: 'a flow is found by its source',
    run: ({ aep, made }) => aep.flowService.findFlowsReading([of(made, 'sourceId')]),
  },
  {
    name: 'a flow is changed, and then at a version that is old',
    run: async ({ aep, made }) => {
      const id = of(made, 'flowId');
      const { etag } = await aep.flowService.getFlow(id);
      const change = [{ op: 'replace', path: '/description', value: 'changed' }] as const;
      await aep.flowService.patch('flows', id, change, etag ?? '');
      await aep.flowService.patch('flows', id, change, etag ?? '');
    },
  },
  {
    name: 'a source connection that a flow has is removed',
    // Bare: the client would wait for the flow to go.
    run: ({ bare, made }) => bare('DELETE', `${FLOWS}/sourceConnections/${of(made, 'sourceId')}`),
  },
  { name: 'the batches of a dataset', run: ({ aep, made }) => aep.catalog.hasBatches(of(made, 'datasetId')) },
  ...ASSUMPTIONS,
];

/** What cannot be asked of somebody else's platform within a minute, and stays with the tests against the simulated one. */
export const NEVER_ASKED = [
  'what a flow does while it warms up',
  'where rows land',
  'what becomes of rows that are refused',
  'faults, and answers that are lost',
  'a schema that joins Profile: it could not be removed again',
  'lists of several pages: they would take hundreds of resources',
];

export interface Result {
  readonly steps: ReadonlyMap<string, Observed>;
  /** What could not be removed: kind and id. */
  readonly left: readonly string[];
  readonly mark: string;
  /** Which of the client's functions were asked: `catalog.getDataset`. */
  readonly called: ReadonlySet<string>;
}

export interface Way {
  /** Ends the steps; what was made is removed all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Between two rounds of removing, in ms; default 5,000. */
  readonly pauseMs?: number;
  /** The longest between two tries of one call, in ms; by default as long as the client wants to. */
  readonly longestWaitMs?: number;
}

/**
 * Runs every step against a platform, and removes what it has made, whatever comes.
 * @throws Failure where there is no token to be had: then nothing was asked, and nothing made
 */
export async function observe(
  target: Target,
  { signal, pauseMs = 5_000, longestWaitMs = Number.POSITIVE_INFINITY }: Way = {},
): Promise<Result> {
  const mark = `penstock-contract-${randomBytes(6).toString('hex')}`;
  const answers: Seen[] = [];
  const heard = async (url: string, init: RequestInit) => {
    const answer = await fetch(url, init);
    const text = await answer.clone().text();
    const contentType = answer.headers.get('content-type') ?? undefined;
    if (!new URL(url).pathname.startsWith('/ims/'))
      answers.push({ status: answer.status, contentType, body: parsed(text) });
    return answer;
  };
  // Refused before it is sent, so that nothing is in doubt by it; and no retry is waited for.
  const unlessEnded = async (url: string, init: RequestInit) => {
    signal?.throwIfAborted();
    return heard(url, init);
  };
  const sleep = (ms: number) =>
    delay(Math.min(ms, longestWaitMs), undefined, { signal }).catch(() => undefined);
  const patient = (ms: number) => delay(Math.min(ms, longestWaitMs));
  const remover = clientOf(target, heard, { clock: { ...systemClock, sleep: patient } });
  const { sessions } = remover;
  await sessions.current();
  const aep = clientOf(target, unlessEnded, { clock: { ...systemClock, sleep }, sessions });
  const made: Resource[] = [];
  const facts = new Map<string, boolean>();
  const called = new Set<string>();
  const around: Around = {
    aep: noted(aep, called),
    inlet: noted({ inlet: { inletAddress, postBatch } }, called).inlet,
    made: {},
    mark,
    sandbox: target.sandbox,
    holds: (what, isSo) => void facts.set(what, isSo),
    soon: (look, isThere) => lookedForAgain(look, isThere, () => sleep(pauseMs)),
    bare: async (method, path, more = {}) =>
      unlessEnded(more.url ?? target.url + path, await bareInit(aep, target, method, more)),
    later: (kind, id) => void made.push({ kind, id }),
  };
  const steps = new Map<string, Observed>();
  for (const step of STEPS) {
    answers.length = 0;
    facts.clear();
    const outcome = signal?.aborted ? INTERRUPTED : await outcomeOf(step, around);
    // What was asked while it was interrupted says nothing of the platform.
    const ended = signal?.aborted ? INTERRUPTED : outcome;
    steps.set(step.name, { answers: [...answers], facts: new Map(facts), ...ended });
  }
  const left = await removeAll(remover, mark, made, () => delay(pauseMs));
  return { steps, left, mark, called };
}

/** Lists may be late: looked at so often, with the pause between. */
const LOOKS = 4;

async function lookedForAgain<T>(
  look: () => Promise<T>,
  isThere: (found: T) => boolean,
  pause: () => Promise<unknown>,
): Promise<T> {
  for (let left = LOOKS; ; left--) {
    const found = await look();
    if (isThere(found) || left === 1) return found;
    await pause();
  }
}

/** The same functions, and each is written down when it is called; `request` and the sessions stay as they are. */
export function noted<T extends object>(services: T, called: Set<string>): T {
  const copy = Object.entries(services).map(([service, functions]: [string, unknown]) => {
    if (typeof functions !== 'object' || functions === null || UNNOTED.has(service))
      return [service, functions];
    const own = Object.entries(functions).map(([name, run]: [string, (...given: unknown[]) => unknown]) => [
      name,
      (...given: unknown[]) => {
        called.add(`${service}.${name}`);
        return run(...given);
      },
    ]);
    return [service, Object.fromEntries(own)];
  });
  return Object.fromEntries(copy) as T;
}

const UNNOTED = new Set(['sessions', 'transport']);

const INTERRUPTED = { outcome: 'it was interrupted', asked: false };

async function outcomeOf(step: Step, around: Around): Promise<{ outcome: string; asked: boolean }> {
  try {
    await step.run(around);
    return { outcome: 'ok', asked: true };
  } catch (error) {
    if (error instanceof Missing) return { outcome: error.message, asked: false };
    // Of anything else the message could quote what was sent.
    return { outcome: isFailure(error) ? error.code : 'no answer', asked: true };
  }
}

function clientOf(
  target: Target,
  heard: (url: string, init: RequestInit) => Promise<Response>,
  { clock = systemClock, sessions }: { clock?: Clock; sessions?: Sessions } = {},
): Aep {
  const { clientId, clientSecret, organization: organizationId, scopes } = target;
  return createAep({
    sandbox: target.sandbox,
    platformUrl: target.url,
    imsUrl: target.imsUrl,
    credentials: { clientId, clientSecret, organizationId, scopes },
    transport: { fetch: (url, init: FetchInit) => heard(url, init as RequestInit), clock },
    ...(sessions && { sessions }),
  });
}

async function bareInit(
  aep: Aep,
  target: Target,
  method: string,
  { headers = {}, body, url }: Bare,
): Promise<RequestInit> {
  const { accessToken, clientId, organizationId } = await aep.sessions.current();
  const usual = {
    authorization: `Bearer ${accessToken}`,
    'x-api-key': clientId,
    'x-gw-ims-org-id': organizationId,
    'x-sandbox-name': target.sandbox,
  };
  // An inlet needs none of it, and is another host's.
  const all: Record<string, string | undefined> = { ...(url === undefined ? usual : {}), ...headers };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const signal = AbortSignal.timeout(30_000);
  return {
    method,
    headers: Object.fromEntries(given),
    redirect: 'manual',
    signal,
    ...(body !== undefined && { body }),
  };
}
