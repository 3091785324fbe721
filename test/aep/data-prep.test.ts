// Data Prep: mapping sets in older forms, and tried out before they are made. What any platform can be asked is in test/contract.
import { describe, expect, it } from 'vitest';
import { json } from '../support/scripted.ts';
import { answered, failure, ground, simulated } from './simulated.ts';

const NAME = { sourceType: 'ATTRIBUTE', source: 'firstName', destination: 'person.name.firstName' } as const;
const BORN = {
  sourceType: 'EXPRESSION',
  source: 'date(dob, "yyyy-MM-dd")',
  destination: 'person.birthDate',
} as const;
const SET = { name: 'm', schemaId: 's', mappings: [NAME, BORN] };

describe('mapping sets', () => {
  it('are read in the older form, and where they say next to nothing', async () => {
    const rows = [
      { sourceAttribute: 'a', destinationXdmPath: 'x', sourceType: 'text/x.schema-path', identity: false },
      { source: null, destination: 'y' },
    ];
    const { aep } = answered(
      json(200, { id: 'i', version: '3', xdmSchema: '_acmelab.schemas.1', mappings: rows }),
      json(200, { id: 'i', mappings: null, outputSchema: { schemaRef: null } }),
    );
    expect(await aep.dataPrep.getMappingSet('i')).toEqual({
      id: 'i',
      version: 3,
      mappings: [
        { sourceType: 'text/x.schema-path', source: 'a', destination: 'x' },
        { sourceType: '', source: '', destination: 'y' },
      ],
    });
    expect(await aep.dataPrep.getMappingSet('i')).toEqual({ id: 'i', version: 0 });
  });
});

describe('C 4: a set that is refused as a whole', () => {
  const calls = {
    made: (aep: ReturnType<typeof answered>['aep']) => aep.dataPrep.createMappingSet(SET),
    validated: (aep: ReturnType<typeof answered>['aep']) => aep.dataPrep.validateMappings(SET),
    previewed: (aep: ReturnType<typeof answered>['aep']) => aep.dataPrep.previewMappings(SET, [{}]),
  };
  const born = { destination: 'person.birthDate', message: 'no date' };

  it.each([
    ['nothing of it', { detail: 'no' }, 'mapping'],
    ['no JSON', 'no', 'mapping'],
    ['its row', { detail: 'no', destination: born.destination }, 'mapping.1 (person.birthDate)'],
    [
      'its rows',
      { errors: [born, { columnName: NAME.destination }, born] },
      'mapping.1 (person.birthDate), mapping.0 (person.name.firstName)',
    ],
    [
      'the row among all',
      { validationResponse: [{ errors: null }, { errors: [born] }] },
      'mapping.1 (person.birthDate)',
    ],
    ['another destination', [{ destination: 'x' }], 'mapping (x)'],
    ['what cannot be', { errors: [null, 7, 'no'], validationResponse: [null, 'no', {}] }, 'mapping'],
  ])('is named by its path in the set, whichever call says %s', async (_, body, place) => {
    for (const call of Object.values(calls)) {
      const { aep } = answered(json(400, body));
      const { code, what, status } = await failure(call(aep));
      expect([code, status, what.slice(0, what.indexOf(': POST'))]).toEqual(['AEP_REFUSED', 400, place]);
    }
  });

  it('is not what a missing permission or an outage is about', async () => {
    const { aep } = answered(json(403, { destination: born.destination }));
    expect((await failure(calls.made(aep))).what).toMatch(/^POST /);
  });
});

describe('validateMappings', () => {
  it.each([
    ['text', 'no good', 'no good'],
    ['an object', { code: 'X', message: 'no good' }, 'no good'],
    ['a list of both', ['no', { exception: 'good' }], 'no; good'],
    ['something else', [{ reason: 7 }], '{"reason":7}'],
    ['nothing', null, 'refused without a reason'],
    ['an empty list', [], 'refused without a reason'],
  ])('takes an error that is %s', async (_, errors, message) => {
    const validationResponse = [{ status: 'success' }, { status: 'FAILED', errors }];
    const { aep } = answered(json(200, { validationResponse }));
    expect(await aep.dataPrep.validateMappings(SET)).toEqual([
      { row: 1, destination: 'person.birthDate', message },
    ]);
  });

  it('does not guess the mapping where there is not an answer for each', async () => {
    const { aep } = answered(
      json(200, { validationResponse: [{ status: 'FAILED', errors: ['no'] }] }),
      json(200, { validationResponse: [{ errors: [{ destination: 'x', message: 'no' }] }] }),
    );
    expect(await aep.dataPrep.validateMappings(SET)).toEqual([{ message: 'no' }]);
    expect(await aep.dataPrep.validateMappings(SET)).toEqual([{ destination: 'x', message: 'no' }]);
  });

  it('is a question: asked again where the answer was lost, and never in doubt', async () => {
    const { aep, sent } = answered(json(500, undefined), json(200, { validationResponse: [] }));
    expect(await aep.dataPrep.validateMappings(SET)).toEqual([]);
    expect(sent).toHaveLength(2);
    const lost = answered(new TypeError('fetch failed'));
    expect(await failure(lost.aep.dataPrep.validateMappings(SET))).toMatchObject({
      code: 'AEP_UNREACHABLE',
      inDoubt: false,
    });
  });
});

describe('previewMappings', () => {
  it('shows each record as it would land, in one call', async () => {
    const { aep, calls } = simulated();
    const { schemaId } = await ground(aep);
    calls();
    const records = [{ firstName: 'Ana', dob: '1990-02-11' }, { firstName: 'Rui', dob: 'long ago' }, {}];
    const rows = await aep.dataPrep.previewMappings({ ...SET, schemaId }, records);
    expect(rows).toEqual([
      { data: { person: { name: { firstName: 'Ana' }, birthDate: '1990-02-11' } }, errors: [] },
      {
        data: { person: { name: { firstName: 'Rui' } } },
        errors: [{ row: 1, destination: 'person.birthDate', message: expect.any(String) }],
      },
      { data: expect.anything(), errors: expect.any(Array) },
    ]);
    expect(calls()).toEqual(['POST /data/foundation/conversion/mappingSets/preview']);
    expect(await aep.dataPrep.previewMappings({ ...SET, schemaId }, [])).toEqual([]);
    expect(calls()).toEqual([]);
  });

  it('takes a single row for a single record', async () => {
    const { aep } = answered(json(200, { data: { a: 1 }, errors: 'no good' }));
    expect(await aep.dataPrep.previewMappings(SET, [{}])).toEqual([
      { data: { a: 1 }, errors: [{ message: 'no good' }] },
    ]);
  });

  it.each([
    ['a single row', { data: {} }],
    ['too few', [{ data: {} }]],
    ['too many', [{ data: {} }, { data: {} }, { data: {} }]],
  ])('refuses %s for two records, for good', async (_, body) => {
    const { aep, sent } = answered(json(200, body));
    const error = await failure(aep.dataPrep.previewMappings(SET, [{}, {}]));
    expect(error).toMatchObject({ code: 'AEP_UNEXPECTED', retryable: false, inDoubt: false });
    expect(sent).toHaveLength(1);
  });
});
