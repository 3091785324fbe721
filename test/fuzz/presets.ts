// Change streams and events by their presets against models of them, and numbers against fractions of whole numbers.
import fc from 'fast-check';
import { compareDigits } from '../../lib/digits.ts';
import { throughPreset } from '../support/presets.ts';
import { each, ensure, type Property } from './property.ts';

const name = fc.constantFrom(
  'id',
  'email',
  'op',
  'payload',
  'data',
  '__proto__',
  'a"b',
  '\\',
  '😀',
  '_id',
  '1',
);
const digits = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 38n }),
    fc.constantFrom('', '.50', '.0', 'E+7', 'e-120'),
  )
  .map(([sign, whole, rest]) => `${sign}${whole}${rest}`);
const base64 = fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const text = fc.string({ unit: 'binary', maxLength: 6 });

/** An attribute in DynamoDB's typed JSON, and the plain JSON that it stands for. */
interface Pair {
  readonly typed: string;
  readonly plain: string;
}

const pairOf = (type: string, typed: string, plain = typed): Pair => ({
  typed: `{"${type}":${typed}}`,
  plain,
});
const list = (all: readonly string[]) => `[${all.join(',')}]`;
const quoted = (value: string) => JSON.stringify(value);

/** Members by distinct names. A name that is a whole number comes first, as objects of JavaScript have it. */
const membersOf = (value: fc.Arbitrary<Pair>) =>
  fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([key]) => key })
    .map((all) => [...all.filter(([key]) => key === '1'), ...all.filter(([key]) => key !== '1')])
    .map((all) => ({
      typed: `{${all.map(([key, { typed }]) => `${quoted(key)}:${typed}`).join(',')}}`,
      plain: `{${all.map(([key, { plain }]) => `${quoted(key)}:${plain}`).join(',')}}`,
    }));

const { attribute } = fc.letrec<{ attribute: Pair }>((tie) => ({
  attribute: fc.oneof(
    { depthSize: 'small' },
    text.map((one) => pairOf('S', quoted(one))),
    digits.map((one) => pairOf('N', quoted(one), one)),
    base64.map((one) => pairOf('B', quoted(one))),
    fc.boolean().map((one) => pairOf('BOOL', String(one))),
    fc.constant(pairOf('NULL', 'true', 'null')),
    fc.array(text, { maxLength: 3 }).map((all) => pairOf('SS', list(all.map(quoted)))),
    fc.array(digits, { maxLength: 3 }).map((all) => pairOf('NS', list(all.map(quoted)), list(all))),
    fc
      .array(tie('attribute'), { maxLength: 3 })
      .map((all) => pairOf('L', list(all.map(({ typed }) => typed)), list(all.map(({ plain }) => plain)))),
    membersOf(tie('attribute')).map(({ typed, plain }) => pairOf('M', typed, plain)),
  ),
}));
const item = membersOf(attribute);

const deletes = fc.constantFrom('keep', 'apply', 'drop');

/** What becomes of a change. `row`: what is told of it, after or before. */
function modelled(
  kind: 'write' | 'removal' | 'purge' | 'other',
  row: string | undefined,
  asked: string,
): string {
  if (kind === 'other') return 'filtered';
  if (kind === 'purge' || (kind === 'removal' && asked !== 'apply'))
    return asked === 'drop' ? 'filtered' : 'deletion';
  return row === undefined ? 'nothing-selected' : `${kind === 'write' ? 'merge' : 'delete'} ${row}`;
}

/** A pipeline is made once for each option: that is what takes long. */
const pipelines = new Map<string, ReturnType<typeof throughPreset>>();
function through(kind: string, asked?: string) {
  const key = `${kind} ${asked}`;
  const known = pipelines.get(key) ?? throughPreset({ format: { kind, ...(asked && { deletes: asked }) } });
  pipelines.set(key, known);
  return known;
}

function same(found: readonly string[], wanted: readonly string[], record: string): void {
  ensure(
    JSON.stringify(found) === JSON.stringify(wanted),
    `${record} became ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );
}

/** A row as JSON, or nothing. */
const row = fc.oneof(
  { weight: 4, arbitrary: item.map(({ plain }) => plain) },
  { weight: 1, arbitrary: fc.constantFrom('null', '[]', '"x"', '7') },
);
const rowOr = (...rows: readonly string[]) => rows.find((one) => one.startsWith('{'));

const debezium: Property = each(
  fc.tuple(fc.constantFrom('c', 'r', 'u', 'd', 't', 'm', 'x', ''), row, row, fc.boolean(), deletes),
  ([op, before, after, schemas, asked]) => {
    const event = `{"before":${before},"after":${after},"source":{"ts_ms":1},"op":"${op}","ts_ms":2}`;
    const record = schemas ? `{"schema":{"type":"struct"},"payload":${event}}` : event;
    const kind =
      'cru'.includes(op) && op !== '' ? 'write' : op === 'd' ? 'removal' : op === 't' ? 'purge' : 'other';
    same(through('debezium', asked)(record), [modelled(kind, rowOr(after, before), asked)], record);
  },
);

const dms: Property = each(
  fc.tuple(
    fc.constantFrom('load', 'insert', 'update', 'delete', 'create-table', 'Delete'),
    row,
    row,
    deletes,
  ),
  ([operation, data, before, asked]) => {
    const record = `{"data":${data},"before-image":${before},"metadata":{"record-type":"data","operation":"${operation}"}}`;
    const kind = operation === 'delete' ? 'removal' : /^[liu]/.test(operation) ? 'write' : 'other';
    same(through('dms', asked)(record), [modelled(kind, rowOr(data, before), asked)], record);
  },
);

const image = fc.option(item, { freq: 3, nil: undefined });

const dynamoDb: Property = each(
  fc.tuple(fc.constantFrom('INSERT', 'MODIFY', 'REMOVE', 'OTHER'), item, image, image, deletes),
  ([eventName, keys, after, before, asked]) => {
    const images = [
      `"Keys":${keys.typed}`,
      ...(after === undefined ? [] : [`"NewImage":${after.typed}`]),
      `"OldImage":${before?.typed ?? 'null'}`,
    ];
    const record = `{"eventName":"${eventName}","dynamodb":{${images.join(' , ')}}}`;
    const kind = eventName === 'REMOVE' ? 'removal' : eventName === 'OTHER' ? 'other' : 'write';
    const told = (after ?? before ?? keys).plain;
    same(through('dynamodb', asked)(record), [modelled(kind, told, asked)], record);
  },
);

/** Anything where an attribute stands: it is taken as it is typed, or the whole is one reject. */
const damaged: Property = each(
  fc.tuple(item, fc.nat(), fc.constantFrom('"', '{', '}', ':', 'N', '1', ',', '')),
  ([{ typed }, at, sign]) => {
    const place = at % (typed.length + 1);
    const record = `{"eventName":"INSERT","dynamodb":{"NewImage":${typed.slice(0, place)}${sign}${typed.slice(place + 1)}}}`;
    const outcomes = through('dynamodb', 'keep')(record);
    ensure(outcomes.length === 1, `${record} became ${outcomes.length} messages`);
    ensure(
      /^(merge \{|not-|nothing-selected|envelope)/.test(outcomes[0] ?? ''),
      `${record} became ${outcomes[0]}`,
    );
  },
);

const members = item.filter(({ plain }) => !plain.includes('"_id"')).map(({ plain }) => plain);
const event = fc.tuple(
  members,
  fc.constantFrom('data', 'data_base64', 'none', 'text'),
  fc.stringMatching(/^[a-z0-9-]{1,8}$/),
);

const DATA: Readonly<Record<string, (data: string) => string>> = {
  data: (data) => `,"data":${data}`,
  data_base64: (data) => `,"data_base64":"${Buffer.from(data).toString('base64')}"`,
  none: () => '',
  text: () => ',"data":"text"',
};

const cloudEvents: Property = each(
  fc.tuple(fc.array(event, { maxLength: 3 }), fc.boolean()),
  ([events, single]) => {
    const told = single ? events.slice(0, 1) : events;
    const texts = told.map(
      ([data, how, id]) =>
        `{"specversion":"1.0","id":"${id}","time":"2026-01-01T00:00:00Z"${DATA[how]?.(data)}}`,
    );
    const wanted = told.map(([data, how, id]) => {
      if (how === 'none') return 'nothing-selected';
      if (how === 'text') return 'not-an-object';
      const derived = `"_id":"${id}","timestamp":"2026-01-01T00:00:00.000Z"`;
      return data === '{}' ? `{${derived}}` : `{${derived},${data.slice(1)}`;
    });
    const record = single ? (texts[0] ?? '') : `[${texts.join(' , ')}]`;
    const sent = through('cloudevents')(record).map((one) => one.replace(/^merge /, ''));
    same(sent, record === '' ? ['empty'] : wanted, record);
  },
);

/** Of a number as JSON writes it: the same as a whole number, all with the same power of ten below it. */
function scaled(number: string): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const power = 400 + Number(exponent) - fraction.length;
  return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(power);
}
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.nat(12).map(String), fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String)),
    fc.constantFrom('', '.0', '.5', '.00', '.10', '.000000000000000000000000001'),
    fc.constantFrom('', 'e0', 'E+1', 'e-1', 'e30', 'e-30'),
  )
  .map((parts) => parts.join(''));

const order: Property = each(fc.tuple(number, number), ([a, b]) => {
  const [one, other] = [scaled(a), scaled(b)];
  const wanted = one < other ? -1 : one > other ? 1 : 0;
  ensure(Math.sign(compareDigits(a, b)) === wanted, `${a} and ${b}: not ${wanted}`);
});

/** By name. */
export const PRESETS: Readonly<Record<string, Property>> = {
  'a change of Debezium becomes the operation, the reject or nothing that its kind asks for': debezium,
  'so does a record of DMS': dms,
  'so does a change of DynamoDB, with every attribute plain and every digit kept': dynamoDb,
  'a damaged item of DynamoDB is one message or one reject': damaged,
  'events of CloudEvents become their data, each by itself': cloudEvents,
  'numbers have the order of all their digits': order,
};
