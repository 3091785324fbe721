// Objects in S3. The SDK is loaded with the first call: most invocations of the forwarder reject nothing.
import type { S3Client } from '@aws-sdk/client-s3';
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { inTime, limited } from './client.ts';
import { type Objects, tooLarge } from './objects.ts';

/** The part of the S3 client that is used. */
export type S3 = Pick<S3Client, 'send'>;

type Sdk = typeof import('@aws-sdk/client-s3');

/** The limit until there is an answer, and another for its body: an object is read after the call has ended. */
const S3_ANSWER_MS = 10_000;

export function objectsInS3(Bucket: string, makeClient: () => Promise<S3> = loadS3): Objects {
  let client: Promise<S3> | undefined;
  const opened = async (): Promise<{ s3: S3; sdk: Sdk }> => {
    client ??= makeClient();
    const [sdk, s3] = await Promise.all([import('@aws-sdk/client-s3'), client]);
    return { s3, sdk };
  };
  const put = async (Key: string, text: string, condition: { IfMatch?: string; IfNoneMatch?: string }) => {
    const { s3, sdk } = await opened();
    const object = { Bucket, Key, Body: text, ContentType: 'application/json', ...condition };
    await s3.send(new sdk.PutObjectCommand(object));
  };
  const read: Objects['read'] = async (Key) => {
    const { s3, sdk } = await opened();
    try {
      const { Body, ETag, ContentLength } = await s3.send(new sdk.GetObjectCommand({ Bucket, Key }));
      if ((ContentLength ?? 0) > MAX_OBJECT_BYTES) {
        // The body is still arriving: it ends with the connection.
        if (Body !== undefined && 'destroy' in Body) Body.destroy();
        throw tooLarge(Key, ContentLength);
      }
      const text = Body && (await inTime(S3_ANSWER_MS, Body.transformToString('utf-8')));
      return { text: text ?? '', version: ETag ?? '' };
    } catch (error) {
      if (isNothing(error)) return undefined;
      throw error;
    }
  };
  const conditional = async (Key: string, text: string, condition: Parameters<typeof put>[2]) => {
    try {
      await put(Key, text, condition);
      return true;
    } catch (error) {
      if (!isTaken(error) && !isNothing(error)) throw error;
      // The SDK may have repeated a request that had succeeded, and whose answer was lost.
      return (await read(Key))?.text === text;
    }
  };

  return {
    read,
    async list(Prefix, StartAfter) {
      const { s3, sdk } = await opened();
      const page = await s3.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, StartAfter }));
      const objects = (page.Contents ?? []).flatMap(({ Key: key, Size: bytes = 0 }) =>
        key === undefined ? [] : [{ key, bytes }],
      );
      return { objects, more: page.IsTruncated ?? false };
    },
    write: (key, text) => put(key, text, {}),
    create: (key, text) => conditional(key, text, { IfNoneMatch: '*' }),
    replace: (key, version, text) => conditional(key, text, { IfMatch: version }),
    async remove(Key, IfMatch) {
      const { s3, sdk } = await opened();
      try {
        await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key, IfMatch }));
        return true;
      } catch (error) {
        if (isNothing(error)) return true;
        if (!isTaken(error)) throw error;
        return (await read(Key)) === undefined;
      }
    },
  };
}

/** Another object is there, or is being written. S3 API reference, "Conditional writes". */
function isTaken(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(PreconditionFailed|ConditionalRequestConflict|OperationAborted)$/.test(error.name)
  );
}

function isNothing(error: unknown): boolean {
  return error instanceof Error && /^(NoSuchKey|NotFound)$/.test(error.name);
}

async function loadS3(): Promise<S3> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return limited((config) => new S3Client(config), { connectMs: 2_000, answerMs: S3_ANSWER_MS });
}
