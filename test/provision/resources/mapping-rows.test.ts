// Rows of a mapping as AEP writes them: the manifest takes them as they are, and the plan sees no difference.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseManifest } from '../../../lib/manifest.ts';
import { world } from '../../support/provisioning.ts';
import { actions, byHand, inletManifest, position, SERVICES, sandboxOf, sent } from '../cases.ts';

const OURS = [
  { source: 'id', destination: '_id' },
  { expression: 'lower(${first})', destination: 'person.name.firstName' },
];

const CURRENT = [
  { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id', name: 'id', description: 'Identifier field' },
  { sourceType: 'EXPRESSION', source: 'lower(${first})', destination: 'person.name.firstName' },
];

/** The example of `MappingOperation` in Adobe's API description, with our two fields. */
const READ = CURRENT.map(({ sourceType, source, destination }) => ({
  id: '394bec970d54410b98e1d4c55a3843ca',
  version: 0,
  createdDate: 1_614_909_614_000,
  modifiedDate: 1_614_909_614_000,
  createdBy: '{CREATED_BY}',
  modifiedBy: '{MODIFIED_BY}',
  sourceType: sourceType === 'ATTRIBUTE' ? 'text/x.schema-path' : 'text/x.aep-xl',
  source,
  destination,
  identity: false,
  primaryIdentity: false,
  matchScore: 0,
  functionVersion: 1,
  sourceAttribute: source,
  destinationXdmPath: destination,
}));

const mappingIn = (mapping: unknown) => parseManifest(inletManifest({ mapping })).mapping;

describe("C: pasting AEP's own mapping rows into `mapping`", () => {
  it.each([
    ['as Data Prep takes them', CURRENT],
    ['as Data Prep gives them back', READ],
    [
      'in the older form',
      [
        { sourceAttribute: 'id', destinationXdmPath: '_id', identity: false, version: 0 },
        {
          sourceType: 'EXPRESSION',
          sourceAttribute: 'lower(${first})',
          destinationXdmPath: 'person.name.firstName',
        },
      ],
    ],
    [
      "in the form of Adobe's tutorials for sources",
      OURS.map((row) => ({
        destinationXdmPath: row.destination,
        sourceAttribute: row.source ?? row.expression,
        ...('expression' in row && { sourceType: 'EXPRESSION' }),
        identity: false,
        identityGroup: null,
        namespaceCode: null,
        version: 0,
      })),
    ],
  ])('rows %s are the same rows in our form', (_, rows) => {
    expect(mappingIn(rows)).toEqual(mappingIn(OURS));
  });

  it.each([
    [
      'a constant',
      { sourceType: 'STATIC', source: 'x', destination: '_id' },
      'mapping.0.sourceType: expected',
    ],
    [
      'another kind',
      { sourceType: 'text/plain', source: 'x', destination: '_id' },
      'mapping.0.sourceType: expected "ATTRIBUTE" or "EXPRESSION"',
    ],
    [
      'two sources',
      { sourceType: 'ATTRIBUTE', source: 'a', sourceAttribute: 'b', destination: '_id' },
      'mapping.0.source: differs from sourceAttribute; expected one of the two; found "a"',
    ],
    ['no source', { sourceType: 'ATTRIBUTE', destination: '_id' }, 'mapping.0.source: expected string'],
    ['no destination', { sourceType: 'ATTRIBUTE', source: 'id' }, 'mapping.0.destination: expected string'],
    [
      'a calculated field that does not say so',
      { sourceAttribute: 'lower(first)', destinationXdmPath: '_id' },
      'mapping.0.sourceAttribute: expected a path in the record; a calculated field needs "sourceType"',
    ],
    [
      'a member that nobody knows',
      { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id', target: 'x' },
      'mapping.0: unknown "target"; allowed: sourceType',
    ],
    [
      'a JSON Pointer',
      { sourceAttribute: 'id', destinationXdmPath: '/person/name' },
      'mapping.0.destinationXdmPath: expected names with dots between them: person.name',
    ],
  ])('%s is refused with its place', (_, row, said) => {
    expect(() => mappingIn([row])).toThrow(said);
  });

  it('a path to all items of a list is a path in the older form, too', () => {
    const older = { sourceAttribute: 'events[*].data.name', destinationXdmPath: '_acmelab.names' };
    expect(mappingIn([older])).toEqual([{ source: 'events[*].data.name', destination: '_acmelab.names' }]);
    expect(() => mappingIn([{ ...older, sourceAttribute: 'a*b' }])).toThrow('expected a path in the record');
  });

  it('the same destination twice is found across the forms', () => {
    expect(() => mappingIn([OURS[0], CURRENT[0]])).toThrow('mapping.1: maps to _id as another row does');
  });

  it('a pipeline whose rows are replaced by what AEP gives back for them is left as it is', async () => {
    const own = world();
    const { status } = await own.run({ manifest: inletManifest({ mapping: OURS }) });
    expect(status).toBe('SUCCEEDED');
    const [id] = [...sandboxOf(own).mappingSets.values()].map((set) => set.id);
    const { value } = await byHand(own).request({
      method: 'GET',
      path: `${SERVICES.mappingSets}/${id}`,
      answer: z.object({ mappings: z.array(z.record(z.string(), z.unknown())) }),
    });
    expect(value.mappings.map(({ sourceType }) => sourceType)).toEqual([
      'text/x.schema-path',
      'text/x.aep-xl',
    ]);
    const from = position(own);
    const again = await own.run({ manifest: inletManifest({ mapping: value.mappings }) });
    expect(again.status).toBe('SUCCEEDED');
    expect(actions(again.document)).toMatchObject({ mapping: 'keep', flow: 'keep' });
    expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});
