// Schemas: classes, field groups, identities, Profile and the dataset's switches; and mappings, tried out before they are used.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { world } from '../../support/provisioning.ts';
import {
  actions,
  among,
  byHand,
  changes,
  FIRST,
  groupManifest,
  holdings,
  inletManifest,
  made,
  NAMES,
  ONE_OF_EACH,
  OWN_GROUP,
  PERSON,
  planned,
  position,
  reportOf,
  richManifest,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

const PROFILE = 'https://ns.adobe.com/xdm/context/profile';
const EVENT = 'https://ns.adobe.com/xdm/context/experienceevent';
const DETAILS = 'https://ns.adobe.com/xdm/context/profile-person-details';
const IDENTITY_MAP = 'https://ns.adobe.com/xdm/context/identitymap';
const EVENTS = {
  schema: { class: 'experienceevent' },
  mapping: [
    { source: 'id', destination: '_id' },
    { source: 'at', destination: 'timestamp' },
  ],
};
const marked = expect.stringMatching(/\[penstock pipeline=people execution=run-1@\S+\]$/);

/** Applies one manifest after the other; what the last one changed, and how it ended. */
async function applied(own: World, ...manifests: object[]) {
  let from = 0;
  let last: Awaited<ReturnType<World['run']>> | undefined;
  for (const manifest of manifests) {
    from = position(own);
    last = await own.run({ manifest });
  }
  if (last === undefined) throw new Error('nothing to apply');
  return { ...last, changed: changes(own, from), from };
}

function bodiesOf(own: World, method: string, path: string, from = 0): unknown[] {
  return sent(own, from)
    .filter((entry) => entry.method === method && entry.path.startsWith(path))
    .map(({ body }) => body);
}

/** Of every pipeline of these tests: test/provision/plan/lead-back.test.ts. */
const BY_CONTENT = expect.stringContaining('by its content alone');

describe('a schema', () => {
  it.each([
    ['profile by its short name', 'profile', PROFILE, {}],
    ['profile by its $id', PROFILE, PROFILE, {}],
    ['experienceevent by its short name', 'experienceevent', EVENT, EVENTS],
    ['experienceevent by its $id', EVENT, EVENT, EVENTS],
  ])('of the class %s', async (_, given, id, more) => {
    const own = world();
    const schema = {
      class: given,
      fieldGroups: ['profile-person-details', IDENTITY_MAP],
      description: 'All of them',
    };
    const { status } = await own.run({ manifest: inletManifest({ ...more, schema }) });
    expect(status).toBe('SUCCEEDED');
    expect(made(own, 'schemas')).toEqual([
      {
        type: 'object',
        title: 'people-schema',
        description: expect.stringMatching(/^All of them \[penstock pipeline=people execution=run-1@\S+\]$/),
        allOf: [{ $ref: id }, { $ref: DETAILS }, { $ref: IDENTITY_MAP }],
      },
    ]);
    expect(made(own, 'dataSets')).toEqual([
      {
        name: 'people-dataset',
        description: expect.any(String),
        schemaRef: {
          id: sandboxOf(own).registry.schemas.values()[0]?.$id,
          contentType: 'application/vnd.adobe.xed-full-notext+json; version=1',
        },
        fileDescription: { persisted: true, containerFormat: 'parquet', format: 'parquet' },
        enableErrorDiagnostics: true,
        tags: { penstock: ['pipeline:people', `execution:${FIRST}`] },
      },
    ]);
  });

  it('that names a field group by its $id uses it and never changes it', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const { $id } = await schemaRegistry.createFieldGroup({
      title: 'By hand',
      description: 'ours since 2019',
      classes: [PROFILE],
      tenant: 'acmelab',
      properties: { since: { type: 'string' } },
    });
    const before = sandboxOf(own).registry.mixins.get($id);
    const schema = { class: 'profile', fieldGroups: ['profile-person-details', $id] };
    const mapping = [...NAMES, { source: 'since', destination: '{tenant}.since' }];
    const manifest = inletManifest({ schema, mapping });
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    expect((await own.run({ manifest, mode: 'retire', deleteData: true })).status).toBe('SUCCEEDED');
    expect(sandboxOf(own).registry.mixins.get($id)).toBe(before);
    expect(holdings(own)).toEqual({ fieldGroups: 1 });
  });

  it('that is named by its $id is used and never changed, marked or removed', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const { $id } = await schemaRegistry.createSchema({
      title: 'By hand',
      description: 'd',
      parts: [PROFILE, DETAILS],
    });
    const before = sandboxOf(own).registry.schemas.get($id);
    const manifest = inletManifest({ schema: { id: $id } });
    const { status, document } = await own.run({ manifest });
    expect(status).toBe('SUCCEEDED');
    expect(document.resources.schema).toMatchObject({ id: $id, name: $id, how: 'given' });
    expect(actions(document)).toMatchObject({ schema: 'keep', identity: 'none', profile: 'none' });
    expect((await applied(own, manifest)).changed).toEqual([]);
    expect((await own.run({ manifest, mode: 'retire', deleteData: true })).status).toBe('SUCCEEDED');
    expect(sandboxOf(own).registry.schemas.get($id)).toBe(before);
    expect(holdings(own)).toEqual({ schemas: 1 });
  });

  it('that is named and not enabled for Profile cannot have a dataset that is: said, and nothing is left', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const { $id } = await schemaRegistry.createSchema({
      title: 'By hand',
      description: 'd',
      parts: [PROFILE, DETAILS],
    });
    const manifest = inletManifest({ schema: { id: $id }, dataset: { profile: true } });
    const { error, cause } = await own.run({ manifest });
    expect(error).toMatch(/^(Penstock\.RolledBack|PermanentFailure)$/);
    expect(cause).toContain('union');
    expect(holdings(own)).toEqual({ schemas: 1 });
  });

  it('grows by a field group; one that the manifest lets go stays', async () => {
    const own = world();
    const more = { ...PERSON, fieldGroups: [...PERSON.fieldGroups, 'profile-work-details'] };
    const grown = await applied(own, inletManifest(), inletManifest({ schema: more }));
    expect(grown.changed).toEqual(['PATCH schemas']);
    expect(bodiesOf(own, 'PATCH', SERVICES.schemas)).toEqual([
      [
        {
          op: 'add',
          path: '/allOf/-',
          value: { $ref: 'https://ns.adobe.com/xdm/context/profile-work-details' },
        },
      ],
    ]);
    expect(grown.document.warnings).toEqual([expect.stringContaining('15 minutes'), BY_CONTENT]);
    expect((await applied(own, inletManifest())).changed).toEqual([]);
  });
});

describe('an own field group', () => {
  it('is made before the schema that has it', async () => {
    const own = world();
    const { status, document } = await own.run({ manifest: groupManifest() });
    expect(status).toBe('SUCCEEDED');
    expect(made(own, 'fieldGroups')).toEqual([
      {
        type: 'object',
        title: 'people-loyalty',
        description: marked,
        'meta:intendedToExtend': [PROFILE],
        definitions: {
          customFields: { properties: { _acmelab: { type: 'object', properties: OWN_GROUP.fields } } },
        },
        allOf: [{ $ref: '#/definitions/customFields', type: 'object' }],
      },
    ]);
    const id = document.resources['field-group:loyalty']?.id;
    expect(made(own, 'schemas')).toMatchObject([
      { allOf: [{ $ref: PROFILE }, { $ref: DETAILS }, { $ref: id }] },
    ]);
    const order = among(changes(own), 'POST fieldGroups', 'POST schemas', 'POST dataSets');
    expect(order).toEqual(['POST fieldGroups', 'POST schemas', 'POST dataSets']);
    expect((await applied(own, groupManifest())).changed).toEqual([]);
  });

  it('extends the class of the schema', async () => {
    const own = world();
    const group = { ...OWN_GROUP, title: 'Loyalty of an event', description: 'At that moment' };
    const schema = { class: 'experienceevent', fieldGroups: [group] };
    await own.run({ manifest: inletManifest({ ...EVENTS, schema }) });
    expect(made(own, 'fieldGroups')).toMatchObject([
      {
        title: 'Loyalty of an event',
        description: expect.stringMatching(/^At that moment \[penstock /),
        'meta:intendedToExtend': [EVENT],
      },
    ]);
  });

  const text = { type: 'string' };
  const listOf = (properties: object) => ({ type: 'array', items: { type: 'object', properties } });
  const inside = (properties: object) => ({ type: 'object', properties });

  it.each([
    ['at the top', { a: text }, { a: text, b: text }, 'b'],
    ['in an object', { a: inside({ b: text }) }, { a: inside({ b: text, c: text }) }, 'a.c'],
    [
      'in an object in an object',
      { a: inside({ b: inside({ c: text }) }) },
      { a: inside({ b: inside({ c: text, d: text }) }) },
      'a.b.d',
    ],
    ['in the objects of a list', { a: listOf({ b: text }) }, { a: listOf({ b: text, c: text }) }, 'c'],
    [
      'in an object in a list',
      { a: listOf({ b: inside({ c: text }) }) },
      { a: listOf({ b: inside({ c: text, d: text }) }) },
      'd',
    ],
  ])('grows %s, and nothing else is changed', async (_, before, wanted, field) => {
    const own = world();
    await own.run({ manifest: groupManifest(before) });
    const { document } = await own.run({ manifest: groupManifest(wanted), mode: 'plan' });
    const differences = planned(document, 'field-group:loyalty')?.differences ?? [];
    expect(differences.map((one) => one.field)).toEqual([expect.stringContaining(field)]);
    const { changed, status } = await applied(own, groupManifest(wanted));
    expect(status).toBe('SUCCEEDED');
    expect(changed).toEqual(['PATCH fieldGroups']);
    const [group] = sandboxOf(own).registry.mixins.values();
    expect(group).toMatchObject({
      definitions: { customFields: { properties: { _acmelab: { properties: wanted } } } },
    });
    expect((await applied(own, groupManifest(wanted))).changed).toEqual([]);
  });

  it.each([
    ['a text is a number', { a: text }, { a: { type: 'integer' } }, 'a'],
    [
      'a text in an object is one',
      { a: inside({ b: text }) },
      { a: inside({ b: { type: 'boolean' } }) },
      'a.b',
    ],
    [
      'a list is of numbers',
      { a: { type: 'array', items: text } },
      { a: { type: 'array', items: { type: 'number' } } },
      'a',
    ],
    ['an object is a list', { a: inside({ b: text }) }, { a: listOf({ b: text }) }, 'a'],
    [
      'a text in the objects of a list is one',
      { a: listOf({ b: text }) },
      { a: listOf({ b: { type: 'number' } }) },
      'b',
    ],
  ])(
    'that has another type, where %s, is a conflict that names the field',
    async (_, before, wanted, field) => {
      const own = world();
      const { status, cause, changed, from } = await applied(
        own,
        groupManifest(before),
        groupManifest(wanted),
      );
      expect(status).toBe('FAILED');
      expect(cause).toContain('CONFLICT');
      expect(cause).toContain(`${field}: found `);
      expect(changed).toEqual([]);
      const { document } = await own.run({ manifest: groupManifest(wanted), mode: 'plan' });
      expect(planned(document, 'field-group:loyalty')?.action).toBe('conflict');
      expect(changes(own, from)).toEqual([]);
    },
  );

  it.each([
    ['an enum that has a value more', { enum: ['a', 'b'] }, { enum: ['a', 'b', 'c'] }],
    ['another format', { format: 'date' }, { format: 'date-time' }],
    ['another pattern', { pattern: '^a' }, { pattern: '^b' }],
    ['another bound', { maxLength: 3 }, { maxLength: 4 }],
  ])('%s is not passed over in silence', async (_, before, wanted) => {
    const own = world();
    const fields = (facets: object) => groupManifest({ a: { ...text, ...facets } });
    await own.run({ manifest: fields(before) });
    const { document } = await own.run({ manifest: fields(wanted), mode: 'plan' });
    const group = planned(document, 'field-group:loyalty');
    expect(['update', 'conflict']).toContain(group?.action);
    expect(JSON.stringify(group?.differences)).toContain(Object.keys(wanted)[0]);
  });

  it('that lets a field go keeps it', async () => {
    const own = world();
    const { changed, status } = await applied(
      own,
      groupManifest({ a: text, b: text }),
      groupManifest({ a: text }),
    );
    expect({ changed, status }).toEqual({ changed: [], status: 'SUCCEEDED' });
  });

  it('that is new is made, and the schema grows by it', async () => {
    const own = world();
    const { changed } = await applied(
      own,
      inletManifest({ schema: { ...PERSON, fieldGroups: ['profile-person-details'] } }),
      groupManifest(),
    );
    expect(changed).toEqual(['POST fieldGroups', 'PATCH schemas']);
    expect((await applied(own, groupManifest())).changed).toEqual([]);
  });

  it('that grows under a flow that stays is warned of: AEP has the old one for a while', async () => {
    const own = world();
    const { document } = await applied(
      own,
      groupManifest(),
      groupManifest({ ...OWN_GROUP.fields, shop: text }),
    );
    expect(actions(document)).toMatchObject({
      'field-group:loyalty': 'update',
      schema: 'keep',
      flow: 'keep',
    });
    expect(document.warnings).toEqual([expect.stringContaining('15 minutes'), BY_CONTENT]);
  });

  it('whose patch is lost after it was applied is patched once', async () => {
    const own = world();
    await own.run({ manifest: groupManifest() });
    const path = `${SERVICES.fieldGroups}/*`;
    own.platform.faults.add({ kind: 'dropAfter', method: 'PATCH', path, times: 1 });
    const wanted = groupManifest({ ...OWN_GROUP.fields, shop: text });
    const { changed, document } = await applied(own, wanted);
    expect(changed).toEqual(['PATCH fieldGroups']);
    expect(document.resources['field-group:loyalty']?.how).toBe('updated');
  });

  it('two of one manifest of the same title are refused before anything is made', async () => {
    const own = world();
    const groups = [OWN_GROUP, { ...OWN_GROUP, name: 'other', title: 'people-loyalty' }];
    const { cause } = await own.run({
      manifest: inletManifest({ schema: { class: 'profile', fieldGroups: groups } }),
    });
    expect(cause).toContain('people-loyalty');
    expect(sent(own)).toEqual([]);
  });
});

describe('identities', () => {
  const contact = (identities: object[]) =>
    inletManifest({
      schema: {
        class: 'profile',
        fieldGroups: ['profile-person-details', 'profile-personal-details'],
        identities,
      },
    });
  const email = { path: 'personalEmail.address', namespace: 'Email', primary: true };
  const phone = { path: 'mobilePhone.number', namespace: 'Phone' };

  it('are made of the schema, primary and not, and once', async () => {
    const own = world();
    const { status, document } = await own.run({ manifest: contact([email, phone]) });
    expect(status).toBe('SUCCEEDED');
    const descriptor = (property: string, namespace: string, primary: boolean) => ({
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': document.resources.schema?.id,
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': property,
      'xdm:namespace': namespace,
      'xdm:property': 'xdm:code',
      'xdm:isPrimary': primary,
    });
    expect(made(own, 'descriptors')).toEqual([
      descriptor('/personalEmail/address', 'Email', true),
      descriptor('/mobilePhone/number', 'Phone', false),
    ]);
    const order = ['POST schemas', 'POST descriptors', 'POST descriptors', 'POST dataSets'];
    expect(among(changes(own), ...order)).toEqual(order);
    expect((await applied(own, contact([email, phone]))).changed).toEqual([]);
  });

  it('of an own field are found in the own namespace', async () => {
    const own = world();
    const schema = {
      class: 'profile',
      fieldGroups: ['profile-person-details', { name: 'card', fields: { card: { type: 'string' } } }],
      identities: [{ path: '{tenant}.card', namespace: 'Loyalty', primary: true }],
    };
    await byHand(own).request({
      method: 'POST',
      path: '/data/core/idnamespace/identities',
      body: { code: 'Loyalty', name: 'Loyalty card', idType: 'CROSS_DEVICE' },
      answer: z.unknown(),
    });
    const mapping = [...NAMES, { source: 'card', destination: '{tenant}.card' }];
    const { cause, status } = await own.run({ manifest: inletManifest({ schema, mapping }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(made(own, 'descriptors')).toMatchObject([
      { 'xdm:sourceProperty': '/_acmelab/card', 'xdm:namespace': 'Loyalty', 'xdm:isPrimary': true },
    ]);
  });

  it('that are new are added', async () => {
    const own = world();
    const { changed } = await applied(own, contact([email]), contact([email, phone]));
    expect(changed).toEqual(['POST descriptors']);
    expect((await applied(own, contact([email, phone]))).changed).toEqual([]);
  });

  it('of a schema that had none are added', async () => {
    const own = world();
    const { changed, document } = await applied(own, contact([]), contact([phone]));
    expect(changed).toEqual(['POST descriptors']);
    expect(actions(document)).toMatchObject({ identity: 'create', schema: 'keep', dataset: 'keep' });
  });

  it.each([
    ['namespace', [{ ...email, namespace: 'ECID' }], 'personalEmail/address', 'Email'],
    [
      'primary one is another',
      [
        { ...email, primary: false },
        { ...phone, primary: true },
      ],
      'personalEmail/address',
      'primary',
    ],
    ['primary one is a new one', [{ ...phone, primary: true }], 'primary', 'personalEmail/address'],
  ])('whose %s: a conflict that names the field', async (_, identities, ...said) => {
    const own = world();
    const { status, cause, changed } = await applied(own, contact([email]), contact(identities));
    expect(status).toBe('FAILED');
    expect(cause).toContain('CONFLICT');
    for (const text of said) expect(cause).toContain(text);
    expect(changed).toEqual([]);
  });

  // Until now it was found out when the schema was there: the execution made it, and rolled back.
  it('C 4: in a namespace that does not exist are a conflict of the plan, and nothing is made', async () => {
    const manifest = contact([phone, { ...email, namespace: 'Emial' }]);
    const said =
      /schema\.identities\.1\.namespace: found "Emial"; expected the code of an existing identity namespace: .*ECID, Email, .*; did you mean "Email"\?/;
    const own = world();
    const { document } = await own.run({ manifest, mode: 'plan' });
    const entry = document.plan.find(({ resource }) => resource === 'identity');
    expect(entry).toMatchObject({ action: 'conflict', reason: expect.stringMatching(said) });
    const { error, cause } = await own.run({ manifest });
    expect(error).toBe('Penstock.Conflict');
    expect(cause).toMatch(said);
    expect(own.mutations()).toEqual([]);
    expect(holdings(own)).toEqual({});
  });

  it('C 4: that are there are not asked for their namespace again', async () => {
    const own = world();
    const manifest = contact([email]);
    await own.run({ manifest });
    const asked = () =>
      own.platform.journal.entries().filter(({ path }) => path.includes('/idnamespace/')).length;
    const before = asked();
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(document.plan.find(({ resource }) => resource === 'identity')?.action).toBe('keep');
    expect(asked()).toBe(before);
  });

  it('at a path that the schema does not have fail clearly, and nothing is left', async () => {
    const own = world();
    const { error, cause } = await own.run({
      manifest: contact([email, { ...phone, path: 'mobilePhone.nmuber' }]),
    });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('/mobilePhone/nmuber');
    expect(holdings(own)).toEqual({});
  });

  it('of which one is refused: those before it are made once', async () => {
    const own = world();
    const path = 'homePhone.nmuber';
    await own.run({ manifest: contact([phone, { path, namespace: 'Phone' }]) });
    const posted = made(own, 'descriptors') as { 'xdm:sourceProperty': string }[];
    expect(posted.filter((one) => one['xdm:sourceProperty'] === '/mobilePhone/number')).toHaveLength(1);
    expect(holdings(own)).toEqual({});
  });

  it('that were added to a schema in use are not taken away with what else is undone', async () => {
    const own = world();
    await own.run({ manifest: contact([email]) });
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    const manifest = {
      ...contact([email, phone]),
      mapping: [...NAMES, { source: 'x', destination: 'person.name.lastName' }],
    };
    const { error } = await own.run({ manifest });
    expect(error).toBe('Penstock.RolledBack');
    expect(
      sandboxOf(own)
        .descriptors.values()
        .map((one) => one['xdm:sourceProperty']),
    ).toContain('/personalEmail/address');
  });
});

describe('Profile', () => {
  const forProfile = (more: object = {}) =>
    inletManifest({ schema: { ...PERSON, profile: true }, allowIrreversible: true, ...more });
  const union = (own: World) => sandboxOf(own).registry.schemas.values()[0]?.['meta:immutableTags'];

  it('is entered only where the manifest allows what cannot be undone; else nothing is made', async () => {
    const own = world();
    const manifest = forProfile({ allowIrreversible: false });
    const asked = await own.run({ manifest, mode: 'plan' });
    expect(planned(asked.document, 'profile')).toMatchObject({
      action: 'conflict',
      irreversible: expect.stringContaining('union'),
      reason: expect.stringContaining('allowIrreversible'),
    });
    const { status, cause } = await own.run({ manifest });
    expect(status).toBe('FAILED');
    expect(cause).toContain('allowIrreversible');
    expect(changes(own)).toEqual([]);
  });

  it('is named in the plan as what cannot be undone', async () => {
    const own = world();
    const { document } = await own.run({ manifest: forProfile(), mode: 'plan' });
    expect(planned(document, 'profile')).toMatchObject({
      action: 'create',
      irreversible: expect.stringContaining('union'),
    });
    expect(document.report?.resources.find(({ resource }) => resource === 'profile')?.planned).toBe('create');
  });

  it('is entered after the identities, by one patch, and once', async () => {
    const own = world();
    const { status } = await own.run({ manifest: richManifest() });
    expect(status).toBe('SUCCEEDED');
    expect(union(own)).toEqual(['union']);
    expect(bodiesOf(own, 'PATCH', SERVICES.schemas)).toEqual([
      [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }],
    ]);
    const order = [
      'POST fieldGroups',
      'POST fieldGroups',
      'POST schemas',
      'POST descriptors',
      'POST descriptors',
      'PATCH schemas',
      'POST dataSets',
    ];
    expect(among(changes(own), ...order)).toEqual(order);
    expect((await applied(own, richManifest())).changed).toEqual([]);
  });

  it.each([
    ['an identity map', { ...PERSON, profile: true }, {}],
    ['events', { class: 'experienceevent', profile: true }, EVENTS],
  ])('is entered with %s', async (_, schema, more) => {
    const own = world();
    const { cause, status } = await own.run({ manifest: forProfile({ ...more, schema }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(union(own)).toEqual(['union']);
  });

  it('is entered later by a schema in use, and by its dataset, which says what that leaves out', async () => {
    const own = world();
    const wanted = forProfile({ dataset: { profile: true } });
    const { changed, document } = await applied(own, inletManifest(), wanted);
    expect(changed).toEqual(['PATCH schemas', 'PATCH dataSets']);
    expect(document.warnings).toEqual([expect.stringContaining('already'), BY_CONTENT]);
    // What the schema is in stays said, and needs no leave any more.
    expect((await applied(own, { ...wanted, allowIrreversible: false })).changed).toEqual([]);
  });

  it('is not left again: a manifest that does not ask for it any more changes nothing', async () => {
    const own = world();
    const { changed, status } = await applied(own, forProfile(), inletManifest());
    expect({ changed, status }).toEqual({ changed: [], status: 'SUCCEEDED' });
  });

  it('stays entered where the rest is undone, and that is said', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.dataSets });
    const { error, cause } = await own.run({ manifest: forProfile() });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toMatch(/Left in place: .*schema/);
    expect(holdings(own)).toEqual({ schemas: 1 });
    const report = await reportOf(own);
    expect(report.resources.find(({ resource }) => resource === 'schema')?.done).toBe('left');
  });
});

describe("the dataset's switches", () => {
  const on = (dataset: object) =>
    inletManifest({ schema: { ...PERSON, profile: true }, allowIrreversible: true, dataset });
  const tags = (own: World) =>
    Object.fromEntries(
      Object.entries(
        (sandboxOf(own).dataSets.values()[0]?.body.tags ?? {}) as Record<string, string[]>,
      ).filter(([name]) => name !== 'adobe/pqs/table'),
    );
  const ownershipTag = { penstock: ['pipeline:people', `execution:${FIRST}`] };
  type Tags = { unifiedProfile?: string[]; unifiedIdentity?: string[] };
  /** What AEP makes of these: it adds since when Profile is on. */
  const stamped = (
    set: Tags,
    at: unknown = expect.stringMatching(/^enabledAt:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
  ) =>
    set.unifiedProfile?.includes('enabled:true')
      ? { ...set, unifiedProfile: [...set.unifiedProfile, at] }
      : set;

  it.each<[string, object, Tags]>([
    ['none of them', {}, {}],
    ['Profile', { profile: true }, { unifiedProfile: ['enabled:true'] }],
    [
      'Profile, by parts',
      { profile: true, upsert: true },
      { unifiedProfile: ['enabled:true', 'isUpsert:true'] },
    ],
    ['identities', { identity: true }, { unifiedIdentity: ['enabled:true'] }],
    [
      'all',
      { profile: true, identity: true, upsert: true },
      { unifiedProfile: ['enabled:true', 'isUpsert:true'], unifiedIdentity: ['enabled:true'] },
    ],
    ['off', { profile: false, identity: false }, {}],
  ])('when it is made: %s', async (_, dataset, expected) => {
    const own = world();
    const manifest = on(dataset);
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    expect(made(own, 'dataSets')).toMatchObject([{ tags: { ...expected, ...ownershipTag } }]);
    expect(tags(own)).toEqual({ ...stamped(expected), ...ownershipTag });
    expect((await applied(own, manifest)).changed).toEqual([]);
  });

  it.each<[string, object, object, Tags]>([
    ['Profile on', {}, { profile: true }, { unifiedProfile: ['enabled:true'] }],
    ['Profile off', { profile: true }, { profile: false }, { unifiedProfile: ['enabled:false'] }],
    [
      'by parts',
      { profile: true },
      { profile: true, upsert: true },
      { unifiedProfile: ['enabled:true', 'isUpsert:true'] },
    ],
    [
      'not by parts any more',
      { profile: true, upsert: true },
      { profile: true, upsert: false },
      { unifiedProfile: ['enabled:true'] },
    ],
    [
      'identities on',
      { profile: true },
      { profile: true, identity: true },
      { unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] },
    ],
    ['identities off', { identity: true }, { identity: false }, { unifiedIdentity: ['enabled:false'] }],
  ])(
    '12 B 5: later, by one patch at the version that was read, that keeps since when: %s',
    async (_, before, wanted, expected) => {
      const own = world();
      await own.run({ manifest: on(before) });
      const [dataset] = sandboxOf(own).dataSets.values();
      if (dataset === undefined) throw new Error('no dataset');
      const foreign = { team: ['streaming'], 'adobe/odd': ['x'] };
      const since = tags(own).unifiedProfile?.find((entry) => entry.startsWith('enabledAt:'));
      const body = { ...dataset.body, tags: { ...(dataset.body.tags as object), ...foreign } };
      sandboxOf(own).dataSets.put(dataset.id, { ...dataset, revision: 7, body });
      const { changed, from } = await applied(own, on(wanted));
      expect(changed).toEqual(['PATCH dataSets']);
      const [patch] = sent(own, from).filter(({ method }) => method === 'PATCH');
      expect(patch?.headers).toMatchObject({
        'if-match': '1.0.7',
        'content-type': 'application/json-patch+json',
      });
      expect(tags(own)).toEqual({ ...stamped(expected, since), ...foreign, ...ownershipTag });
      expect((await applied(own, on(wanted))).changed).toEqual([]);
    },
  );

  it('12 B 5: a tag keeps what is no switch, and since when only while it stays on', async () => {
    const own = world();
    await own.run({ manifest: on({ profile: true }) });
    const [dataset] = sandboxOf(own).dataSets.values();
    if (dataset === undefined) throw new Error('no dataset');
    const unifiedProfile = ['enabled:true', 'enabledAt:2024-11-05 12:33:59', 'mergePolicyId:m1'];
    const body = { ...dataset.body, tags: { ...(dataset.body.tags as object), unifiedProfile } };
    sandboxOf(own).dataSets.put(dataset.id, { ...dataset, body });
    await own.run({ manifest: on({ profile: true, upsert: true }) });
    const kept = ['enabledAt:2024-11-05 12:33:59', 'mergePolicyId:m1'];
    expect(tags(own).unifiedProfile).toEqual(['enabled:true', 'isUpsert:true', ...kept]);
    await own.run({ manifest: on({ profile: false }) });
    expect(tags(own).unifiedProfile).toEqual(['enabled:false', 'isUpsert:true', 'mergePolicyId:m1']);
    await own.run({ manifest: on({ profile: true, upsert: false }) });
    const fresh = expect.stringMatching(/^enabledAt:2026-/);
    expect(tags(own).unifiedProfile).toEqual(['enabled:true', 'mergePolicyId:m1', fresh]);
  });

  it('that the manifest leaves out are left as somebody has set them', async () => {
    const own = world();
    await own.run({ manifest: on({}) });
    const [dataset] = sandboxOf(own).dataSets.values();
    if (dataset === undefined) throw new Error('no dataset');
    const set = { unifiedProfile: ['enabled: true', 'isUpsert:true'], unifiedIdentity: ['enabled:true'] };
    const body = { ...dataset.body, tags: { ...(dataset.body.tags as object), ...set } };
    sandboxOf(own).dataSets.put(dataset.id, { ...dataset, body });
    expect((await applied(own, on({}))).changed).toEqual([]);
    // One of Adobe's own samples has a blank in it.
    expect((await applied(own, on({ profile: true }))).changed).toEqual([]);
    expect((await applied(own, on({ profile: true, upsert: true, identity: true }))).changed).toEqual([]);
    await own.run({ manifest: on({ profile: false }) });
    await own.run({ manifest: on({ profile: true }) });
    expect(tags(own).unifiedProfile).toEqual(expect.arrayContaining(['enabled:true', 'isUpsert:true']));
  });

  it('errorDiagnostics are on unless the manifest says no, and can be switched', async () => {
    const own = world();
    const off = inletManifest({ dataset: { errorDiagnostics: false } });
    const { changed } = await applied(own, inletManifest(), off);
    expect(changed).toEqual(['PATCH dataSets']);
    expect(sandboxOf(own).dataSets.values()[0]?.body.enableErrorDiagnostics).toBe(false);
    expect((await applied(own, off)).changed).toEqual([]);
    expect((await applied(own, inletManifest())).changed).toEqual(['PATCH dataSets']);
  });

  it('B 67: switched while somebody else changes the dataset, it is read again, three times at most', async () => {
    const path = `${SERVICES.dataSets}/*`;
    for (const [times, status] of [
      [2, 'SUCCEEDED'],
      [undefined, 'FAILED'],
    ] as const) {
      const own = world();
      await own.run({ manifest: on({}) });
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 412,
        method: 'PATCH',
        path,
        ...(times !== undefined && { times }),
      });
      const asked = await own.run({ manifest: on({ identity: true }) });
      expect(asked.status).toBe(status);
      const tries = sent(own).filter(({ method }) => method === 'PATCH' && fault.struck > 0);
      expect(tries.length).toBeLessThanOrEqual(25);
      if (status === 'FAILED') {
        expect(asked.cause).toContain('AEP_CHANGED');
        expect(tags(own)).not.toHaveProperty('unifiedIdentity');
      }
    }
  });
});

describe('a mapping', () => {
  const TRIED = /\/mappingSets\/(validate|preview)$/;
  const good = [
    {
      name: 'Ana',
      record: { id: '1', first: 'Ana' },
      xdm: { _id: '1', person: { name: { firstName: 'Ana' } } },
    },
  ];
  const order = (own: World, from = 0) =>
    sent(own, from)
      .filter(({ method }) => method === 'POST')
      .map(({ path }) => path.replace(/^.*\//, ''));

  it('is validated before it is made, and both before there is a flow, samples included', async () => {
    const own = world();
    const { status, document } = await own.run({ manifest: inletManifest(), samples: good });
    expect(status).toBe('SUCCEEDED');
    const posts = order(own);
    expect(posts.indexOf('validate')).toBeLessThan(posts.indexOf('mappingSets'));
    expect(posts.indexOf('validate')).toBeGreaterThan(-1);
    expect(posts.indexOf('preview')).toBeGreaterThan(-1);
    expect(posts.indexOf('preview')).toBeLessThan(posts.indexOf('flows'));
    expect(posts.indexOf('preview')).toBeLessThan(posts.indexOf('mappingSets'));
    expect(document.verified).toEqual(expect.arrayContaining([expect.stringContaining('1 sample becomes')]));
  });

  it('is made with the body that was tried out', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest(), samples: good });
    const set = {
      name: expect.stringMatching(/^people-mapping \[penstock people [0-9a-f]{12}\]$/),
      outputSchema: {
        schemaRef: {
          id: document.resources.schema?.id,
          contentType: 'application/vnd.adobe.xed-full+json;version=1',
        },
      },
      mappings: [
        { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
        { sourceType: 'ATTRIBUTE', source: 'first', destination: 'person.name.firstName' },
      ],
    };
    expect(made(own, 'mappingSets')).toEqual([set]);
    const tried = sent(own).filter(({ path }) => TRIED.test(path));
    expect(tried.slice(0, 2).map(({ body }) => body)).toEqual([
      set,
      { data: [good[0]?.record], mappingSet: set },
    ]);
  });

  it('that does not compile is named, with every one of them, and everything is undone', async () => {
    const own = world();
    const mapping = [
      ...NAMES,
      { expression: 'no_such_function(last)', destination: 'person.name.lastName' },
      { expression: 'concat(', destination: 'person.name.fullName' },
      { source: 'x', destination: 'person.name.nickname' },
    ];
    const { error, cause } = await own.run({ manifest: inletManifest({ mapping }), samples: good });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('MAPPING_INVALID');
    for (const text of ['no_such_function', 'person.name.fullName', 'person.name.nickname'])
      expect(cause).toContain(text);
    for (const [place, { destination }] of mapping.slice(2).entries())
      expect(cause).toContain(`mapping.${place + 2} (${destination}): `);
    expect(cause).not.toContain('person.name.firstName');
    expect(holdings(own)).toEqual({});
    expect(order(own)).not.toContain('flows');
  });

  it('C 4: to a path in the wrong case is named by its place, with the path that there is, beside a similar one', async () => {
    const own = world();
    const mapping = [
      ...NAMES,
      { source: 'x', destination: 'person.name.lastname' },
      { source: 'y', destination: 'person.name.lastName' },
    ];
    const { cause } = await own.run({ manifest: inletManifest({ mapping }) });
    expect(cause).toMatch(
      /mapping\.2 \(person\.name\.lastname\): .*; did you mean .{1,2}person\.name\.lastName/,
    );
    expect(cause).not.toContain('mapping.3');
    expect(holdings(own)).toEqual({});
  });

  it.each([
    ['{tenant}.orders[0].skuu', '_acmelab.orders[0].sku'],
    ['{tenant}.order[*].lines[0].amuont', '_acmelab.orders[*].lines[0].amount'],
    ['{tenant}.orders[0].line[1].amount', '_acmelab.orders[0].lines[1].amount'],
  ])(
    'C 4: to %s, within the items of an array, is named with the nearest field there is',
    async (destination, near) => {
      const own = world();
      const text = { type: 'string' };
      const list = (properties: object) => ({ type: 'array', items: { type: 'object', properties } });
      const fields = { orders: list({ sku: text, lines: list({ amount: text }) }) };
      const mapping = [...NAMES, { source: 'x', destination }];
      const { cause } = await own.run({ manifest: groupManifest(fields, { mapping }) });
      expect(cause).toContain('mapping.2 (');
      expect(cause?.replaceAll('\\', '')).toContain(`; did you mean "${near}"?`);
      expect(holdings(own)).toEqual({});
    },
  );

  it.each([
    ['made', ''],
    ['validated', '/validate'],
    ['previewed', '/preview'],
  ])(
    'C 4: that is refused as a whole where it is %s is told by its path in the manifest',
    async (_, call) => {
      const own = world();
      const path = `${SERVICES.mappingSets}${call}`;
      own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path });
      const { error, cause } = await own.run({ manifest: inletManifest(), samples: good });
      expect(error).toBe('Penstock.RolledBack');
      // The first word is the step's name.
      expect(cause).toContain(`: mapping: mapping: POST ${path} answered 400`);
      expect(holdings(own)).toEqual({});
    },
  );

  it('C 4: that is kept, and whose samples are refused as a whole, is told by its path as well', async () => {
    const own = world();
    await own.run({ manifest: inletManifest(), samples: good });
    const path = `${SERVICES.mappingSets}/preview`;
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path });
    const others = good.map((one) => ({ ...one, name: 'Ana again' }));
    const { cause } = await own.run({ manifest: inletManifest(), samples: others });
    expect(cause).toContain(`: verify: mapping: POST ${path} answered 400`);
  });

  it('B 72: to a path that the schema does not have is named, and everything is undone', async () => {
    const own = world();
    const mapping = [...NAMES, { source: 'card', destination: '{tenant}.card' }];
    const { error, cause } = await own.run({ manifest: inletManifest({ mapping }) });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('MAPPING_INVALID');
    expect(cause).toContain('_acmelab.card');
    expect(holdings(own)).toEqual({});
  });

  const bad = [
    ...good,
    {
      name: 'Noor',
      record: { id: '2', first: 'Noor' },
      xdm: { _id: '2', person: { name: { firstName: 'Nour' } } },
    },
    { record: { id: '3' }, xdm: { _id: '3', person: { name: { firstName: 'Mai' } } } },
  ];

  it('of which a sample does not become what it must names sample and path; no flow is ever made', async () => {
    const own = world();
    const { error, cause } = await own.run({ manifest: inletManifest(), samples: bad });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('MAPPING_INVALID');
    expect(cause).toContain('Noor: person.name.firstName: expected "Nour", got "Noor"');
    expect(cause).toMatch(/sample 3: /);
    expect(cause).not.toMatch(/Ana: /);
    expect(holdings(own)).toEqual({});
    expect(own.triggers.all.size).toBe(0);
    expect(order(own)).not.toContain('flows');
  });

  it('C 4: whose sample differs where one row writes is named by that row, where two or none write by none', async () => {
    const own = world();
    const mapping = [
      ...NAMES,
      { source: 'last', destination: 'person.name.lastName' },
      { source: 'city', destination: 'homeAddress.city' },
      { source: 'born', destination: 'person.birthDate' },
    ];
    const record = { id: '1', first: 'Ana', last: 'Lima', city: 'Porto' };
    const entity = { _id: '1', person: { name: { firstName: 'Ana', lastName: 'Lima' } } };
    const samples = [
      { name: 'a', record, xdm: { ...entity, homeAddress: { city: 'Faro' } } },
      { name: 'b', record, xdm: entity },
      { name: 'c', record: { id: '1', city: 'Porto' }, xdm: { ...entity, homeAddress: { city: 'Porto' } } },
      { name: 'd', record, xdm: { ...entity, homeAddress: { city: 'Porto', street1: 'Rua' } } },
    ];
    const schema = {
      class: 'profile',
      fieldGroups: ['profile-person-details', 'profile-personal-details'],
    };
    const { error, cause } = await own.run({ manifest: inletManifest({ schema, mapping }), samples });
    expect(error).toBe('Penstock.RolledBack');
    const lines = (cause ?? '').split('\n');
    const endOf = (start: string) =>
      lines
        .find((line) => line.includes(start))
        ?.split('got ')
        .at(-1);
    // At the destination itself, and above it.
    expect(endOf('a: homeAddress.city: ')).toMatch(/Porto.*\(mapping\.3\)$/);
    expect(endOf('b: homeAddress: ')).toMatch(/\(mapping\.3\)$/);
    // Three rows write into it, and none does.
    expect(endOf('c: person: ')).toBe('nothing');
    expect(endOf('d: homeAddress.street1: ')).toBe('nothing');
  });

  it('of which a sample makes a transformation fail says which', async () => {
    const own = world();
    const mapping = [...NAMES, { expression: 'date(born, "yyyy-MM-dd")', destination: 'person.birthDate' }];
    const samples = [
      {
        record: { id: '1', first: 'Ana', born: 'yesterday' },
        xdm: { _id: '1', person: { name: { firstName: 'Ana' }, birthDate: '1990-02-03' } },
      },
    ];
    const { error, cause } = await own.run({ manifest: inletManifest({ mapping }), samples });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('sample 1: mapping.2 (person.birthDate): ');
    expect(holdings(own)).toEqual({});
  });

  it('of which a sample fails is never published, whatever else went wrong before', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: SERVICES.flows });
    expect((await own.run({ manifest: inletManifest(), samples: bad })).status).toBe('FAILED');
    own.platform.faults.clear();
    const second = await own.run({ manifest: inletManifest(), samples: bad });
    expect(second.cause).toContain('MAPPING_INVALID');
    expect(own.secrets.values.has('penstock/dev/streams/customers/people')).toBe(false);
  });

  it('that is kept has samples tried that are new, and is not touched', async () => {
    const own = world();
    await own.run({ manifest: inletManifest(), samples: good });
    const from = position(own);
    const { cause } = await own.run({ manifest: inletManifest(), samples: bad });
    expect(cause).toContain('MAPPING_INVALID');
    expect(cause).toContain('Noor');
    expect(changes(own, from)).toEqual([]);
  });

  it('that is changed for one whose samples fail leaves the old one as it was', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest(), samples: good });
    const published = own.secrets.values.get('penstock/dev/streams/customers/people');
    const mapping = [
      { source: 'id', destination: '_id' },
      { expression: 'upper(${first})', destination: 'person.name.firstName' },
    ];
    const { error } = await own.run({ manifest: inletManifest({ mapping }), samples: good });
    expect(error).toBe('Penstock.RolledBack');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect(sandboxOf(own).flows.get(document.resources.flow?.id ?? '')?.state).toBe('enabled');
    expect(own.secrets.values.get('penstock/dev/streams/customers/people')).toBe(published);
    expect((await applied(own, inletManifest())).changed).toEqual([]);
  });

  it('has {tenant} in paths, expressions and samples filled in', async () => {
    const own = world({ tenant: 'other_org' });
    const mapping = [
      ...NAMES,
      { source: 'tier', destination: '{tenant}.loyalty.tier' },
      { expression: 'to_integer(points)', destination: '{tenant}.loyalty.points' },
      { expression: 'concat(${first}, "{tenant}")', destination: 'person.name.lastName' },
    ];
    const samples = [
      {
        record: { id: '1', first: 'Ana', tier: 'gold', points: '7' },
        xdm: {
          _id: '1',
          person: { name: { firstName: 'Ana', lastName: 'Ana_other_org' } },
          '{tenant}': { loyalty: { tier: 'gold', points: 7 } },
        },
      },
    ];
    const manifest = groupManifest(OWN_GROUP.fields, { mapping });
    const { cause, status } = await own.run({ manifest, samples });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(JSON.stringify(made(own, 'mappingSets'))).toContain('_other_org.loyalty.tier');
    expect(JSON.stringify(sent(own).map(({ body }) => body))).not.toContain('{tenant}');
  });

  it('of 500 entries is one set', async () => {
    const own = world();
    const fields = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`f${index}`, { type: 'string' }]),
    );
    const mapping = Object.keys(fields).map((name) => ({
      source: `from.${name}`,
      destination: `{tenant}.${name}`,
    }));
    const { cause, status } = await own.run({ manifest: groupManifest(fields, { mapping }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(sandboxOf(own).mappingSets.values()[0]?.body.mappings).toHaveLength(500);
    expect((await applied(own, groupManifest(fields, { mapping }))).changed).toEqual([]);
  });
});
