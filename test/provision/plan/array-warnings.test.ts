// Arrays in a merge: AEP wants to be told what becomes of the array that is there; `plan` and `check:pipelines` say where it is not.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { arrayWarnings } from '../../../lib/provision/plan/array-warnings.ts';
import { checkPipeline } from '../../../local/check/pipeline-check.ts';
import { world } from '../../support/provisioning.ts';
import { richManifest, sandboxOf } from '../cases.ts';

const LIST = { type: 'array', items: { type: 'string' } };
const GROUP = {
  name: 'tags',
  fields: { tags: LIST, address: { type: 'object', properties: { lines: LIST, city: { type: 'string' } } } },
};
const EMAIL = { source: 'email', destination: 'personalEmail.address' };

function manifest(mapping: object, operations: object = { data: 'merge' }) {
  const rich = richManifest() as { schema: { fieldGroups: unknown[] } };
  return richManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'raw', records: { operations } },
    schema: { ...rich.schema, fieldGroups: [...rich.schema.fieldGroups, 'identitymap', GROUP] },
    mapping: [EMAIL, mapping],
  });
}
const copy = (destination: string) => ({ source: 'x', destination });
const making = (expression: string, destination = 'person.name.firstName') => ({ expression, destination });

const said = (mapping: object, operations?: object, ...rest: [] | [samples: object[]]) =>
  arrayWarnings(parseManifest(manifest(mapping, operations)), rest[0] as never);

describe('A 6: an array in a merge', () => {
  it.each<[string, object, string]>([
    ['an own field', copy('{tenant}.tags'), 'mapping.1 to {tenant}.tags (by its field group)'],
    ['an own field, the organization written out', copy('_acmelab.address.lines'), '(by its field group)'],
    ['a field within', copy('{tenant}.address.lines'), '(by its field group)'],
    ['an item', copy('{tenant}.address.lines[0]'), '(its path has an index)'],
    ['all items', copy('phones[*].number'), '(its path has an index)'],
    ['what an expression makes', making('to_array(true, a, b)'), '(its expression makes one)'],
    ['a text taken apart', making(' explode(a, ",")'), '(its expression makes one)'],
  ])('is warned of: %s', (_, mapping, text) => {
    expect(said(mapping)).toEqual([expect.stringContaining(text)]);
  });

  it.each<[string, object]>([
    ['is appended to', making('upsert_array_append(x)', '{tenant}.tags')],
    ['is replaced', making('upsert_array_replace(to_array(true, x), 0)', '{tenant}.address.lines[0]')],
    ['is none', copy('{tenant}.address.city')],
    ['is joined to a text', making('join(",", to_array(true, a, b))')],
    ['is of the identity map', copy('identityMap.Email[0].id')],
  ])('is not warned of where it %s', (_, mapping) => {
    expect(said(mapping)).toEqual([]);
  });

  it('is told by the samples, where nothing else tells it', () => {
    const samples = [
      { record: {}, xdm: { person: { name: { firstName: 'Ana' } } } },
      { name: 'two', record: {}, xdm: { person: { name: { firstName: ['Ana', 'Rui'] } } } },
    ];
    expect(said(copy('person.name.firstName'), { data: 'merge' }, samples)).toEqual([
      expect.stringContaining('mapping.1 to person.name.firstName (by two)'),
    ]);
  });

  it.each([{ data: 'create' }, { data: 'delete' }])('is none of the business of $data', (operation) => {
    expect(said(copy('{tenant}.tags'), operation)).toEqual([]);
  });

  it('says it in one sentence, however many there are', () => {
    const many = Array.from({ length: 400 }, (_, at) => copy(`{tenant}.address.lines[${at}]`));
    const warnings = arrayWarnings(parseManifest({ ...manifest(EMAIL), mapping: [EMAIL, ...many] }));
    expect(warnings).toHaveLength(1);
    expect(Buffer.byteLength(warnings[0] ?? '')).toBeLessThanOrEqual(1_500);
  });

  it('is warned of by plan: by the manifest before there is a schema, by the schema once it is there', async () => {
    const own = world();
    const first = await own.run({ manifest: manifest(copy('{tenant}.tags')), mode: 'plan' });
    const arrays = ({ warnings }: { warnings: string[] }) =>
      warnings.filter((one) => one.startsWith('Arrays'));
    expect(arrays(first.document)).toEqual([expect.stringContaining('{tenant}.tags (by its field group)')]);
    expect(arrays(first.document.report as never)).toHaveLength(1);
    const { document, cause } = await own.run({
      manifest: manifest(making('upsert_array_append(x)', '{tenant}.tags')),
    });
    expect(cause).toBeUndefined();
    expect(arrays(document)).toEqual([]);
    const id = document.resources.schema?.id ?? '';
    expect(sandboxOf(own).registry.schemas.get(id)).toBeDefined();
    const named = {
      ...manifest(copy('_acmelab.tags')),
      name: 'others',
      schema: { id },
      dataset: { name: 'Others', profile: true, upsert: true },
    };
    const { document: other } = await own.run({ manifest: named, mode: 'plan' });
    expect(arrays(other)).toEqual([expect.stringContaining('_acmelab.tags (by the schema)')]);
  });

  it('is warned of by check:pipelines, also where only AEP knows the schema', async () => {
    const arrays = async (one: object) =>
      (await checkPipeline(parseManifest(one), undefined)).warnings.filter((text) =>
        text.startsWith('Arrays'),
      );
    expect(await arrays(manifest(copy('{tenant}.tags')))).toEqual([
      expect.stringContaining('{tenant}.tags (by its field group)'),
    ]);
    const id = 'https://ns.adobe.com/acmelab/schemas/1';
    expect(await arrays({ ...manifest(copy('phones[0]')), schema: { id } })).toEqual([
      expect.stringContaining('phones[0] (its path has an index)'),
    ]);
    expect(await arrays(manifest(making('upsert_array_append(x)', '{tenant}.tags')))).toEqual([]);
  });
});
