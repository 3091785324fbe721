// Adds missing members to an object: from its place in the stream, its arrival, or fields of the record.
import { floorDigits } from '../../digits.ts';
import { momentIn } from '../../moment.ts';
import { stepsOf } from '../../pointer.ts';
import { type PublishedPipeline, streamNameOf } from '../../published.ts';
import { type Derivation, memberOf, type TimeForm } from '../../records.ts';
import { memberSpan, skipSpace } from '../json/json.ts';
import { spanAt } from '../json/pointer.ts';
import type { Message } from '../read/message.ts';
import { recordId } from '../read/record-id.ts';

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Values from fields of the record, one for each entry of `derive`; `undefined` where there is none. */
export type FieldValues = readonly (string | undefined)[];

type ValueFor = (message: Message, fields: FieldValues) => string | undefined;

interface DerivedMember {
  readonly name: string;
  /** The last bytes of the name, unless it is written with escapes. */
  readonly ending: Buffer;
  /** Of these the first that has a value is taken. */
  readonly values: readonly ValueFor[];
}

/** Only this escape can stand for a letter of the names. */
const ESCAPE = Buffer.from('\\u');

/**
 * The object with its missing members behind the opening brace; every other byte is unchanged. A member that is there
 * stays, whatever its value. One for which nothing has a value stays away. `undefined` where the pipeline derives
 * nothing.
 * @throws RangeError where the pipeline derives ids from the place and the shard is not known
 */
export function createDeriver(
  pipeline: Pick<PublishedPipeline, 'records' | 'streamArn'>,
  shardId: string | undefined,
): ((json: Buffer, message: Message, fields?: FieldValues) => Buffer) | undefined {
  const rules = pipeline.records?.derive;
  if (rules === undefined) return undefined;
  const stream = streamNameOf(pipeline.streamArn);
  const names = [...new Set(rules.map(memberOf))];
  const members = names.map((name): DerivedMember => {
    const values = rules.flatMap((rule, index) =>
      memberOf(rule) === name ? [valueFor(rule, index, stream, shardId)] : [],
    );
    return { name, ending: Buffer.from(`${name}"`), values };
  });
  return (json, message, fields = []) => {
    const lacking = members.filter((member) => !hasMember(json, member));
    const pairs = lacking.flatMap(({ name, values }) => {
      const value = firstOf(values, (one) => one(message, fields));
      return value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value)}`];
    });
    return pairs.length === 0 ? json : insert(json, pairs.join(','));
  };
}

function firstOf<T, R>(all: readonly T[], value: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = value(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function valueFor(rule: Derivation, index: number, stream: string, shardId: string | undefined): ValueFor {
  if (typeof rule !== 'string') return (_, fields) => fields[index];
  if (rule === 'timestamp') return ({ arrivedAt }) => isoTime((arrivedAt ?? Number.NaN) * 1_000);
  if (shardId === undefined) throw new RangeError('ids are derived from the shard, which is not known');
  return ({ sequenceNumber, subSequenceNumber }) =>
    recordId({
      stream,
      shardId,
      sequenceNumber,
      ...(subSequenceNumber !== undefined && { subSequenceNumber }),
    });
}

/** Reads the fields of a record that `derive` names; `undefined` where it names none. `json` must be JSON. */
export function createFieldReader(
  rules: readonly Derivation[] = [],
): ((json: Buffer) => FieldValues) | undefined {
  if (rules.every((rule) => typeof rule === 'string')) return undefined;
  const readers = rules.map((rule) => {
    if (typeof rule === 'string') return () => undefined;
    const steps = stepsOf(rule.from);
    return (json: Buffer) => {
      const span = spanAt(json, steps);
      if (span === undefined) return undefined;
      const text = json.toString('utf8', span.start, span.end);
      return rule.member === '_id' ? idIn(text) : timeIn(text, rule.as);
    };
  });
  return (json) => readers.map((read) => read(json));
}

/** The id in a value's JSON: a text with anything in it, or a whole number with all its digits. */
function idIn(json: string): string | undefined {
  if (json.startsWith('"')) return (JSON.parse(json) as string) || undefined;
  return /^-?\d+$/.test(json) ? json : undefined;
}

/** The power of ten that makes milliseconds of them. */
const TO_MILLIS: Readonly<Record<Exclude<TimeForm, 'iso'>, number>> = {
  'epoch-seconds': 3,
  'epoch-millis': 0,
  'epoch-micros': -3,
  'epoch-nanos': -6,
};

/** The time in a value's JSON as ISO 8601, cut to milliseconds. */
function timeIn(json: string, form: TimeForm): string | undefined {
  const text = json.startsWith('"') ? (JSON.parse(json) as string) : json;
  if (form === 'iso') {
    const moment = json === text ? undefined : momentIn(text);
    return moment && isoTime(moment.seconds * 1_000 + Number(moment.fraction.slice(0, 3).padEnd(3, '0')));
  }
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined;
  return isoTime(floorDigits(text, TO_MILLIS[form]));
}

function hasMember(json: Buffer, { name, ending }: DerivedMember): boolean {
  // Most objects without the member do not contain the name anywhere, which is quickly checked.
  if (!json.includes(ending) && !json.includes(ESCAPE)) return false;
  return memberSpan(json, name) !== undefined;
}

/** ISO 8601; `undefined` for an unknown time, or one that no four digits have a year for. */
function isoTime(ms: number): string | undefined {
  const time = new Date(Math.round(ms));
  if (Number.isNaN(time.getTime())) return undefined;
  const text = time.toISOString();
  return text.length === '2026-01-01T00:00:00.000Z'.length ? text : undefined;
}

function insert(json: Buffer, members: string): Buffer {
  const at = json.indexOf(OPENING_BRACE) + 1;
  const comma = json[skipSpace(json, at)] === CLOSING_BRACE ? '' : ',';
  return Buffer.concat([json.subarray(0, at), Buffer.from(members + comma), json.subarray(at)]);
}
