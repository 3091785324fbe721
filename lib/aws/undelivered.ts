// The undelivered store: one object per invocation that rejects, in S3 or in a folder.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure.ts';
import type { Undelivered, UndeliveredDocument } from '../runtime.ts';

/** Writes `text` under `key`, durably. */
type Write = (key: string, text: string) => Promise<void>;

/** The part of the S3 client that is used. */
export type S3 = Pick<S3Client, 'send'>;

/**
 * The store at `url`: `s3://bucket/prefix` or `file:///folder`. Nothing is opened before the first write.
 * @param s3 makes the S3 client; by default the SDK is loaded, and only then
 * @throws Failure `SETTINGS_INVALID` for any other URL; from `put` `STORE_UNAVAILABLE`
 */
export function createUndelivered(url: string, s3: () => Promise<S3> = loadS3): Undelivered {
  const { write, prefix } = storeAt(url, s3);
  return {
    async put(document) {
      const key = [prefix, keyOf(document)].filter(Boolean).join('/');
      const { text, entries } = serialise(document);
      try {
        await write(key, text);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'unknown error';
        throw new Failure('STORE_UNAVAILABLE', `writing to the undelivered store: ${name}`, { cause: error });
      }
      return { key, entries };
    },
  };
}

/** @throws Failure `SETTINGS_INVALID` */
function storeAt(url: string, s3: () => Promise<S3>): { write: Write; prefix: string } {
  try {
    const { protocol, hostname, pathname, search, hash } = new URL(url);
    if (search === '' && hash === '' && protocol === 's3:' && hostname !== '') {
      return { write: toS3(hostname, s3), prefix: decodeURIComponent(pathname).replace(/^\/+|\/+$/g, '') };
    }
    if (search === '' && hash === '' && protocol === 'file:')
      return { write: toFolder(fileURLToPath(url)), prefix: '' };
  } catch {
    // No URL, or none of a file: said below.
  }
  throw new Failure(
    'SETTINGS_INVALID',
    'the undelivered store is neither s3://bucket/prefix nor file:///folder',
  );
}

/** Entry by entry and counted on the way, so that the count speaks of what is written. */
function serialise({ entries, ...head }: UndeliveredDocument): { text: string; entries: number } {
  const lines = Array.from(entries, (entry) => JSON.stringify(entry));
  const opening = JSON.stringify(head).slice(0, -1);
  return { text: `${opening},"entries":[\n${lines.join(',\n')}\n]}\n`, entries: lines.length };
}

/** `rejected/{pipeline}/{yyyy}/{mm}/{dd}/{shard}-{firstSequenceNumber}-{invocationId}.json`: the same invocation, the same key. */
function keyOf(document: UndeliveredDocument): string {
  const [year, month, day] = document.storedAt.slice(0, 10).split('-');
  const first = document.entries[0]?.sequenceNumber ?? 'none';
  const name = [document.shardId, first, document.invocationId].map(pathSafe).join('-');
  return ['rejected', pathSafe(document.pipeline), year, month, day, `${name}.json`].join('/');
}

/** What can neither climb out of a folder nor need escaping. */
function pathSafe(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_') || '_';
}

function toFolder(folder: string): Write {
  return async (key, text) => {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    // Renamed when it is whole and on the disk: whoever lists the folder never sees half a document.
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await writeThrough(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  };
}

async function writeThrough(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w');
  await file.writeFile(text);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function toS3(bucket: string, s3: () => Promise<S3>): Write {
  let client: Promise<S3> | undefined;
  return async (key, text) => {
    client ??= s3();
    const [{ PutObjectCommand }, opened] = await Promise.all([import('@aws-sdk/client-s3'), client]);
    const object = { Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' };
    await opened.send(new PutObjectCommand(object));
  };
}

/** Loaded when something is to be stored: most invocations reject nothing, and a cold start is short without it. */
async function loadS3(): Promise<S3> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({ requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 } });
}
