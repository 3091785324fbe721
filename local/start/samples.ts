// Sample records: a seeded stream of customers in several shapes, a few of them spoiled on purpose.

export interface SampleOptions {
  readonly count: number;
  readonly seed: number;
  /** The shape the pipeline expects. */
  readonly data: 'raw' | 'xdm';
  /** What most records are filled up to, in bytes. */
  readonly bytes?: number;
  /** One in so many is spoiled; 0 for none. */
  readonly spoilEvery?: number;
}

const FIRST_NAMES = ['Ana', 'Johnson', 'Zoë', 'Łukasz', 'Mai', 'Noor', 'Иван', 'Chidi', 'José', '美咲'];
const LAST_NAMES = [
  'Reis',
  'Smith',
  'Müller',
  'Nowak',
  'Nguyễn',
  'Haddad',
  "O'Neill",
  'Okafor',
  'da Silva',
  '佐藤',
];
const GENDERS = ['Female', 'Male', 'not_specified', 'non_specific'];
const CITIES = ['Porto', 'Seattle', 'Köln', 'Kraków', 'Huế', 'Beirut', 'Cork', 'Lagos', 'São Paulo', '仙台'];
const COUNTRIES = ['PT', 'US', 'DE', 'PL', 'VN', 'LB', 'IE', 'NG', 'BR', 'JP'];

/** One line each, as the producer would write it. The same options give the same lines. */
export function* sampleRecords(options: SampleOptions): Generator<string> {
  const random = generator(options.seed);
  const { bytes = 1_000, spoilEvery = 1_000 } = options;
  for (let index = 0; index < options.count; index++) {
    const customer = customerAt(index, random);
    const record = options.data === 'raw' ? raw(customer, index) : xdm(customer);
    const spoil = spoilEvery > 0 && index % spoilEvery === spoilEvery - 1;
    yield spoil
      ? spoiled(record, customer.id, Math.floor(index / spoilEvery))
      : filled(record, options.data, bytes);
  }
}

interface Customer {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly gender: string;
  readonly dob: string;
  readonly email: string;
  readonly city: string;
  readonly country: string;
}

function customerAt(index: number, random: () => number): Customer {
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? '';
  const two = (most: number) => String(1 + Math.floor(random() * most)).padStart(2, '0');
  const place = Math.floor(random() * CITIES.length);
  return {
    id: `cust-${String(index + 1).padStart(6, '0')}`,
    firstName: pick(FIRST_NAMES),
    lastName: pick(LAST_NAMES),
    gender: pick(GENDERS),
    dob: `${1940 + Math.floor(random() * 68)}-${two(12)}-${two(28)}`,
    email: `customer.${index + 1}@example.com`,
    city: CITIES[place] ?? '',
    country: COUNTRIES[place] ?? '',
  };
}

/** What shops and apps send: complete, with more than is mapped, with numbers that a careless parser would change, or sparse. */
function raw(customer: Customer, index: number): Record<string, unknown> {
  const { id, firstName, lastName, gender, dob, email, city, country } = customer;
  const complete = { id, firstName, lastName, gender, dob, contact: { email, city, country } };
  switch (index % 4) {
    case 1:
      return { ...complete, loyalty: { points: index * 7, tier: 'silver' }, tags: ['newsletter', 'café'] };
    case 2:
      return { ...complete, contact: { email: ` ${email.toUpperCase()} `, city }, source: 'app' };
    case 3:
      return { id, firstName, lastName, gender, dob, contact: { email } };
    default:
      return complete;
  }
}

function xdm(customer: Customer): Record<string, unknown> {
  const { id, firstName, lastName, gender, dob, email, city, country } = customer;
  return {
    _id: id,
    person: { name: { firstName, lastName }, gender: gender.toLowerCase(), birthDate: dob },
    workEmail: { address: email, primary: true, type: 'work', status: 'active' },
    homeAddress: { city, countryCode: country },
    identityMap: { Email: [{ id: email, primary: true }] },
  };
}

/** Filled up where the schema lets be what it does not know: an unmapped field, or a street as long as it takes. */
function filled(record: Record<string, unknown>, data: 'raw' | 'xdm', bytes: number): string {
  const line = JSON.stringify(record);
  const missing = bytes - Buffer.byteLength(line) - 12;
  if (missing <= 0) return line;
  const filling = 'x'.repeat(missing);
  if (data === 'raw') return JSON.stringify({ ...record, notes: filling });
  const address = record.homeAddress as Record<string, unknown>;
  return JSON.stringify({ ...record, homeAddress: { ...address, street1: filling } });
}

/**
 * Some of what real streams hold: a cut line, no object, and a record that AEP takes and refuses later. Of raw data also one
 * with a header that AEP would follow. The last has an `_id`, by which events/where.json asks for it.
 */
function spoiled(record: Record<string, unknown>, id: string, which: number): string {
  const isRaw = 'gender' in record;
  if (isRaw && which % 6 === 4)
    return JSON.stringify({ _id: id, header: { flowId: 'of-another' }, body: record });
  switch (which % 3) {
    case 0:
      return JSON.stringify(record).slice(0, -9);
    case 1:
      return '["not", "an", "object"]';
    default:
      return JSON.stringify(
        isRaw ? { ...record, gender: 'Martian' } : { ...record, person: { gender: 'martian' } },
      );
  }
}

/** mulberry32: small, and the same on every machine. @returns what gives numbers from 0 to below 1, the same for a seed */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
