// What init says of each field, and what it makes of it: types with their evidence, and no guess applied.
import { describe, expect, it } from 'vitest';
import { dateForms, epochOf, instantText, isDayName, isTimeName } from '../../../cli/init/dates.ts';
import { createHashes, hashOf } from '../../../cli/init/hashes.ts';
import { fieldName, pipelineName, sourcePath } from '../../../cli/init/names.ts';
import { evidence, fieldRows, identityLines, pipelineLines } from '../../../cli/init/report.ts';
import { createDividers } from '../../../cli/init/shapes.ts';
import { createTally } from '../../../cli/init/tally.ts';
import { CHANGES_OF_TABLES, ENVELOPED } from './data-sets.ts';
import { inferred } from './landing.ts';

type Json = Record<string, unknown>;

const json = (records: readonly unknown[]) => records.map((one) => JSON.stringify(one));
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

async function only(records: readonly unknown[]) {
  const { pipelines } = await inferred(json(records));
  expect(pipelines).toHaveLength(1);
  const { manifest, about } = pipelines[0] as (typeof pipelines)[number];
  const schema = manifest.schema as { class: string; fieldGroups: (string | { fields: Json })[] };
  const own = schema.fieldGroups.find((one) => typeof one !== 'string') as { fields: Json } | undefined;
  const fields = (own?.fields.probe as { properties: Json } | undefined)?.properties ?? {};
  const rows = manifest.mapping as { source?: string; expression?: string; destination: string }[];
  return { manifest, about, schema, fields, rows };
}

const row = (rows: { source?: string; expression?: string; destination: string }[], destination: string) =>
  rows.find((one) => one.destination === destination);

describe('15 init: types with their evidence', () => {
  it('998 of 1,000, 2 null', async () => {
    const { about } = await only(times(1_000, (n) => ({ id: n, note: n < 2 ? null : `n ${n}` })));
    expect(about.facts.map((fact) => [fact.path, evidence(fact), fact.type])).toEqual([
      ['id', '1,000 of 1,000', 'integer'],
      ['note', '998 of 1,000, 2 null', 'text'],
    ]);
  });

  it('mixed types say how many there are of each', async () => {
    const { about } = await only(times(1_000, (n) => ({ amount: n < 3 ? 'n/a' : n })));
    expect(fieldRows(about)[0]).toEqual([
      'amount',
      '1,000 of 1,000',
      'text',
      '{tenant}.probe.amount',
      '997 integers, 3 texts: kept as text, which loses nothing',
    ]);
  });

  it('a text of few values suggests them, and refuses no other', async () => {
    const { fields } = await only(times(40, (n) => ({ id: `i ${n}`, status: ['paid', 'open'][n % 2] })));
    expect(fields.status).toEqual({ type: 'string', 'meta:enum': { open: 'open', paid: 'paid' } });
    expect(fields.id).toEqual({ type: 'string' });
  });

  it('names of people in a short file are no few values', async () => {
    const { fields } = await only(times(6, (n) => ({ name: n % 2 ? 'Ana' : 'Rui' })));
    expect(fields.name).toEqual({ type: 'string' });
  });

  it('what cannot be mapped is listed, and never dropped in silence', async () => {
    const { about } = await only(
      times(4, (n) => ({ id: n, '': 1, odd: n % 2 ? [1] : 'x', holes: [null], none: null })),
    );
    const left = about.facts.filter(({ type }) => type === undefined).map(({ path }) => path);
    expect(left).toEqual(['""', 'odd', 'holes', 'none']);
  });
});

describe('15 init: dates by their form', () => {
  it.each([
    ['2026-02-13T08:15:30Z', "yyyy-MM-dd'T'HH:mm:ssX", '2026-02-13T08:15:30Z'],
    ['2026-02-13T08:15:30.120+01:00', "yyyy-MM-dd'T'HH:mm:ss.SSSX", '2026-02-13T08:15:30.120+01:00'],
    ['2026-02-13T08:15:30', "yyyy-MM-dd'T'HH:mm:ss", '2026-02-13T08:15:30Z'],
    ['2026-02-13T08:15:30.5', "yyyy-MM-dd'T'HH:mm:ss.S", '2026-02-13T08:15:30.500Z'],
    ['2026-02-13T08:15:30.123456789Z', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSX", '2026-02-13T08:15:30.123Z'],
    ['2026-02-13T08:15', "yyyy-MM-dd'T'HH:mm", '2026-02-13T08:15:00Z'],
    ['2026-02-13T08:15Z', "yyyy-MM-dd'T'HH:mmX", '2026-02-13T08:15:00Z'],
    ['2026-02-13 08:15:30', 'yyyy-MM-dd HH:mm:ss', '2026-02-13T08:15:30Z'],
    ['2026-02-13 08:15:30 -0500', 'yyyy-MM-dd HH:mm:ss X', '2026-02-13T08:15:30-05:00'],
    ['Fri, 13 Feb 2026 08:15:30 +0000', 'EEE, d MMM yyyy HH:mm:ss Z', '2026-02-13T08:15:30Z'],
    ['13/Feb/2026:08:15:30 +0100', 'dd/MMM/yyyy:HH:mm:ss Z', '2026-02-13T08:15:30+01:00'],
    ['13.2.2026', 'd.M.yyyy', '2026-02-13T00:00:00Z'],
    ['2024-02-29', 'yyyy-MM-dd', '2024-02-29T00:00:00Z'],
    ['2000-02-29', 'yyyy-MM-dd', '2000-02-29T00:00:00Z'],
    ['2026-04-30', 'yyyy-MM-dd', '2026-04-30T00:00:00Z'],
    ['2026-12-31', 'yyyy-MM-dd', '2026-12-31T00:00:00Z'],
    ['02/13/2026', 'M/d/yyyy', '2026-02-13T00:00:00Z'],
    ['13/02/2026', 'd/M/yyyy', '2026-02-13T00:00:00Z'],
  ])('%s is %s', (text, pattern, instant) => {
    expect(dateForms(text).map((form) => [form.pattern, instantText(form.written)])).toEqual([
      [pattern, instant],
    ]);
  });

  it.each([
    '2026-02-30',
    '2026-02-29',
    '2100-02-29',
    '2026-04-31',
    '2026-12-32',
    '2026-01-00',
    '2026-00-01',
    '2026-13-01',
    '2026-02-13X08:15:30Z',
    '2026-02-13T25:00:00Z',
    '2026-02-13T08:60:00Z',
    '2026-02-13T08:15:60Z',
    '2026-02-13T08:15:30z',
    '2026-02-13T08:15:30.',
    '2026-02-13T08:15:30.Z',
    '2026-02-13T08:15:30.1234567890',
    '2026-02-13T08:15:30Z ',
    '2026-02-3T08:15:30Z',
    '2026/02-13',
    '2026-02-1x',
    '2x26-02-13',
    '20260213',
    'soon, or not',
    '1.2.3',
    '12-34-5678',
  ])('%s is none', (text) => {
    expect(dateForms(text)).toEqual([]);
  });

  it('day and month that cannot be told apart stay text, and that is said', async () => {
    const { about } = await only(times(4, (n) => ({ day: `0${n + 1}/02/2026` })));
    expect(about.facts[0]).toMatchObject({
      type: 'text',
      notes: ['may be a day: day and month cannot be told apart'],
    });
  });

  it('eight digits are a day where the name says so, and every text is one', async () => {
    const { about, fields, rows } = await only(
      times(4, (n) => ({
        ship_date: `2026021${n}`,
        order_number: `2026021${n}`,
        odd_date: n === 3 ? '20260230' : `2026021${n}`,
        old_date: `1899021${n}`,
        part_day: n === 3 ? '' : `2026021${n}`,
      })),
    );
    expect(fields.ship_date).toMatchObject({ type: 'string', format: 'date' });
    expect(about.facts[0]).toMatchObject({ type: 'day', notes: ['written as yyyyMMdd'] });
    expect(rows.map(({ expression }) => expression)).toContain('date(ship_date, "yyyyMMdd")');
    for (const name of ['order_number', 'odd_date', 'old_date', 'part_day'])
      expect(fields[name], name).not.toHaveProperty('format');
    expect(['event_date', 'birthDay', 'dob', 'created', 'update', 'eventTime'].map(isDayName)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('a number is a time only where its name says so', async () => {
    const { fields } = await only(
      times(4, (n) => ({ createdTs: 1_770_970_530 + n, orderNumber: 1_770_970_530 + n })),
    );
    expect(fields.createdTs).toMatchObject({ type: 'string', format: 'date-time' });
    expect(fields.orderNumber).toMatchObject({ type: 'integer' });
    expect([epochOf(1_770_970_530), epochOf(1_770_970_530_123), epochOf(42)]).toEqual([
      'seconds',
      'millis',
      undefined,
    ]);
    expect(['created_at_ms', 'eventTime', 'ts', 'amount', 'format', 'atlas'].map(isTimeName)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('15 init: the class is by whether records have a time and a kind', () => {
  it.each([
    ['a time and a kind', { at: '2026-02-13T08:15:30Z', type: 'view' }, 'experienceevent'],
    ['a time alone', { ts: 1_770_970_530, value: 4 }, 'experienceevent'],
    [
      'when it was created, and a kind',
      { createdAt: '2026-02-13T08:15:30Z', event: 'view' },
      'experienceevent',
    ],
    ['when it was created', { createdAt: '2026-02-13T08:15:30Z', email: 'a@example.com' }, 'profile'],
    ['a kind alone', { type: 'customer', id: 1 }, 'profile'],
    ['neither', { id: 1 }, 'profile'],
  ])('%s', async (_name, record, expected) => {
    const { schema, rows } = await only(times(3, () => record));
    expect(schema.class).toBe(expected);
    expect(row(rows, 'timestamp') !== undefined).toBe(expected === 'experienceevent');
  });

  it('a time that one record lacks is no time of events', async () => {
    const { schema } = await only([{ at: '2026-02-13T08:15:30Z', type: 'a' }, { type: 'a' }]);
    expect(schema.class).toBe('profile');
  });
});

describe("15 init: known names go to Adobe's field groups, the rest to an own one", () => {
  it('of a person', async () => {
    const { schema, rows, fields } = await only(
      times(4, (n) => ({
        first_name: 'Ana',
        last_name: 'Reis',
        email: `a${n}@example.com`,
        mobile: '+351',
        address: { street: 'Rua 1', zip: 4000, city: 'Porto', country_code: 'PT' },
        gender: 'Female',
        hobby: 'tea',
      })),
    );
    expect(schema.fieldGroups.filter((one) => typeof one === 'string')).toEqual([
      'profile-person-details',
      'profile-personal-details',
    ]);
    expect(rows.map(({ destination }) => destination)).toEqual([
      '_id',
      'person.name.firstName',
      'person.name.lastName',
      'personalEmail.address',
      'mobilePhone.number',
      'homeAddress.street1',
      'homeAddress.postalCode',
      'homeAddress.city',
      'homeAddress.countryCode',
      'person.gender',
      '{tenant}.probe.hobby',
    ]);
    expect(Object.keys(fields)).toEqual(['hobby']);
  });

  it('a value that the field of Adobe would refuse goes to the own one', async () => {
    const { rows } = await only(
      times(4, (n) => ({
        email: n ? `a${n}@example.com` : 'unknown',
        gender: n ? 'male' : 'x',
        nationality: 'pt',
      })),
    );
    expect(rows.map(({ destination }) => destination)).toEqual([
      '_id',
      '{tenant}.probe.email',
      '{tenant}.probe.gender',
      '{tenant}.probe.nationality',
    ]);
  });
});

describe('15 init: identities are told, and never applied', () => {
  it('each with its reason', async () => {
    const { manifest, about } = await only(
      times(6, (n) => ({
        id: `c-${n}`,
        email: 'a@example.com',
        customerId: n % 2,
        at: `2026-02-13T08:0${n}:30Z`,
        n,
      })),
    );
    expect(identityLines(about)).toEqual([
      'may be an identity: id (is in all 6 records, and no value comes twice)',
      'may be an identity: email (every value is an e-mail address)',
      'may be an identity: customerId (its name says so)',
    ]);
    expect(JSON.stringify(manifest)).not.toContain('identities');
    expect(pipelineLines(about)[0]).toMatch(/^class experienceevent: a time \(at\)/);
  });
});

describe('15 init: a value that never comes twice is evidence', () => {
  const identitiesOf = async (count: number) => {
    const { about } = await only(
      times(count, (n) => ({ id: `c-${n}`, firstName: `Ada ${n}`, balance: n * 7, voucher: `v${n}x` })),
    );
    return identityLines(about).map((line) => line.replace(/ \(.*/, ''));
  };

  it.each([2, 99])('of %i records only where the name says so', async (count) => {
    expect(await identitiesOf(count)).toEqual(['may be an identity: id']);
  });

  it('of many records whatever the name of the text, and never of a quantity', async () => {
    const lines = await identitiesOf(100);
    expect(lines).toContain('may be an identity: voucher');
    expect(lines).not.toContain('may be an identity: balance');
  });
});

describe('15 init: a manifest per shape, with its where', () => {
  it('where one field divides the records', async () => {
    const { pipelines, report } = await inferred(
      json([
        ...times(4, (n) => ({ kind: 'order', number: n, total: 4.5, currency: 'EUR' })),
        ...times(4, (n) => ({ kind: 'visit', page: '/', ms: n, agent: 'x' })),
      ]),
    );
    expect(report.dividedBy).toEqual(['kind']);
    expect(
      pipelines.map(({ name, manifest }) => [name, (manifest.source as { records: Json }).records.where]),
    ).toEqual([
      ['probe-order', [{ field: '/kind', equals: 'order' }]],
      ['probe-visit', [{ field: '/kind', equals: 'visit' }]],
    ]);
  });

  it.each([
    ['debezium', '/source/table'],
    ['dms', '/metadata/table-name'],
    ['dynamodb', '/tableName'],
    ['eventbridge', '/detail-type'],
    ['cloudevents', '/type'],
  ] as const)('where messages of %s are of several tables or kinds', async (format, field) => {
    const { pipelines } = await inferred(json(CHANGES_OF_TABLES[format]));
    expect(pipelines.map(({ manifest }) => (manifest.source as { records: Json }).records.where)).toEqual([
      [{ field, equals: 'customers' }],
      [{ field, equals: 'orders' }],
    ]);
  });

  it('one manifest where the values of a field have the same members', async () => {
    await only(times(8, (n) => ({ kind: n % 2 ? 'a' : 'b', number: n, total: 4.5, currency: 'EUR' })));
  });
});

describe('15 init: names', () => {
  it.each([
    ['Größe', 'Grosse'],
    ['prénom usuel', 'prenom_usuel'],
    ['имя', 'u438u43cu44f'],
    ['1st', 'n1st'],
    ['$ref', 'ref'],
    ['__', 'field'],
  ])('%s becomes %s', (name, expected) => {
    expect(fieldName(name)).toBe(expected);
    expect(fieldName(name)).toMatch(/^[a-zA-Z][a-zA-Z0-9_]{0,99}$/);
  });

  it('a pipeline is named after its file', () => {
    expect(['Orders 2026', 'webEvents', 'ü'].map(pipelineName)).toEqual(['orders-2026', 'web-events', 'u']);
  });

  it('Data Prep is told of any name but the empty one', () => {
    expect(sourcePath(['a', 'b.c', '$d', 'e f'])).toBe('a.${b\\.c}.${$d}.${e f}');
    expect(sourcePath([''])).toBeUndefined();
  });
});

describe('15 init of 100,000 records: bounded memory', () => {
  it('keeps no more values than there is room for, and those of fields in every record alone', () => {
    const tally = createTally(100);
    for (let n = 0; n < 60; n++)
      tally.add({ id: `i${n}`, code: `c${n}`, list: [`x${n}`, `y${n}`], ...(n > 5 && { late: `l${n}` }) });
    const keptOf = (name: string) => tally.root.members?.get(name)?.unique?.size;
    expect([keptOf('id'), keptOf('code'), keptOf('late')]).toEqual([60, undefined, undefined]);
    expect(tally.root.members?.get('list')?.items?.unique).toBeUndefined();
  });

  it('a hash is known from when it was added on, as in a set', () => {
    const [hashes, set] = [createHashes(), new Set<number>()];
    for (let n = 0; n < 3_000; n++) {
      // Some come twice; zero, and numbers with the same last bits, are hashes like others.
      const hash = n % 3 === 0 ? (n % 700) * 2 ** 32 : hashOf(String(n % 2_000));
      expect(hashes.add(hash)).toBe(!set.has(hash));
      set.add(hash);
    }
    expect(hashes.size).toBe(set.size);
    expect([...set].some((hash) => hashes.add(hash))).toBe(false);
    expect(hashes.add(hashOf('another'))).toBe(true);
  });

  it('kinds are told apart beside a large envelope, if each has three members of its own', async () => {
    const wheres = async (records: readonly unknown[]) =>
      (await inferred(json(records))).pipelines.map(
        ({ manifest }) => (manifest.source as { records?: { where?: unknown } }).records?.where,
      );
    expect(await wheres(ENVELOPED)).toEqual(
      ['track', 'identify', 'page'].map((equals) => [{ field: '/type', equals }]),
    );
    // A kind with hardly anything of its own is one of the others.
    const bare = ENVELOPED.map(({ name: _, category: __, ...one }) =>
      one.type === 'page' ? { ...one, properties: null } : one,
    );
    expect(await wheres(bare)).toHaveLength(1);
  });

  it('kinds are told apart also where thousands of records each have other fields', () => {
    const [tally, dividers] = [createTally(), createDividers()];
    const own = (kind: string) =>
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${kind}${i}`, 0.5]));
    for (let n = 0; n < 4_000; n++) {
      const kind = n % 2 === 0 ? 'a' : 'b';
      const some = Array.from({ length: 12 }, (_, bit) => `extra${bit}`).filter((_, bit) => (n >> bit) & 1);
      const record = { kind, ...own(kind), ...Object.fromEntries(some.map((name) => [name, 0.5])) };
      dividers.add(record, tally.add(record).present);
    }
    expect(dividers.division(tally.root)).toEqual({ steps: ['kind'], shapes: [['a'], ['b']] });
  });
});
