// Streams that distribute their records by themselves (AUTO), in front of kinesalite, which knows none and wants a key of every record.
// By AWS's model of CreateStream, PutRecord(s), GetRecords, DescribeStreamSummary and UpdateStreamRecordDistributionStrategy, and
// by "Producer API behavior with service-managed distribution". Ours alone: that records are spread by chance.
import { randomBytes, randomUUID } from 'node:crypto';

type Fields = Record<string, unknown>;
type Strategy = 'AUTO' | 'USER_PARTITION_KEY';

export interface Distribution {
  /**
   * The request as kinesalite takes it, or the answer to it.
   * @throws Error with the name of Kinesis's own
   */
  request(operation: string, body: Buffer): { readonly body: Buffer } | { readonly answer: Fields };
  /** What kinesalite answered, as Kinesis would have. */
  response(operation: string, text: string): string;
}

/** An on-demand stream begins with so many. AWS: "On-demand mode". */
const ON_DEMAND_SHARDS = 4;

export function createDistribution(): Distribution {
  /** Of on-demand streams: only they have one. */
  const strategies = new Map<string, Strategy>();
  /** How the key begins that a record without one has in kinesalite. */
  const none = `${randomUUID()}:`;

  const create = ({ StreamModeDetails, RecordDistributionStrategy: asked, ...rest }: Fields): Fields => {
    const onDemand = (StreamModeDetails as Fields | undefined)?.StreamMode === 'ON_DEMAND';
    strategies.delete(String(rest.StreamName));
    if (!onDemand && asked !== undefined)
      throw invalid('a record distribution strategy needs on-demand mode');
    if (!onDemand) return rest;
    strategies.set(String(rest.StreamName), asked === 'AUTO' ? asked : 'USER_PARTITION_KEY');
    return { ShardCount: ON_DEMAND_SHARDS, ...rest };
  };

  const update = ({ StreamName, RecordDistributionStrategy: asked }: Fields): Fields => {
    if (!strategies.has(String(StreamName))) throw invalid(`${StreamName} is no on-demand stream`);
    strategies.set(String(StreamName), asked as Strategy);
    return {};
  };

  const placed = (record: Fields): Fields => {
    if (record.SequenceNumberForOrdering !== undefined)
      throw invalid('SequenceNumberForOrdering has no meaning where records are distributed by the service');
    const ExplicitHashKey = BigInt(`0x${randomBytes(16).toString('hex')}`).toString();
    return { ...record, PartitionKey: record.PartitionKey ?? none + randomUUID(), ExplicitHashKey };
  };

  const put = (fields: Fields): Fields => {
    if (strategies.get(String(fields.StreamName)) !== 'AUTO') return fields;
    const { Records } = fields;
    return Array.isArray(Records) ? { ...fields, Records: Records.map(placed) } : placed(fields);
  };

  const rewrites: Record<string, (fields: Fields) => Fields> = {
    CreateStream: create,
    PutRecord: put,
    PutRecords: put,
  };

  return {
    request(operation, body) {
      if (operation === 'UpdateStreamRecordDistributionStrategy') return { answer: update(fieldsIn(body)) };
      const rewrite = rewrites[operation];
      // Most streams are none of these, and their records are not to be read twice.
      const isNone = rewrite === put && ![...strategies.values()].includes('AUTO');
      if (rewrite === undefined || isNone) return { body };
      return { body: Buffer.from(JSON.stringify(rewrite(fieldsIn(body)))) };
    },

    response(operation, text) {
      if (operation === 'GetRecords' && text.includes(none)) {
        const { Records, ...rest } = JSON.parse(text) as { Records: Fields[] };
        return JSON.stringify({ ...rest, Records: Records.map((record) => withoutKey(record, none)) });
      }
      if (operation !== 'DescribeStreamSummary') return text;
      const { StreamDescriptionSummary: found } = JSON.parse(text) as { StreamDescriptionSummary?: Fields };
      if (found === undefined) return text;
      const strategy = strategies.get(String(found.StreamName));
      const StreamModeDetails = { StreamMode: strategy === undefined ? 'PROVISIONED' : 'ON_DEMAND' };
      const more = { StreamModeDetails, ...(strategy && { RecordDistributionStrategy: strategy }) };
      return JSON.stringify({ StreamDescriptionSummary: { ...found, ...more } });
    },
  };
}

function withoutKey({ PartitionKey, ...rest }: Fields, none: string): Fields {
  return String(PartitionKey).startsWith(none) ? rest : { ...rest, PartitionKey };
}

function fieldsIn(body: Buffer): Fields {
  return JSON.parse(body.toString('utf8')) as Fields;
}

function invalid(message: string): Error {
  return Object.assign(new Error(message), { name: 'InvalidArgumentException' });
}
