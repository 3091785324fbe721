// Records of several kinds, each by its number, for `npm run bench:init`.
import { gzipSync } from 'node:zlib';

const moment = (n: number) => new Date(1_770_970_530_000 + n * 1_000).toISOString();
const oneOf = <T>(values: readonly T[], n: number) => values[n % values.length] as T;

/** Half a kilobyte: 20 fields, a list of objects, one shape. */
function order(n: number): object {
  return {
    eventId: `e-${n}`,
    type: oneOf(['purchase', 'refund', 'exchange'], n),
    at: moment(n),
    customer: {
      id: `c-${n % 5_000}`,
      email: `c${n % 5_000}@example.com`,
      name: { first: 'Ana', last: 'Reis' },
    },
    order: {
      number: `o-${n}`,
      total: n / 7,
      currency: 'EUR',
      items: [1, 2, 3].map((i) => ({ sku: `s-${i}-${n % 100}`, quantity: i, price: 4.5 * i })),
    },
    channel: n % 2 ? 'web' : 'app',
    device: { os: 'ios', version: `17.${n % 9}`, ip: '203.0.113.7' },
    tags: ['a', 'b', 'c'],
    note: n % 50 === 0 ? null : `note ${n}`,
  };
}

/** Five kinds of events in one file, each with fields of its own. */
function shape(n: number): object {
  const common = { id: `e-${n}`, at: moment(n) };
  const kinds: readonly (() => object)[] = [
    () => ({
      type: 'signup',
      email: `c${n}@example.com`,
      name: { first: 'Ana', last: 'Reis' },
      plan: 'free',
    }),
    () => ({
      type: 'purchase',
      order: `o-${n}`,
      total: n / 7,
      currency: 'EUR',
      items: [{ sku: `s-${n}`, quantity: 1 }],
    }),
    () => ({
      type: 'page',
      url: `https://example.com/${n % 300}`,
      referrer: 'https://example.com/',
      ms: n % 4_000,
    }),
    () => ({
      type: 'ticket',
      subject: `ticket ${n}`,
      priority: oneOf(['low', 'high'], n),
      agent: `a-${n % 40}`,
      open: true,
    }),
    () => ({
      type: 'shipment',
      parcel: `p-${n}`,
      carrier: 'post',
      weight: n % 90,
      address: { city: 'Porto', country: 'PT' },
    }),
  ];
  return { ...common, ...oneOf(kinds, n)() };
}

/** Eight objects, one within the other, with a few fields on each level. */
function nested(n: number, depth = 0): object {
  const own = {
    [`name${depth}`]: `v-${n % (depth + 2)}`,
    [`count${depth}`]: n % 97,
    [`at${depth}`]: moment(n),
  };
  if (depth === 8) return { ...own, list: [{ key: 'a', values: [n, n + 1] }] };
  return { ...own, [`level${depth}`]: nested(n, depth + 1) };
}

/** Two kilobytes, and 120 fields: nothing in it can be passed over quickly. */
function dense(n: number): object {
  const fields = Array.from({ length: 120 }, (_, i): [string, unknown] => {
    const values = [`v${(n * 31 + i) % 977}`, n * i, (n + i) / 8, n % 2 === 0, moment(n + i).slice(0, 10)];
    return [`f${i}`, oneOf(values, i)];
  });
  return Object.fromEntries(fields);
}

/** Changes of two tables, as Debezium tells them. */
function change(n: number): object {
  const rows = [
    { table: 'customers', row: { id: n, email: `c${n}@example.com`, first: 'Ana', points: n % 500 } },
    { table: 'orders', row: { id: n, customer: n % 5_000, total: n / 7, state: 'paid', placed: moment(n) } },
  ];
  const { table, row } = oneOf(rows, n);
  const source = {
    version: '2.5.0',
    connector: 'postgresql',
    name: 'shop',
    db: 'shop',
    schema: 'public',
    table,
  };
  return { before: null, after: row, source, op: 'c', ts_ms: 1_770_970_530_000 + n };
}

/** A thousand orders again and again, each packed by gzip, and written in base64. */
function packed(n: number): string {
  const number = n % 1_000;
  PACKED[number] ??= gzipSync(JSON.stringify(order(number))).toString('base64');
  return PACKED[number];
}

const PACKED: string[] = [];

const text = (record: (n: number) => object) => (n: number) => JSON.stringify(record(n));

export const KINDS: Readonly<Record<string, (n: number) => string>> = {
  order: text(order),
  shapes: text(shape),
  nested: text((n) => nested(n)),
  dense: text(dense),
  debezium: text(change),
  packed,
};
