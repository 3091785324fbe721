// Operations of Data Prep in a manifest: refused where AEP would acknowledge the records and apply them nowhere.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../lib/manifest.ts';
import { inletManifest } from './provision/cases.ts';

const ID = '69a1f3c27be5a40c1d2e3f40';
const EMAIL = { path: 'workEmail.address', namespace: 'Email', primary: true };
const SCHEMA = {
  class: 'profile',
  fieldGroups: ['profile-work-details', 'identitymap'],
  identities: [EMAIL],
  profile: true,
};
const TO_EMAIL = [
  { source: 'id', destination: '_id' },
  { source: 'email', destination: 'workEmail.address' },
];

const manifest = (operations: object, more: object = {}) =>
  inletManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'raw', records: { operations } },
    schema: SCHEMA,
    dataset: { profile: true, upsert: true },
    mapping: TO_EMAIL,
    ...more,
  });

const MERGE = { data: 'merge' };
const LINK = { data: 'create', identity: 'create' };
const BY_OP = { field: '/op', values: { C: { data: 'create' }, D: { data: 'delete' } } };
const AT = 'source.records.operations';

function said(operations: object, more: object = {}): string[] {
  try {
    parseManifest(manifest(operations, more));
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .map((line) => line.trim());
  }
}

describe('A 6: an operation has what it needs', () => {
  it.each<[string, object, object?]>([
    ['merge', MERGE],
    ['delete by a table', BY_OP],
    ['identities linked, and their dataset made', { ...MERGE, identity: 'create' }],
    ['identities linked, and their dataset named', { ...MERGE, identity: 'create', identityDatasetId: ID }],
    ['identities of new records, no updates', LINK, { dataset: { profile: true } }],
    ['plain records, which need nothing', { data: 'create' }, { dataset: {}, schema: { class: 'profile' } }],
    [
      'what holds the primary identity mapped',
      MERGE,
      { mapping: [{ source: 'mail', destination: 'workEmail' }] },
    ],
    [
      'no primary identity, an identity map',
      MERGE,
      { schema: { ...SCHEMA, identities: [] }, mapping: [{ expression: 'ids', destination: 'identityMap' }] },
    ],
    [
      'the organization written out',
      MERGE,
      {
        schema: { ...SCHEMA, identities: [{ ...EMAIL, path: '{tenant}.crm.id' }] },
        mapping: [{ source: 'id', destination: '_acmelab.crm.id' }],
      },
    ],
    [
      'an existing schema, of which AEP knows the identity',
      MERGE,
      { schema: { id: 'https://ns.adobe.com/acmelab/schemas/1' } },
    ],
  ])('%s', (_, operations, more) => {
    expect(said(operations, more)).toEqual([]);
  });

  it.each<[string, object, object, string[]]>([
    [
      'merge on a dataset of which nothing is said',
      MERGE,
      { dataset: {} },
      [
        `dataset.profile: expected true, because ${AT}.data is "merge"; found nothing`,
        `dataset.upsert: expected true, because ${AT}.data is "merge"; found nothing`,
      ],
    ],
    [
      'merge on a dataset outside Profile',
      MERGE,
      { dataset: { profile: false, upsert: false } },
      [
        `dataset.profile: expected true, because ${AT}.data is "merge"; found false`,
        `dataset.upsert: expected true, because ${AT}.data is "merge"; found false`,
      ],
    ],
    [
      'delete without upsert',
      BY_OP,
      { dataset: { profile: true } },
      [`dataset.upsert: expected true, because ${AT}.values.D.data is "delete"; found nothing`],
    ],
    [
      'upsert alone, said once',
      MERGE,
      { dataset: { upsert: true } },
      ['dataset.profile: expected true, because dataset.upsert is; found nothing'],
    ],
    [
      'identities outside Profile',
      LINK,
      { dataset: { identity: true } },
      [`dataset.profile: expected true, because ${AT}.identity is "create"; found nothing`],
    ],
    [
      'a primary identity that nothing is mapped to',
      MERGE,
      { mapping: [{ source: 'id', destination: '_id' }] },
      [
        `schema.identities.0.path: is the primary identity, and no mapping leads to it; expected one, because ${AT}.data is "merge"; found "workEmail.address"`,
      ],
    ],
    [
      'a primary identity of which only a neighbour is mapped',
      MERGE,
      { mapping: [{ source: 'kind', destination: 'workEmail.type' }] },
      [
        `schema.identities.0.path: is the primary identity, and no mapping leads to it; expected one, because ${AT}.data is "merge"; found "workEmail.address"`,
      ],
    ],
    [
      'no identity at all',
      MERGE,
      {
        schema: {
          class: 'profile',
          fieldGroups: ['profile-work-details'],
          identities: [{ ...EMAIL, primary: false }],
          profile: true,
        },
      },
      [
        expect.stringContaining('schema.profile: needs a primary identity'),
        expect.stringMatching(
          /^schema\.identities: expected a primary identity, or the field group identitymap .* because source\.records\.operations\.data is "merge"; found/,
        ),
      ],
    ],
    [
      'an identity map that nothing is mapped to',
      MERGE,
      { schema: { ...SCHEMA, identities: [] } },
      [expect.stringMatching(/^mapping: expected a mapping to identityMap, or a primary identity/)],
    ],
    [
      'an identity dataset for nothing',
      { data: 'merge', identityDatasetId: ID },
      {},
      [`${AT}.identityDatasetId: not allowed without "identity": "create"; found "${ID}"`],
    ],
    [
      'two identity datasets',
      {
        field: '/op',
        values: {
          C: { data: 'create', identity: 'create', identityDatasetId: ID },
          U: { data: 'merge', identity: 'create' },
        },
      },
      {},
      [
        `${AT}.values.U.identityDatasetId: expected the same for every operation: the first one has ${ID}; found nothing`,
      ],
    ],
  ])('or the manifest is refused: %s', (_, operations, more, lines) => {
    expect(said(operations, more)).toEqual(lines);
  });
});
