// What sweeps are made over, the way up and in service: a world before the execution that is hit, and what that one is asked for.
import { readFileSync } from 'node:fs';
import type { Sandbox } from '../../local/aep/state.ts';
import { branch, type World } from './branch.ts';
import type { Call } from './chaos.ts';
import { held } from './graph.ts';
import { world } from './provisioning.ts';
import type { Scenario } from './sweep.ts';

type Manifest = Record<string, unknown> & {
  readonly schema: Record<string, unknown> & { readonly fieldGroups: readonly unknown[] };
  readonly dataset?: Record<string, unknown>;
  readonly mapping: readonly object[];
};
type Begin = (...options: Parameters<typeof world>) => World;

function sample(file: string): Manifest {
  const text = readFileSync(new URL(`../../examples/${file}.json`, import.meta.url), 'utf8');
  const { $schema: _, ...manifest } = JSON.parse(text) as Manifest & { $schema: string };
  return manifest as unknown as Manifest;
}

const INLET = { kind: 'inlet', stream: 'customers', data: 'raw' };

/** All that a pipeline can need: own fields, identities, Profile, switches of the dataset, a mapping. */
export const RICH: Manifest = { ...sample('loyalty-pubsub'), name: 'loyalty', source: INLET };

/** The same, but not in Profile: all of it can be removed again. */
export const REMOVABLE: Manifest = {
  ...RICH,
  schema: { ...RICH.schema, profile: false },
  dataset: { name: 'Loyalty members', identity: true },
};

/** Read by AEP itself, with a secret. */
export const PULLED: Manifest = sample('orders-kinesis');
const SOURCE_SECRET = 'penstock/dev/sources/orders-kinesis';

/** An empty organization. */
export const empty: Begin = (options) => {
  const own = world(options);
  giveKey(own, 'fake');
  return own;
};

function giveKey(own: World, key: string): void {
  own.secrets.values.set(SOURCE_SECRET, JSON.stringify({ accessKeyId: key, secretKey: `${key}-secret` }));
}

export function dev1({ platform }: World): Sandbox {
  const sandbox = platform.state.sandboxes.get('dev1');
  if (sandbox === undefined) throw new Error('There is no sandbox dev1.');
  return sandbox;
}

/** Branches of one world in which this manifest has been applied. */
async function applied(manifest: Manifest): Promise<Begin> {
  const own = empty();
  const { status, cause } = await own.run({ manifest });
  if (status !== 'SUCCEEDED') throw new Error(cause);
  return (options) => branch(own, options);
}

const UP = ['warm-up', 'publish', 'report'];

export const fresh: Scenario = { name: 'fresh', begin: empty, input: { manifest: RICH }, through: UP };

/** With a second dataset, where new identities are linked. */
export const freshLinking: Scenario = {
  ...fresh,
  name: 'fresh, identities linked',
  input: {
    manifest: {
      ...RICH,
      dataset: { ...RICH.dataset, upsert: true },
      source: { ...INLET, records: { operations: { data: 'merge', identity: 'create' } } },
    },
  },
};

export const freshPulled: Scenario = {
  name: 'fresh, pulled',
  begin: empty,
  input: { manifest: PULLED },
  through: UP,
  never: readTwice,
};

/** Two flows that read the same source side by side. */
export function readTwice(own: World): string | undefined {
  const enabled = dev1(own)
    .flows.values()
    .filter(({ state }) => state === 'enabled');
  return enabled.length > 1 ? 'two flows are enabled together' : undefined;
}

/** All made by hand, and wanted. */
export async function adopt(): Promise<Scenario> {
  const input = { manifest: { ...RICH, adopt: true } };
  return { name: 'adopt', begin: await byHand(RICH), input, through: ['publish'] };
}

/** All made by hand, and nobody says that it may be taken over: nothing is touched. */
export async function conflict(): Promise<Scenario> {
  return {
    name: 'conflict',
    begin: await byHand(RICH),
    input: { manifest: RICH },
    through: ['plan'],
    ends: ['Penstock.Conflict'],
  };
}

/** As if somebody else had made it: no ownership tags, no ledger, nothing published, nothing that reads the stream. */
async function byHand(manifest: Manifest): Promise<Begin> {
  const own = (await applied(manifest))();
  const { registry, dataSets, mappingSets, flows, ...others } = dev1(own);
  const plain = <T>(one: T) => JSON.parse(JSON.stringify(one).replace(/ ?\[penstock [^\]]*\]/g, '')) as T;
  for (const shelf of [registry.schemas, registry.mixins])
    for (const one of shelf.values()) shelf.put(String(one.$id), plain(one));
  for (const shelf of [others.connections, others.sourceConnections, others.targetConnections])
    for (const one of shelf.values()) shelf.put(one.id, plain(one));
  for (const one of mappingSets.values()) mappingSets.put(one.id, plain(one));
  for (const one of flows.values()) flows.put(one.id, plain(one));
  for (const one of dataSets.values()) {
    const { penstock: _, ...tags } = one.body.tags as Record<string, string[]>;
    dataSets.put(one.id, { ...one, body: { ...one.body, tags } });
  }
  own.secrets.values.delete(`penstock/dev/streams/customers/${manifest.name}`);
  own.routes.clear();
  own.triggers.all.clear();
  own.ledger.items.clear();
  return (options) => branch(own, options);
}

const MOVED = ['warm-up', 'drain', 'retire'];

/** Before it has grown. */
const YOUNG = { ...RICH, dataset: { name: 'Loyalty members' } };
const NOTE = { type: 'object', properties: { note: { type: 'string' } } };
const GROWN = {
  ...RICH,
  schema: {
    ...RICH.schema,
    fieldGroups: [
      ...RICH.schema.fieldGroups,
      'profile-work-details',
      { name: 'remarks', fields: { remarks: NOTE } },
    ],
  },
  dataset: { name: 'Loyalty members', profile: true, identity: true, upsert: true, errorDiagnostics: false },
  mapping: [...RICH.mapping, { source: 'note', destination: '{tenant}.remarks.note' }],
};

/** A schema and a dataset changed in place; another mapping set with ends and a flow of its own; the old ones removed. */
export async function swap(): Promise<Scenario> {
  return { name: 'swap', begin: await applied(YOUNG), input: { manifest: GROWN }, through: MOVED };
}

/** An inlet that wants no token is another inlet: another base connection, and all behind it but the mapping set. */
export async function swapOfBase(): Promise<Scenario> {
  const input = { manifest: { ...RICH, source: { ...INLET, authenticationRequired: false } } };
  return { name: 'swap of the base connection', begin: await applied(RICH), input, through: MOVED };
}

/** The old flow stops before the new one starts. */
export async function swapPulled(): Promise<Scenario> {
  const input = { manifest: { ...PULLED, mapping: PULLED.mapping.slice(0, -1) } };
  return { name: 'swap, pulled', begin: await applied(PULLED), input, through: MOVED, never: readTwice };
}

const RETIRED = ['stop', 'drain', 'retire'];

export async function retire(): Promise<Scenario> {
  return {
    name: 'retire',
    begin: await applied(REMOVABLE),
    input: { manifest: REMOVABLE, mode: 'retire', deleteData: true },
    through: RETIRED,
    wrongAtEnd: (own) => stillThere(own, /./),
  };
}

/** What is in Profile stays, and its field groups and identities with it: AEP lets nobody take it away. */
export async function retireRich(): Promise<Scenario> {
  return {
    name: 'retire what is in Profile',
    begin: await applied(RICH),
    input: { manifest: RICH, mode: 'retire', deleteData: true },
    through: RETIRED,
    wrongAtEnd: (own) => stillThere(own, /^(?!schemas$|mixins$|descriptors$)/),
  };
}

function stillThere(own: World, which: RegExp): string | undefined {
  const published = [...own.secrets.values.keys()].filter((id) => id.includes('/streams/'));
  const all = [...held(own).map(({ kind }) => kind), ...published, ...own.triggers.all.keys()];
  const left = all.filter((one) => which.test(one));
  return left.length === 0 ? undefined : `there is still ${left.join(', ')}`;
}

/** With lists that show what was so a while ago; who comes later sees all of it. */
export async function behindOldLists(staleMs: number): Promise<Scenario[]> {
  return [fresh, await swap()].map((scenario) => ({
    ...scenario,
    name: `${scenario.name}, lists ${staleMs / 1_000} s old`,
    begin: () => (scenario.begin as Begin)({ staleMs }),
    laterMs: 600_000,
  }));
}

/** Somebody else changes the dataset, or the base connection, after we have read it and before we change it, so many times. */
export async function meddledWith(times: number): Promise<Scenario[]> {
  const ofPulled = await applied(PULLED);
  const newKey = () => {
    const own = ofPulled();
    giveKey(own, 'fake-2');
    return own;
  };
  const meanwhile = meddling(times);
  return [
    { ...(await swap()), name: `swap, the dataset changed ${times} times meanwhile`, meanwhile },
    {
      name: `new credentials, the base connection changed ${times} times meanwhile`,
      begin: newKey,
      input: { manifest: PULLED },
      through: ['base-connection'],
      meanwhile,
    },
  ];
}

function meddling(times: number): (own: World, call: Call) => void {
  return (own, { step, label }) => {
    const [, kind, id = ''] = /^GET \S+\/(dataSets|connections)\/([^/]+)$/.exec(label) ?? [];
    if (step === 'dataset' && kind === 'dataSets') meddleWithDataset(own, id, times);
    if (step === 'baseConnection' && kind === 'connections') meddleWithConnection(own, id, times);
  };
}

function meddleWithDataset(own: World, id: string, times: number): void {
  const one = dev1(own).dataSets.get(id);
  const tags = one?.body.tags as Record<string, string[]> | undefined;
  const foreign = tags?.foreign ?? [];
  if (one === undefined || foreign.length === times) return;
  const body = { ...one.body, tags: { ...tags, foreign: [...foreign, 'theirs'] } };
  dev1(own).dataSets.put(id, { ...one, revision: one.revision + 1, updated: own.time.now, body });
}

function meddleWithConnection(own: World, id: string, times: number): void {
  const one = dev1(own).connections.get(id);
  const foreign = Number(one?.body.foreign ?? 0);
  if (one === undefined || foreign === times) return;
  const body = { ...one.body, foreign: foreign + 1 };
  dev1(own).connections.put(id, { ...one, etag: `"foreign-${foreign}"`, updatedAt: own.time.now, body });
}
