// What the tests of provisioning's features share: manifests of every kind, things made by hand, and a look at what was sent.
import { type Aep, createAep } from '../../lib/aep/client.ts';
import type { Pipeline, Report } from '../../lib/pipeline.ts';
import { tagInDescription, tagInTags } from '../../lib/provision/resources/ownership-tag.ts';
import type { Entry } from '../../local/aep/journal.ts';
import { ORIGIN, type world } from '../support/provisioning.ts';
import { CREDENTIALS } from '../support/scripted.ts';

export type World = ReturnType<typeof world>;
export type Manifest = Record<string, unknown>;
type Fields = Readonly<Record<string, unknown>>;

/** The ownership tag of a world's first execution: its name and its start. */
export const FIRST = 'run-1@2026-01-01T00:00:00.000Z';
export const SECRET_ID = 'teams/streaming/source';
export const PUBLISHED = 'penstock/dev/streams/customers/people';
export const PERSON = { class: 'profile', fieldGroups: ['profile-person-details', 'identitymap'] };
export const NAMES = [
  { source: 'id', destination: '_id' },
  { source: 'first', destination: 'person.name.firstName' },
];

/** A small pipeline through an inlet. */
export function inletManifest(more: Fields = {}): Manifest {
  return {
    version: 1,
    name: 'people',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'customers', data: 'raw' },
    schema: PERSON,
    mapping: NAMES,
    ...more,
  };
}

/** The same for a source that AEP reads by itself. */
export function pulledManifest(source: Fields, more: Fields = {}): Manifest {
  return inletManifest({ source: { data: 'raw', credentials: SECRET_ID, ...source }, ...more });
}

export const KINESIS = { kind: 'kinesis', stream: 'orders', region: 'eu-west-1' } as const;
export const EVENT_HUBS = { kind: 'event-hubs', namespace: 'web-telemetry', eventHub: 'clicks' } as const;
export const PUB_SUB = {
  kind: 'pubsub',
  project: 'loyalty-demo',
  topic: 'members',
  subscription: 'aep',
} as const;

/** Recognisable wherever they turn up. */
export const CANARY = 'CANARY/of+the=source';
export const SECRETS = {
  kinesis: { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: CANARY },
  'event-hubs': { sasKeyName: 'RootManageSharedAccessKey', sasKey: CANARY },
  pubsub: {
    type: 'service_account',
    project_id: 'loyalty-demo',
    private_key: `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`,
    client_email: 'reader@loyalty-demo.iam.gserviceaccount.com',
  },
} as const;

export function keep(own: World, value: unknown, id = SECRET_ID): void {
  own.secrets.values.set(id, typeof value === 'string' ? value : JSON.stringify(value));
}

/** Own field groups, identities, Profile: all that one manifest can ask for. */
export function richManifest(more: Fields = {}): Manifest {
  return inletManifest({
    name: 'members',
    schema: {
      class: 'profile',
      fieldGroups: [
        'profile-person-details',
        'profile-personal-details',
        {
          name: 'loyalty',
          fields: {
            loyalty: {
              type: 'object',
              properties: { tier: { type: 'string', enum: ['bronze', 'gold'] }, points: { type: 'integer' } },
            },
          },
        },
        { name: 'shop', title: 'Shop of a member', fields: { shop: { type: 'string' } } },
      ],
      identities: [
        { path: 'personalEmail.address', namespace: 'Email', primary: true },
        { path: 'mobilePhone.number', namespace: 'Phone' },
      ],
      profile: true,
    },
    dataset: { name: 'Members', profile: true, identity: true, upsert: true },
    mapping: [
      ...NAMES,
      { source: 'email', destination: 'personalEmail.address' },
      { source: 'phone', destination: 'mobilePhone.number' },
      { source: 'tier', destination: '{tenant}.loyalty.tier' },
      { expression: 'to_integer(points)', destination: '{tenant}.loyalty.points' },
      { source: 'shop', destination: '{tenant}.shop' },
    ],
    allowIrreversible: true,
    ...more,
  });
}

export const OWN_GROUP = {
  name: 'loyalty',
  fields: {
    loyalty: { type: 'object', properties: { tier: { type: 'string' }, points: { type: 'integer' } } },
  },
};

/** A pipeline with one own field group. */
export function groupManifest(fields: Fields = OWN_GROUP.fields, more: Fields = {}): Manifest {
  return inletManifest({
    schema: { class: 'profile', fieldGroups: ['profile-person-details', { name: 'loyalty', fields }] },
    ...more,
  });
}

export function sandboxOf({ platform }: World, name = 'dev1') {
  const sandbox = platform.state.sandboxes.get(name);
  if (sandbox === undefined) throw new Error(`no sandbox ${name}`);
  return sandbox;
}

/** What one sandbox holds, one word each, of what there is any. */
export function holdings(own: World, name = 'dev1'): Record<string, number> {
  const sandbox = sandboxOf(own, name);
  const { schemas, mixins } = sandbox.registry;
  const { descriptors, dataSets, connections, sourceConnections, targetConnections, mappingSets, flows } =
    sandbox;
  const shelves = {
    schemas,
    fieldGroups: mixins,
    descriptors,
    dataSets,
    connections,
    sourceConnections,
    targetConnections,
    mappingSets,
    flows,
  };
  return Object.fromEntries(
    Object.entries(shelves)
      .map(([kind, { size }]) => [kind, size] as const)
      .filter(([, size]) => size > 0),
  );
}

/** A pipeline with a mapping, no own field groups, no identities. */
export const ONE_OF_EACH = {
  schemas: 1,
  dataSets: 1,
  connections: 1,
  sourceConnections: 1,
  targetConnections: 1,
  mappingSets: 1,
  flows: 1,
};

/** Somebody who works in AEP by hand. */
export function byHand(own: World, sandbox = 'dev1'): Aep {
  const { fetch, random } = own.runtime;
  return createAep({
    sandbox,
    credentials: CREDENTIALS,
    platformUrl: ORIGIN,
    imsUrl: ORIGIN,
    // Nobody's hands take time.
    transport: { fetch, random, clock: { now: () => own.time.now, sleep: async () => undefined } },
  });
}

export const SERVICES = {
  schemas: '/data/foundation/schemaregistry/tenant/schemas',
  fieldGroups: '/data/foundation/schemaregistry/tenant/fieldgroups',
  descriptors: '/data/foundation/schemaregistry/tenant/descriptors',
  dataSets: '/data/foundation/catalog/dataSets',
  connections: '/data/foundation/flowservice/connections',
  sources: '/data/foundation/flowservice/sourceConnections',
  targets: '/data/foundation/flowservice/targetConnections',
  flows: '/data/foundation/flowservice/flows',
  mappingSets: '/data/foundation/conversion/mappingSets',
} as const;

/** What was sent to AEP since, the token aside. */
export function sent({ platform }: World, after = 0): Entry[] {
  return platform.journal.entries({ after }).filter(({ path }) => !path.startsWith('/ims/'));
}

/** Where the journal stands. */
export function position({ platform }: World): number {
  return platform.journal.entries().at(-1)?.number ?? 0;
}

/** Calls that change something, as `METHOD path` with ids left out. */
export function changes(own: World, after = 0): string[] {
  return sent(own, after)
    .filter(({ method, path }) => method !== 'GET' && !/\/(preview|validate)$/.test(path))
    .map(({ method, path, query }) => {
      const op = typeof query.op === 'string' ? ` ${query.op}` : '';
      const kind = Object.entries(SERVICES).find(([, base]) => path.startsWith(base))?.[0] ?? path;
      return `${method} ${kind}${op}`;
    });
}

/** Those of the changes that are asked about, in their order. */
export function among(all: readonly string[], ...asked: readonly string[]): string[] {
  return all.filter((one) => asked.includes(one));
}

/** Bodies of the POSTs that made something of this kind. */
export function made(own: World, kind: keyof typeof SERVICES, after = 0): unknown[] {
  return sent(own, after)
    .filter(({ method, path }) => method === 'POST' && path === SERVICES[kind])
    .map(({ body }) => body);
}

export function actions(document: Pipeline): Record<string, string> {
  return Object.fromEntries(document.plan.map(({ resource, action }) => [resource, action]));
}

export function planned(document: Pipeline, resource: string) {
  return document.plan.find((one) => one.resource === resource);
}

/** The report that was kept of the last execution. */
export async function reportOf({ runtime }: World, pipeline = 'people'): Promise<Report> {
  return (await runtime.ledger.read(pipeline))?.report as Report;
}

/** Whose everything is, in one sandbox; `undefined` where nothing says so. */
export function owners(own: World, name = 'dev1'): Record<string, (string | undefined)[]> {
  const sandbox = sandboxOf(own, name);
  const described = (bodies: readonly Fields[]) =>
    bodies.map(({ description }) => tagInDescription(description as string | undefined)?.pipeline);
  return {
    schemas: described(sandbox.registry.schemas.values()),
    fieldGroups: described(sandbox.registry.mixins.values()),
    dataSets: sandbox.dataSets.values().map(({ body }) => tagInTags(body.tags as Fields)?.pipeline),
    connections: described(sandbox.connections.values().map(({ body }) => body)),
    sourceConnections: described(sandbox.sourceConnections.values().map(({ body }) => body)),
    targetConnections: described(sandbox.targetConnections.values().map(({ body }) => body)),
    flows: described(sandbox.flows.values().map(({ body }) => body)),
  };
}

/** Makes every ownership tag of this execution one of version 0.1.0, which held the name alone. */
export function markByNameAlone(own: World, name: string): void {
  const ownershipTag = new RegExp(`${name}@[0-9TZ:.-]+`, 'g');
  const aged = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(ownershipTag, name)) as T;
  for (const box of own.platform.state.sandboxes.values()) {
    for (const shelf of [box.connections, box.sourceConnections, box.targetConnections])
      for (const one of shelf.values()) shelf.put(one.id, aged(one));
    for (const one of box.flows.values()) box.flows.put(one.id, aged(one));
    for (const one of box.dataSets.values()) box.dataSets.put(one.id, aged(one));
    for (const one of box.registry.schemas.values()) box.registry.schemas.put(String(one.$id), aged(one));
  }
  for (const [id, text] of own.secrets.values) own.secrets.rewrite(id, text.replaceAll(ownershipTag, name));
}
