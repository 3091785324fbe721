// A record's place in its stream as an id: a derived `_id` is made from it, and leads back to the record.

export interface Coordinates {
  /** The stream's name, not its ARN. */
  readonly stream: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** Position in a KPL aggregate; absent for a plain record. */
  readonly subSequenceNumber?: number;
}

/** `{stream}:{shardId}:{sequenceNumber}[:{subSequenceNumber}]`. The same record always has the same id. */
export function recordId({ stream, shardId, sequenceNumber, subSequenceNumber }: Coordinates): string {
  const id = `${stream}:${shardId}:${sequenceNumber}`;
  return subSequenceNumber === undefined ? id : `${id}:${subSequenceNumber}`;
}

/** Names of Kinesis contain no colon, and a sequence number has at most 129 digits. */
const ID = /^([\w.-]{1,128}):([\w.-]{1,128}):(0|[1-9]\d{0,128})(?::(0|[1-9]\d{0,14}))?$/;

/** The coordinates in an id that `recordId` made; `undefined` for any other text. */
export function coordinatesIn(id: string): Coordinates | undefined {
  const [, stream, shardId, sequenceNumber, sub] = ID.exec(id) ?? [];
  if (stream === undefined || shardId === undefined || sequenceNumber === undefined) return undefined;
  return {
    stream,
    shardId,
    sequenceNumber,
    ...(sub !== undefined && { subSequenceNumber: Number(sub) }),
  };
}
