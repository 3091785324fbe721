// What a shard iterator of kinesalite's says: the shard that it leads to.
import { createDecipheriv } from 'node:crypto';
import db from 'kinesalite/db/index.js';

export interface IteratorPlace {
  readonly streamName: string;
  readonly shardId: string;
}

/** `undefined` of what is no iterator of kinesalite's. */
export function placeIn(iterator: unknown): IteratorPlace | undefined {
  if (typeof iterator !== 'string') return undefined;
  try {
    const decipher = createDecipheriv('aes-256-cbc', db.ITERATOR_PWD_KEY, db.ITERATOR_PWD_IV);
    const hidden = Buffer.from(iterator, 'base64').subarray(8);
    const text = Buffer.concat([decipher.update(hidden), decipher.final()]).toString('utf8');
    const [, streamName, shardId] = text.split('/');
    return streamName === undefined || shardId === undefined ? undefined : { streamName, shardId };
  } catch {
    return undefined;
  }
}
