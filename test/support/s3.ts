// A bucket in memory behind the SDK's own commands, with S3's conditions, and a hand that can end everything between two of them.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { S3 } from '../../lib/aws/dead-letters.ts';

export interface MemoryS3 {
  readonly client: S3;
  /** What is in the bucket, by key. */
  readonly objects: Map<string, string>;
  /** Every command so far, as `Put key`. */
  readonly calls: string[];
  /** Asked before and after every command; what it throws is what the client throws. */
  fault: (when: 'before' | 'after', call: string, number: number) => void;
}

const PAGE = 40;

function refused(name: string): Error {
  return Object.assign(new Error(name), { name });
}

/** Order of the keys as S3 has it: by the bytes of UTF-8. */
function inOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function memoryS3(): MemoryS3 {
  const objects = new Map<string, string>();
  const versions = new Map<string, number>();
  let latest = 0;
  const etagOf = (key: string) => `"v${versions.get(key) ?? 0}"`;
  const check = (key: string, ifMatch: string | undefined, ifNoneMatch: string | undefined) => {
    if (ifNoneMatch === '*' && objects.has(key)) throw refused('PreconditionFailed');
    if (ifMatch === undefined) return;
    if (!objects.has(key)) throw refused('NoSuchKey');
    if (ifMatch !== etagOf(key)) throw refused('PreconditionFailed');
  };

  const answer = (command: unknown): unknown => {
    if (command instanceof PutObjectCommand) {
      const { Key = '', Body, IfMatch, IfNoneMatch } = command.input;
      check(Key, IfMatch, IfNoneMatch);
      objects.set(Key, String(Body));
      versions.set(Key, ++latest);
      return {};
    }
    if (command instanceof GetObjectCommand) {
      const { Key = '' } = command.input;
      const text = objects.get(Key);
      if (text === undefined) throw refused('NoSuchKey');
      return { ETag: etagOf(Key), Body: { transformToString: async () => text } };
    }
    if (command instanceof DeleteObjectCommand) {
      const { Key = '', IfMatch } = command.input;
      check(Key, IfMatch, undefined);
      objects.delete(Key);
      return {};
    }
    if (command instanceof ListObjectsV2Command) {
      const { Prefix = '', StartAfter = '' } = command.input;
      const keys = [...objects.keys()]
        .filter((key) => key.startsWith(Prefix) && inOrder(key, StartAfter) > 0)
        .sort(inOrder);
      const Contents = keys
        .slice(0, PAGE)
        .map((Key) => ({ Key, Size: Buffer.byteLength(objects.get(Key) ?? '') }));
      return { Contents, IsTruncated: keys.length > PAGE };
    }
    throw new Error('a command that this bucket does not know');
  };

  const calls: string[] = [];
  const bucket: MemoryS3 = {
    objects,
    calls,
    fault: () => undefined,
    client: {
      // Several at a time, and in an order that is not that of their start.
      async send(command: { input: object }) {
        const key = 'Key' in command.input ? String(command.input.Key) : '';
        const call = `${command.constructor.name.replace(/(Object|ObjectsV2)?Command$/, '')} ${key}`;
        const number = calls.push(call);
        await new Promise((resolve) => setImmediate(resolve));
        bucket.fault('before', call, number);
        const result = answer(command);
        bucket.fault('after', call, number);
        return result;
      },
    } as S3,
  };
  return bucket;
}
