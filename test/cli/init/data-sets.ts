// Data sets of many kinds for `penstock init`, each as the lines of a file.

export interface DataSet {
  /** The kind. */
  readonly name: string;
  readonly lines: readonly string[];
  /** Lines that are no sound record, counted from 1. */
  readonly broken?: readonly number[];
  /** How many messages the sound lines hold, where it is not one in each. */
  readonly messages?: number;
}

const json = (records: readonly unknown[]) => records.map((one) => JSON.stringify(one));
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const at = (index: number) => new Date(Date.UTC(2026, 1, 13, 8, index)).toISOString().replace('.000Z', 'Z');

const debezium = (op: string, before: unknown, after: unknown) => ({
  before,
  after,
  source: {
    version: '3.0.0.Final',
    connector: 'postgresql',
    name: 'shop',
    table: 'customers',
    ts_ms: 1_770_970_530_000,
  },
  op,
  ts_ms: 1_770_970_530_123,
});

const dynamo = (index: number, eventName = 'INSERT') => ({
  awsRegion: 'eu-west-1',
  eventID: `e-${index}`,
  eventName,
  eventSource: 'aws:dynamodb',
  tableName: 'members',
  dynamodb: {
    Keys: { id: { S: `m-${index}` } },
    ...(eventName === 'REMOVE'
      ? { OldImage: { id: { S: `m-${index}` } } }
      : { NewImage: { id: { S: `m-${index}` }, miles: { N: `${1_000 + index}.5` }, tags: { SS: ['vip'] } } }),
  },
});

const row = (n: number) =>
  n % 2
    ? { id: n, total: n / 2, placed_at: at(n), currency: 'EUR' }
    : { id: n, email: `c${n}@example.com`, plan: 'free', seats: n };
const table = (n: number) => (n % 2 ? 'orders' : 'customers');

/** Messages of two kinds, which only the envelope tells. */
export const CHANGES_OF_TABLES = {
  debezium: times(12, (n) => ({
    before: null,
    after: row(n),
    source: { db: 'shop', table: table(n), ts_ms: 1_770_970_530_000 + n },
    op: 'c',
    ts_ms: 1_770_970_530_123 + n,
  })),
  dms: times(12, (n) => ({
    data: row(n),
    metadata: { timestamp: at(n), 'record-type': 'data', operation: 'insert', 'table-name': table(n) },
  })),
  dynamodb: times(12, (n) => ({
    eventID: `e-${n}`,
    eventName: 'INSERT',
    tableName: table(n),
    dynamodb: {
      ApproximateCreationDateTime: 1_770_970_530_000 + n,
      Keys: { id: { S: `${n}` } },
      NewImage: Object.fromEntries(
        Object.entries(row(n)).map(([name, value]) => [
          name,
          typeof value === 'number' ? { N: String(value) } : { S: value },
        ]),
      ),
    },
  })),
  eventbridge: times(12, (n) => ({
    version: '0',
    id: `e-${n}`,
    'detail-type': table(n),
    source: 'shop',
    time: at(n),
    detail: row(n),
  })),
  cloudevents: times(12, (n) => ({
    specversion: '1.0',
    id: `e-${n}`,
    source: '/shop',
    type: table(n),
    time: at(n),
    data: row(n),
  })),
};

/** Kinds of events as a customer data platform sends them: most of each is the envelope, which all have. */
export const ENVELOPED: readonly Readonly<Record<string, unknown>>[] = times(18, (n) => ({
  messageId: `m-${n}`,
  anonymousId: `a-${n % 5}`,
  userId: `u-${n % 5}`,
  channel: 'server',
  originalTimestamp: at(n),
  context: {
    library: { name: 'js', version: '2.1' },
    locale: 'de-DE',
    ip: '203.0.113.7',
    userAgent: 'Mozilla/5.0',
    timezone: 'Europe/Berlin',
  },
  ...[
    {
      type: 'track',
      event: 'Order Completed',
      properties: { orderId: `o-${n}`, total: 24.9 + n, currency: 'EUR' },
    },
    { type: 'identify', traits: { email: `u${n % 5}@example.com`, plan: 'free', seats: n } },
    {
      type: 'page',
      name: 'Home',
      category: 'Shop',
      properties: { url: 'https://example.com/', referrer: '' },
    },
  ][n % 3],
}));

export const DATA_SETS: readonly DataSet[] = [
  {
    name: 'flat customers',
    lines: json(
      times(20, (n) => ({
        id: `c-${n}`,
        firstName: `Ana ${n}`,
        lastName: 'Reis',
        email: `ana.${n}@example.com`,
        dob: '1987-04-09',
        gender: n % 2 ? 'Female' : 'male',
        phone: `+35191000${n}`,
        points: n * 10,
        newsletter: n % 3 === 0,
      })),
    ),
  },
  {
    name: 'nested objects',
    lines: json(
      times(12, (n) => ({
        account: {
          id: n,
          owner: { contact: { email: `o${n}@example.com`, city: 'Porto' }, since: { year: 2020 } },
        },
        shipping: { street: 'Rua 1', city: 'Porto', zip: '4000-001', countryCode: 'PT' },
        empty: {},
      })),
    ),
  },
  {
    name: 'lists of values and of objects',
    lines: json(
      times(12, (n) => ({
        id: n,
        tags: n % 2 ? ['a', 'b'] : [],
        scores: [n, n + 0.5],
        flags: [true, false],
        lines: times((n % 3) + 1, (i) => ({
          sku: `s-${i}`,
          quantity: i + 1,
          price: 1.5 * i,
          note: i % 2 ? null : 'new',
          'unit price': 3,
          parts: [{ id: i, at: '2026-02-13T08:15:30Z' }],
        })),
        nothing: [],
        matrix: [[1, 2], [3]],
        holes: [1, null],
      })),
    ),
  },
  {
    name: 'nulls and missing members',
    lines: json(
      times(15, (n) => ({
        id: n,
        ...(n % 2 && { sometimes: 'here' }),
        mayBe: n % 3 ? n : null,
        never: null,
        inner: n % 4 ? { value: n % 5 ? n : null } : null,
        when: n % 2 ? at(n) : null,
        seconds_at: n % 2 ? 1_770_970_530 + n : null,
      })),
    ),
  },
  {
    name: 'mixed types',
    lines: json(
      times(16, (n) => ({
        id: n % 2 ? n : `n-${n}`,
        amount: n % 3 ? n + 0.25 : n,
        answer: [true, 'perhaps', 7, null][n % 4],
        truth: [true, 'true', 'FALSE'][n % 3],
        size: n % 2 ? { width: n } : n,
        either: n % 2 ? ['a'] : 'a',
        items: [1, 'two', 3.5],
      })),
    ),
  },
  {
    name: 'dates in many forms',
    lines: json(
      times(20, (n) => {
        const two = String(n).padStart(2, '0');
        return {
          iso_at: at(n),
          zoned_at: `2026-02-13T08:${two}:30+01:00`,
          compact_zone_at: `2026-02-13T08:${two}:30+0100`,
          millis_iso_at: `2026-02-13T08:${two}:30.125Z`,
          micros_iso_at: `2026-02-13T08:${two}:30.125999Z`,
          local_at: `2026-02-13T08:${two}:30`,
          minute_at: `2026-02-13T08:${two}`,
          day: '2026-02-13',
          seconds_ts: 1_770_970_530 + n,
          millis_ts: 1_770_970_530_123 + n,
          micros_ts: 1_770_970_530_123_456 + n,
          text_ts: `${1_770_970_530 + n}`,
          rfc2822_date: `Fri, 13 Feb 2026 08:${two}:30 +0000`,
          http_date: `Fri, 13 Feb 2026 08:${two}:30 GMT`,
          sql_at: `2026-02-13 08:${two}:30`,
          sql_zone_at: `2026-02-13 08:${two}:30+02`,
          sql_millis_at: `2026-02-13 08:${two}:30.500`,
          log_time: `13/Feb/2026:08:${two}:30 +0100`,
          us_date: `02/${13 + (n % 10)}/2026`,
          eu_date: `${13 + (n % 10)}/02/2026 08:15`,
          german_date: `${1 + n}.2.2026`,
          oracle_date: `${10 + n}-Feb-2026`,
          basic_time: `20260213T0815${two}Z`,
          unclear_date: `02/0${1 + (n % 9)}/2026`,
          mixed_at: n % 2 ? at(n) : `2026-02-13 08:${two}:30`,
          sometimes_at: n % 2 ? at(n) : '',
          not_always_at: n % 5 ? at(n) : 'soon',
          wrong_day: '2026-02-30',
        };
      }),
    ),
  },
  {
    name: 'big integers and long decimals',
    lines: times(
      10,
      (n) =>
        `{"id":1234567890123456789${n},"long":900719925474099${n % 2},"int":${2 ** 31 + n},"pi":3.14159265358979323846${n},"huge":1e400,"tiny":${n},"list":[9007199254740993]}`,
    ),
  },
  {
    name: 'keys that are not Latin',
    lines: json(
      times(8, (n) => ({
        имя: `Анна ${n}`,
        名前: '花子',
        Größe: n,
        'prénom usuel': 'Zoé',
        κατάσταση: { ναι: true },
      })),
    ),
  },
  {
    name: 'dots, dollars, blanks and brackets in names',
    lines: json(
      times(8, (n) => ({
        'a.b': n,
        a: { b: n, 'c.d': 'x' },
        $set: { 'user name': 'Ana', $ref: 'r' },
        'two words ': 'end',
        ' lead': 1,
        'a[0]': 'bracket',
        'curly}': true,
        'back\\slash': 'b',
        '@type': 'Thing',
        'x-y': 1.5,
        'a/b~c': 'pointer',
        'quo"te': "it's",
        '': 'no name',
        '{tenant}': 'literal',
        A: 'another',
        'when at': at(n),
        date: '13.02.2026',
        size: n % 2 ? true : 'text',
      })),
    ),
  },
  {
    name: 'names of JavaScript and of the mapping language',
    lines: [
      ...times(
        6,
        (n) =>
          `{"__proto__":{"x":${n}},"constructor":"c","toString":1,"hasOwnProperty":true,"null":"n","new":1,"date":"13.02.2026","_errors":"e","size":2}`,
      ),
    ],
  },
  {
    name: 'a name that every object of JavaScript has, in objects and in lists',
    lines: json([
      { inner: { constructor: [-1] }, list: [{ constructor: 1, valueOf: 'v', plain: 2 }] },
      { inner: { other: '' }, list: [{ plain: 3 }] },
    ]),
  },
  {
    name: 'Debezium changes',
    lines: [
      ...json(times(10, (n) => debezium('c', null, { id: n, email: `c${n}@example.com`, points: n / 2 }))),
      ...json([debezium('u', null, { id: 1, email: 'c1@example.com', points: 9 })]),
      ...json([debezium('d', { id: 1, email: 'c1@example.com', points: 9 }, null)]),
      'null',
    ],
    broken: [12],
    messages: 11,
  },
  {
    name: 'DMS changes',
    lines: [
      ...json(
        times(8, (n) => ({
          data: { id: n, name: `n${n}`, updated_at: at(n) },
          metadata: {
            timestamp: at(n),
            'record-type': 'data',
            operation: n % 2 ? 'insert' : 'load',
            'schema-name': 'shop',
            'table-name': 'customers',
          },
        })),
      ),
      ...json([
        {
          metadata: {
            timestamp: at(9),
            'record-type': 'control',
            operation: 'create-table',
            'table-name': 'customers',
          },
        },
      ]),
    ],
    messages: 8,
  },
  {
    name: 'DynamoDB changes',
    lines: json([...times(8, (n) => dynamo(n)), dynamo(3, 'REMOVE')]),
    broken: [9],
    messages: 8,
  },
  {
    name: 'EventBridge events',
    lines: json(
      times(8, (n) => ({
        version: '0',
        id: `6a7e8feb-b491-4cf7-a9f1-bf3703467${100 + n}`,
        'detail-type': 'Order Placed',
        source: 'shop.orders',
        account: '123456789012',
        time: at(n),
        region: 'eu-west-1',
        resources: [],
        detail: { orderId: `o-${n}`, total: 5 + n, currency: 'EUR' },
      })),
    ),
  },
  {
    name: 'CloudEvents',
    lines: json(
      times(8, (n) => ({
        specversion: '1.0',
        id: `e-${n}`,
        source: '/shop',
        type: 'com.example.order',
        time: at(n),
        data: { order: { id: `o-${n}`, total: 5.5 + n, currency: 'EUR' }, channel: n % 2 ? 'web' : 'app' },
      })),
    ),
  },
  { name: 'Debezium changes of two tables', lines: json(CHANGES_OF_TABLES.debezium) },
  { name: 'DMS changes of two tables', lines: json(CHANGES_OF_TABLES.dms) },
  { name: 'DynamoDB changes of two tables', lines: json(CHANGES_OF_TABLES.dynamodb) },
  { name: 'EventBridge events of two kinds', lines: json(CHANGES_OF_TABLES.eventbridge) },
  { name: 'CloudEvents of two kinds', lines: json(CHANGES_OF_TABLES.cloudevents) },
  {
    name: 'several shapes in one file',
    lines: json([
      ...times(12, (n) => ({
        id: `e-${n}`,
        type: 'purchase',
        at: at(n),
        order: { number: `o-${n}`, total: 24.9, currency: 'EUR' },
      })),
      ...times(9, (n) => ({
        id: `s-${n}`,
        type: 'signup',
        at: at(n),
        email: `s${n}@example.com`,
        plan: 'free',
        ref: n,
      })),
      ...times(6, (n) => ({
        id: `v-${n}`,
        type: 'view',
        at: at(n),
        url: 'https://example.com/',
        ms: 120 + n,
        ip: '203.0.113.7',
      })),
    ]),
  },
  {
    name: 'shapes by a field of an object, with values of two kinds',
    lines: json([
      ...times(6, (n) => ({ meta: { entity: 'user/α' }, user: { id: n, mail: 'a@example.com', on: true } })),
      ...times(6, (n) => ({ meta: { entity: 'invoice' }, number: `i-${n}`, net: 1.5, gross: 2 })),
      ...times(6, (n) => ({ meta: { entity: 'credit' }, number: `k-${n}`, net: 1.5, gross: 2 })),
    ]),
  },
  { name: 'events of three kinds in a large envelope', lines: json(ENVELOPED) },
  {
    name: 'one shape with a status that brings a member',
    lines: json(
      times(20, (n) => ({
        id: n,
        status: n % 4 ? 'paid' : 'cancelled',
        total: 5,
        currency: 'EUR',
        customer: 'c',
        channel: 'web',
        ...(n % 4 === 0 && { reason: 'late' }),
      })),
    ),
  },
  {
    name: 'broken lines among sound ones',
    lines: [
      '{"id":1,"name":"a"}',
      '{"id":2,',
      '',
      '[1,2]',
      '"text"',
      'null',
      '   ',
      '{"header":{"flowId":"f"},"body":{}}',
      '{"id":3,"name":"b"}',
      'id=4',
    ],
    broken: [2, 4, 5, 6, 7, 8, 10],
  },
  {
    name: 'an object with names that are data',
    lines: json(
      times(10, (n) => ({
        id: n,
        perDay: Object.fromEntries(times(60, (i) => [`d-${n * 60 + i}`, i])),
        notes: Object.fromEntries(times(60, (i) => [`n-${n * 60 + i}`, 'x'])),
      })),
    ),
  },
  {
    name: 'a list in each record',
    lines: json(times(6, (n) => times(3, (i) => ({ n: n * 3 + i, at: at(i) })))),
    messages: 18,
  },
  {
    name: 'objects one after the other in a record',
    lines: times(5, (n) => `{"n":${n},"text":"a"}{"n":${n + 10},"text":"b"}`),
    messages: 10,
  },
  {
    name: 'sensor readings',
    lines: json(
      times(10, (n) => ({ sensor: 's-1', ts: 1_770_970_530 + n, temperature: 20.5 + n, ok: true })),
    ),
  },
  {
    name: 'documents of MongoDB',
    lines: json(
      times(6, (n) => ({
        _id: { $oid: `65cb${n}0000000000000000000` },
        createdAt: { $date: at(n) },
        name: { first: 'Ana', last: 'Reis' },
        __v: 0,
      })),
    ),
  },
  {
    name: 'records with an id of their own',
    lines: json(times(6, (n) => ({ _id: n, timestamp: at(n), eventType: 'commerce.purchases', value: n }))),
  },
  {
    name: 'a wide record',
    lines: json(times(3, (n) => Object.fromEntries(times(450, (i) => [`field_${i}`, n + i])))),
  },
  {
    name: 'days in eight digits, as exports of analytics have them',
    lines: json(
      times(6, (n) => ({
        event_date: `2024022${n + 4 > 9 ? 9 : n + 4}`,
        event_timestamp: 1_708_800_000_000_000 + n,
        event_name: n % 2 === 0 ? 'page_view' : 'purchase',
        items: [{ sale_date: '20240301' }],
        order: { ship_date: `2024030${n + 1}`, number: `2024030${n + 1}` },
      })),
    ),
  },
  {
    name: 'events whose only time is a day in eight digits',
    lines: json(times(4, (n) => ({ id: `e-${n}`, event: 'view', date: `2026021${n}` }))),
  },
  { name: 'a single record', lines: json([{ id: 1, name: 'only', tags: ['x'], at: at(0) }]) },
  {
    name: 'a Windows file with a byte order mark',
    lines: json(times(4, (n) => ({ id: n, name: 'x' }))).map(
      (line, n) => `${n === 0 ? '\uFEFF' : ''}${line}\r`,
    ),
  },
  {
    name: 'deeply nested records',
    lines: times(3, (n) => `${'{"a":'.repeat(30)}${n}${'}'.repeat(30)}`),
  },
];
