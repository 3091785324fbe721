// C 4: what AEP will refuse anyway, and what is likely a slip, is told by the check and by the plan, from the manifest alone.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { foreseenOf } from '../../../lib/provision/plan/foreseen.ts';
import { checkPipeline } from '../../../local/check/pipeline-check.ts';
import { world } from '../../support/provisioning.ts';
import { inletManifest, KINESIS, keep, pulledManifest, SECRETS } from '../cases.ts';

const EVENT = { class: 'experienceevent', fieldGroups: [] };
const ID = { source: 'id', destination: '_id' };
const AT = { source: 'at', destination: 'timestamp' };
const EMAIL = { source: 'email', destination: 'workEmail.address' };
const identified = (path: string, primary = true) => ({
  class: 'profile',
  fieldGroups: ['profile-work-details'],
  identities: [{ path, namespace: 'Email', primary }],
});
const CARD = {
  name: 'loyalty',
  fields: {
    card: {
      type: 'object',
      required: ['number'],
      properties: {
        number: { type: 'string' },
        tier: { type: 'string' },
        shop: { type: 'object', required: ['country'], properties: { country: { type: 'string' } } },
      },
    },
  },
};
const owned = { class: 'profile', fieldGroups: [CARD] };
const to = (destination: string) => ({ source: 'x', destination });

const of = (schema: object, mapping: object[] | undefined, more = {}) =>
  foreseenOf(parseManifest(inletManifest({ schema, mapping, ...more })));
const paths = (refused: readonly string[]) =>
  refused.map((line) => /^mapping: found no mapping to (\S+); expected one, because /.exec(line)?.[1]);

describe('C 4: a required field that nothing maps to', () => {
  it.each<[string, object, object[], string[]]>([
    ['f34: the timestamp of an event', EVENT, [ID], ['timestamp']],
    ['both that an event must have', EVENT, [to('eventType')], ['_id', 'timestamp']],
    ['none of an event that has both', EVENT, [ID, AT], []],
    [
      'the same by the $id of the class',
      { class: 'https://ns.adobe.com/xdm/context/experienceevent' },
      [ID],
      ['timestamp'],
    ],
    [
      'of another of Adobe’s classes',
      { class: 'https://ns.adobe.com/xdm/classes/weather' },
      [ID],
      ['weatherID'],
    ],
    ['none of a profile', { class: 'profile', fieldGroups: ['profile-work-details'] }, [EMAIL], []],
    ['a primary identity', identified('workEmail.address'), [ID], ['workEmail.address']],
    ['not one that is mapped', identified('workEmail.address'), [EMAIL], []],
    ['not one whose object is mapped as a whole', identified('workEmail.address'), [to('workEmail')], []],
    ['not one that is not primary', identified('workEmail.address', false), [ID], []],
    [
      'not one in the own namespace, written out',
      { ...owned, identities: [{ path: '{tenant}.card.number', namespace: 'Email', primary: true }] },
      [to('_acmelab.card.number')],
      [],
    ],
    [
      'what an own object requires of which a part is mapped',
      owned,
      [to('{tenant}.card.tier')],
      ['{tenant}.card.number'],
    ],
    [
      'the same deeper',
      owned,
      [to('{tenant}.card.shop.city')],
      ['{tenant}.card.number', '{tenant}.card.shop.country'],
    ],
    ['not of an object that is not mapped, or as a whole', owned, [to('{tenant}.card')], []],
  ])('is told: %s', (_, schema, mapping, missing) => {
    expect(paths(of(schema, mapping).refused)).toEqual(missing);
  });

  it('is not asked for where nothing is mapped, or only AEP knows the schema', () => {
    const xdm = { source: { kind: 'inlet', stream: 'customers', data: 'xdm' } };
    expect(of(EVENT, undefined, xdm).refused).toEqual([]);
    expect(of({ id: 'https://ns.adobe.com/acmelab/schemas/1' }, [ID]).refused).toEqual([]);
  });

  it('is told with what Penstock can give, where it sends the records', () => {
    expect(of(EVENT, [ID]).refused).toEqual([expect.stringContaining('With "derive": ["timestamp"]')]);
    const pulled = parseManifest(pulledManifest(KINESIS, { schema: EVENT, mapping: [ID] }));
    expect(foreseenOf(pulled).refused).toEqual([expect.not.stringContaining('derive')]);
  });

  it('fails the check, and stands first among the warnings of a plan', async () => {
    const manifest = inletManifest({ schema: EVENT, mapping: [ID] });
    const { mistakes } = await checkPipeline(parseManifest(manifest), undefined);
    expect(paths(mistakes)).toEqual(['timestamp']);
    const { document } = await world().run({ manifest, mode: 'plan' });
    expect(paths(document.warnings.slice(0, 1))).toEqual(['timestamp']);
  });

  it('is what AEP does refuse: the row without it, and not the one with it', async () => {
    const record = { id: 'a', at: '2026-01-01T00:00:00Z' };
    const without = [{ record, xdm: { _id: 'a' } }];
    const [line] = (
      await checkPipeline(parseManifest(inletManifest({ schema: EVENT, mapping: [ID] })), without)
    ).mistakes.slice(1);
    expect(line).toContain('required key [timestamp] not found');
    const both = [{ record, xdm: { _id: 'a', timestamp: record.at } }];
    expect(
      (await checkPipeline(parseManifest(inletManifest({ schema: EVENT, mapping: [ID, AT] })), both))
        .mistakes,
    ).toEqual([]);
  });
});

describe('C 4: what is likely a slip', () => {
  const PROFILE = { class: 'profile', fieldGroups: ['profile-work-details'] };

  it.each<[string, string, string]>([
    [
      'f40: a JSONPath',
      '$.contact.email',
      "a JSONPath; expected the names of the record's fields with dots between them: contact.email",
    ],
    ['a JSONPath with brackets', '$["email"]', 'a JSONPath; expected'],
    [
      'a pointer',
      '/contact/email',
      "a JSON Pointer; expected the names of the record's fields with dots between them: contact.email",
    ],
    [
      'a quoted constant',
      '"web"',
      'a constant; expected a path in the record, or {"expression": "\\"web\\""}',
    ],
    [
      'a constant in single quotes',
      "'web'",
      'a constant; expected a path in the record, or {"expression": "\\"web\\""}',
    ],
    [
      'a calculated field',
      'lower(email)',
      'a calculated field; expected a path in the record, or {"expression": "lower(email)"}',
    ],
  ])('a source is %s', async (_, source, said) => {
    const manifest = inletManifest({
      schema: PROFILE,
      mapping: [ID, { source, destination: 'workEmail.address' }],
    });
    const line = `mapping.1.source: found ${JSON.stringify(source)}, ${said}`;
    expect(foreseenOf(parseManifest(manifest)).doubtful).toEqual([expect.stringContaining(line)]);
    const { warnings } = await checkPipeline(parseManifest(manifest), undefined);
    expect(warnings).toContainEqual(expect.stringContaining(line));
    const { document } = await world().run({ manifest, mode: 'plan' });
    expect(document.warnings).toContainEqual(expect.stringContaining(line));
  });

  it.each([
    'email',
    'contact.email',
    'items[*].sku',
    `$${'{odd.name}'}`,
    `$${'{a}'}.b`,
    '_id',
    'a-b',
    'x (y)',
    '5',
  ])('no source that is a path: %s', (source) => {
    expect(of(PROFILE, [{ source, destination: 'workEmail.address' }]).doubtful).toEqual([]);
  });

  it('a namespace that is written out, in a destination and in an identity', () => {
    const schema = {
      ...owned,
      identities: [{ path: '_acmelab.card.number', namespace: 'Email', primary: true }],
    };
    expect(of(schema, [to('_acmelab.card.number')]).doubtful).toEqual([
      expect.stringContaining(
        'schema.identities.0.path: found "_acmelab.card.number", a namespace written out; expected "{tenant}.card.number"',
      ),
      expect.stringContaining(
        'mapping.0.destination: found "_acmelab.card.number", a namespace written out; expected "{tenant}.card.number"',
      ),
    ]);
  });

  it.each([
    '_id',
    '_repo.createDate',
    '_experience.campaign.id',
    '_marketo.a',
    '_braze.a',
    '{tenant}.card',
    'person._x',
  ])('no name that is Adobe’s own, or deeper: %s', (destination) => {
    expect(of(PROFILE, [to(destination)]).doubtful).toEqual([]);
  });

  it('of a hundred slips twenty are told, and how many there are', () => {
    const mapping = Array.from({ length: 100 }, (_, at) => ({ source: '$.a', destination: `person.a${at}` }));
    const { doubtful } = of(PROFILE, mapping);
    expect(doubtful).toHaveLength(21);
    expect(doubtful.at(-1)).toBe('… and 80 more of this kind');
  });
});

describe('C 4: what only AEP knows', () => {
  it('f13: is told by its place in the manifest', async () => {
    const schema = {
      class: 'experienceevent',
      fieldGroups: ['https://ns.adobe.com/acmelab/mixins/0123'],
    };
    const { mistakes, warnings } = await checkPipeline(
      parseManifest(inletManifest({ schema, mapping: [ID] })),
      undefined,
    );
    expect(paths(mistakes)).toEqual(['timestamp']);
    expect(warnings.at(-1)).toMatch(/^schema\.fieldGroups\.0: https:\/\/\S+mixins\/0123: known in AEP only/);
  });
});

/** Where AEP reads by itself the same is told. */
describe('C 4: of a source that AEP reads', () => {
  it('the plan tells it as well', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const manifest = pulledManifest(KINESIS, { schema: EVENT, mapping: [ID] });
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(paths(document.warnings)).toEqual(['timestamp']);
  });
});
