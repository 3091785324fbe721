// Adds missing members to an object: `_id` from its place in the stream, `timestamp` from its arrival.
import { type PublishedPipeline, streamNameOf } from '../../published.ts';
import { memberSpan, skipSpace } from '../json/json.ts';
import type { Message } from '../read/message.ts';
import { recordId } from '../read/record-id.ts';

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

interface DerivedMember {
  readonly name: string;
  /** The last bytes of the name, unless it is written with escapes. */
  readonly ending: Buffer;
  readonly valueFor: (message: Message) => string | undefined;
}

/** Only this escape can stand for a letter of the names. */
const ESCAPE = Buffer.from('\\u');

/**
 * The object with its missing members behind the opening brace; every other byte is unchanged. A member that is there
 * stays, whatever its value. `undefined` where the pipeline derives nothing.
 * @throws RangeError where the pipeline derives ids and the shard is not known
 */
export function createDeriver(
  pipeline: Pick<PublishedPipeline, 'records' | 'streamArn'>,
  shardId: string | undefined,
): ((json: Buffer, message: Message) => Buffer) | undefined {
  const names = pipeline.records?.derive;
  if (names === undefined) return undefined;
  const members = names.map((name) => memberOf(name, streamNameOf(pipeline.streamArn), shardId));
  return (json, message) => {
    const lacking = members.filter((member) => !hasMember(json, member));
    const pairs = lacking.flatMap(({ name, valueFor }) => {
      const value = valueFor(message);
      return value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value)}`];
    });
    return pairs.length === 0 ? json : insert(json, pairs.join(','));
  };
}

function memberOf(name: '_id' | 'timestamp', stream: string, shardId: string | undefined): DerivedMember {
  const ending = Buffer.from(`${name}"`);
  if (name === 'timestamp') return { name, ending, valueFor: ({ arrivedAt }) => timestampOf(arrivedAt) };
  if (shardId === undefined) throw new RangeError('ids are derived from the shard, which is not known');
  return {
    name,
    ending,
    valueFor: ({ sequenceNumber, subSequenceNumber }) =>
      recordId({
        stream,
        shardId,
        sequenceNumber,
        ...(subSequenceNumber !== undefined && { subSequenceNumber }),
      }),
  };
}

function hasMember(json: Buffer, { name, ending }: DerivedMember): boolean {
  // Most objects without the member do not contain the name anywhere, which is quickly checked.
  if (!json.includes(ending) && !json.includes(ESCAPE)) return false;
  return memberSpan(json, name) !== undefined;
}

/** ISO 8601; `undefined` for an unknown time, or one outside the calendar. */
function timestampOf(seconds: number | undefined): string | undefined {
  const time = new Date(Math.round((seconds ?? Number.NaN) * 1_000));
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function insert(json: Buffer, members: string): Buffer {
  const at = json.indexOf(OPENING_BRACE) + 1;
  const comma = json[skipSpace(json, at)] === CLOSING_BRACE ? '' : ',';
  return Buffer.concat([json.subarray(0, at), Buffer.from(members + comma), json.subarray(at)]);
}
