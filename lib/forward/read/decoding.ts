// How the records of a pipeline are read: what they are packed with, and the format of what is inside.
import { systemClock } from '../../aep/transport.ts';
import type { PublishedFormat } from '../../formats.ts';
import type { PublishedPipeline } from '../../published.ts';
import { createSchemas, type Schemas } from './formats/by-schema.ts';
import { cloudEventsExpander } from './formats/cloudevents.ts';
import { createCloudWatchLogs } from './formats/cloudwatch-logs.ts';
import { dynamoDbExpander } from './formats/dynamodb.ts';
import type { Expander } from './formats/expander.ts';
import { createJsonArray } from './formats/json-array.ts';
import { createJsonLines } from './formats/json-lines.ts';
import { createJsonSequence } from './formats/json-sequence.ts';
import { createTable } from './formats/table.ts';

export interface Decoding {
  readonly compression: PublishedPipeline['compression'];
  /** `undefined` where a record is one message. */
  readonly expander?: Expander | undefined;
}

/**
 * Made once for a pipeline, because a format may keep what it has learnt.
 * @param schemas what the container has learnt of schemas; without it Glue's registry is not asked
 */
export function createDecoding(
  { compression, format }: Pick<PublishedPipeline, 'compression' | 'format'>,
  schemas: Schemas = createSchemas(systemClock),
): Decoding {
  if (format === undefined) return { compression };
  const isPacked = format.kind === 'cloudwatch-logs' && compression === 'none';
  return { compression: isPacked ? 'gzip' : compression, expander: expanderFor(format, schemas) };
}

/** Whether a record is one message of the size that it seems to have, unless it is an aggregate. */
export function isPlain({ compression, expander }: Decoding): boolean {
  return compression === 'none' && expander === undefined;
}

function expanderFor(format: PublishedFormat, schemas: Schemas): Expander {
  switch (format.kind) {
    case 'avro':
    case 'protobuf':
      return schemas.expander(format);
    case 'json-lines':
      return createJsonLines(format);
    case 'json-array':
      return createJsonArray(format);
    case 'json-sequence':
      return createJsonSequence(format);
    case 'cloudwatch-logs':
      return createCloudWatchLogs(format);
    case 'cloudevents':
      return cloudEventsExpander;
    case 'dynamodb':
      return dynamoDbExpander;
    case 'csv':
    case 'tsv':
      return createTable(format);
  }
}
