// 12 B 9: classes and field groups by their `$id`: the plan asks AEP for them, the check knows Adobe's, and both tell what is nowhere.
import { describe, expect, it } from 'vitest';
import { CLASSES, FIELD_GROUPS, parseManifest } from '../../../lib/manifest.ts';
import { builtIn, builtInResources, namedOnly, standardOf } from '../../../local/aep/xdm/standard.ts';
import { checkPipeline } from '../../../local/check/pipeline-check.ts';
import { world } from '../../support/provisioning.ts';
import { holdings, inletManifest, planned, sandboxOf } from '../cases.ts';

const XDM = 'https://ns.adobe.com/xdm';
const WEB = FIELD_GROUPS['experienceevent-web'];
const mapping = [
  { source: 'id', destination: '_id' },
  { source: 'at', destination: 'timestamp' },
  { source: 'page', destination: 'web.webPageDetails.name' },
];
const of = (fieldGroups: unknown[], more: object = {}) =>
  inletManifest({ schema: { class: 'experienceevent', fieldGroups, ...more }, mapping });
const checked = (manifest: object, xdm = builtIn) => checkPipeline(parseManifest(manifest), undefined, xdm);

/** Its fields are in a checkout of Adobe's repository only. */
const NAMED = `${XDM}/context/experienceevent-advertising`;
const withNamed = standardOf([
  {
    kind: 'mixins',
    id: NAMED,
    title: 'Advertising',
    extends: [],
    intendedToExtend: [CLASSES.experienceevent],
    content: { type: 'object', properties: { advertising: { type: 'object', properties: {} } } },
  },
  ...builtInResources(),
]);

/** The third of four, and what was meant. */
const SLIPS: [string, string, string][] = [
  ['a slip', `${XDM}/context/experienceevent-comerce`, FIELD_GROUPS['experienceevent-commerce']],
  [
    'a $id that begins otherwise',
    `${XDM}/context/profile-loyalty-details`,
    FIELD_GROUPS['profile-loyalty-details'],
  ],
];
const GROUPS = (id: string) => [
  'experienceevent-web',
  'experienceevent-search',
  'experienceevent-channel',
  id,
];

describe('12 B 9: a $id that is nowhere', () => {
  it.each(SLIPS)('%s is a conflict of the plan, and nothing is made', async (_, id, meant) => {
    const own = world();
    const said = `schema.fieldGroups.3: found "${id}"; expected the $id of a field group that is there; did you mean "${meant}"?`;
    const { document } = await own.run({ manifest: of(GROUPS(id)), mode: 'plan' });
    expect(document.plan.find(({ resource }) => resource === 'schema')).toMatchObject({
      action: 'conflict',
      reason: expect.stringContaining(said),
    });
    const { error, cause } = await own.run({ manifest: of(GROUPS(id)) });
    expect(error).toBe('Penstock.Conflict');
    expect(cause).toContain(said);
    expect(own.mutations()).toEqual([]);
    expect(holdings(own)).toEqual({});
  });

  it.each(SLIPS)('%s fails the offline check', async (_, id, meant) => {
    const { mistakes } = await checked(of(GROUPS(id)));
    expect(mistakes).toEqual([
      `schema.fieldGroups.3: found "${id}"; expected the $id of a field group; did you mean "${meant}"?`,
    ]);
  });

  it('neither is near: nothing is guessed', async () => {
    const id = `${XDM}/mixins/loyalty`;
    const { mistakes } = await checked(of([id]));
    expect(mistakes).toEqual([`schema.fieldGroups.0: found "${id}"; expected the $id of a field group`]);
  });

  it('a class is told as well', async () => {
    const id = `${XDM}/context/experienceevents`;
    const said = `schema.class: found "${id}"; expected the $id of a class; did you mean "${CLASSES.experienceevent}"?`;
    expect((await checked(of([], { class: id }))).mistakes).toContain(said);
    const { cause } = await world().run({ manifest: of([], { class: id }) });
    expect(cause).toContain(said.replace('of a class', 'of a class that is there'));
  });

  it('what is a data type is no field group', async () => {
    const { mistakes } = await checked(of([`${XDM}/context/webinfo`]));
    expect(mistakes).toEqual([
      `schema.fieldGroups.0: found "${XDM}/context/webinfo"; expected the $id of a field group, and not of a data type`,
    ]);
  });
});

describe('12 B 9: a $id that is somewhere', () => {
  it('Adobe’s own, not built in: a warning that says how its fields are known', async () => {
    expect(namedOnly('mixins')).toContain(NAMED);
    const { mistakes, warnings } = await checked(of(['experienceevent-web', NAMED]));
    expect(mistakes).toEqual([]);
    expect(warnings.at(-1)).toMatch(/^schema\.fieldGroups\.1: \S+-advertising: is Adobe's, .* --xdm DIR/);
  });

  it('with --xdm its fields are looked at like any other', async () => {
    const manifest = of(['experienceevent-web', NAMED]);
    expect((await checked(manifest, withNamed)).warnings).toEqual([expect.stringMatching(/no samples/)]);
    const wrong = { ...manifest, mapping: [...mapping, { source: 'x', destination: 'advertising.nothing' }] };
    expect((await checked(wrong, withNamed)).mistakes.join()).toContain('advertising.nothing');
    const { status } = await world({ xdm: withNamed }).run({ manifest });
    expect(status).toBe('SUCCEEDED');
  });

  it('with --xdm, what it knows is offered as well', async () => {
    const own = world({ xdm: withNamed });
    const { cause } = await own.run({ manifest: of([`${XDM}/mixins/experienceevent-advertisng`]) });
    expect(cause).toContain(`did you mean "${NAMED}"?`);
  });

  it('the organization’s own is asked for where it is, Adobe’s where Adobe keeps it, and what has a short name not at all', async () => {
    const own = world({ xdm: withNamed });
    const fields = { number: { type: 'string' } };
    await own.run({ manifest: of(['experienceevent-web', { name: 'card', fields }]) });
    const group = sandboxOf(own).registry.mixins.values()[0]?.$id as string;
    const before = own.platform.journal.entries().length;
    const more = { ...of([group, NAMED, WEB, 'experienceevent-search']), name: 'others' };
    const { document } = await own.run({ manifest: more, mode: 'plan' });
    expect(planned(document, 'schema')?.action).toBe('create');
    const asked = own.platform.journal
      .entries()
      .slice(before)
      .filter(({ method, path }) => method === 'GET' && path.includes('/fieldgroups/'))
      .map(({ path }) => decodeURIComponent(path).split('/schemaregistry/')[1]);
    expect(new Set(asked)).toEqual(new Set([`tenant/fieldgroups/${group}`, `global/fieldgroups/${NAMED}`]));
    const listed = own.platform.journal.entries().filter(({ path }) => /\/global\/fieldgroups$/.test(path));
    expect(listed).toEqual([]);
  });

  it('a schema that is kept is not asked for its parts again', async () => {
    const own = world({ xdm: withNamed });
    await own.run({ manifest: of(['experienceevent-web', NAMED]) });
    const asked = () =>
      own.platform.journal.entries().filter(({ path }) => path.includes('/fieldgroups/')).length;
    const before = asked();
    const { document } = await own.run({ manifest: of(['experienceevent-web', NAMED]), mode: 'plan' });
    expect(planned(document, 'schema')?.action).toBe('keep');
    expect(asked()).toBe(before);
  });

  it('a field group for another class is a warning', async () => {
    const { mistakes, warnings } = await checked(of(['experienceevent-web', 'profile-consents']));
    expect(mistakes).toEqual([]);
    expect(warnings).toContain(
      `schema.fieldGroups.1: found "${FIELD_GROUPS['profile-consents']}", which is for ${CLASSES.profile}; expected a field group for ${CLASSES.experienceevent}`,
    );
  });
});

describe('12 B 9: a short name', () => {
  it.each(Object.entries(FIELD_GROUPS))(
    '%s stands for its $id, in a schema that is made',
    async (name, id) => {
      const own = world();
      const { status } = await own.run({
        manifest: of(['experienceevent-web', ...(id === WEB ? [] : [name])]),
      });
      expect(status).toBe('SUCCEEDED');
      const [schema] = sandboxOf(own).registry.schemas.values();
      expect(schema?.allOf).toContainEqual(expect.objectContaining({ $ref: id }));
    },
  );
});

describe('12 B 9: what Adobe’s fields require of an object that a part is mapped of', () => {
  const groups = ['experienceevent-commerce', 'experienceevent-web'];
  const lacking = async (...destinations: string[]) => {
    const all = [...mapping, ...destinations.map((destination) => ({ source: 'x', destination }))];
    const { mistakes, warnings } = await checked({ ...of(groups), mapping: all });
    expect(mistakes).toEqual([]);
    return warnings.filter((line) => line.startsWith('mapping: '));
  };
  const said = (path: string, object: string) =>
    `mapping: found no mapping to ${path}; expected one, because ${object} requires it. AEP refuses every record without it`;

  it.each([
    ['commerce.purchases.id', said('commerce.purchases.value', 'commerce.purchases')],
    ['productListItems[*].name', said('productListItems.SKU', 'productListItems')],
    [
      'web.webPageDetails.pageViews.id',
      said('web.webPageDetails.pageViews.value', 'web.webPageDetails.pageViews'),
    ],
  ])('%s alone is a warning', async (destination, line) => {
    expect(await lacking(destination)).toEqual([line]);
  });

  it.each([
    [['commerce.purchases.id', 'commerce.purchases.value']],
    [['commerce.purchases']],
    [['commerce']],
    [['productListItems[*].name', 'productListItems[*].SKU']],
    [['productListItems[*]']],
    [['web.webPageDetails.URL']],
  ])('%j is complete', async (destinations) => {
    expect(await lacking(...destinations)).toEqual([]);
  });

  it('an own list of objects requires as well', async () => {
    const items = {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string' }, at: { type: 'string' } },
    };
    const fields = { visits: { type: 'array', items } };
    const { mistakes } = await checked({
      ...of([...groups, { name: 'own', fields }]),
      mapping: [...mapping, { source: 'x', destination: '{tenant}.visits[*].at' }],
    });
    expect(mistakes).toEqual([
      'mapping: found no mapping to {tenant}.visits.id; expected one, because schema.fieldGroups.2.fields.visits.items.required names it. AEP refuses every record without it',
    ]);
  });
});
