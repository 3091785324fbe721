// The dead-letter store, in S3 or in a folder: an object for each invocation that rejects or parks, and Lambda's own
// documents.
import { fileURLToPath } from 'node:url';
import { MAX_OBJECT_BYTES, MAX_WRITTEN_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';
import type { DeadLetterDocument, DeadLetterStore, DeadLettersOnce, DocumentKind } from '../runtime.ts';
import { createClaims } from './claims.ts';
import type { Objects } from './objects.ts';
import { objectsInFolder } from './objects-folder.ts';
import { objectsInS3, type S3 } from './objects-s3.ts';

export type { S3 } from './objects-s3.ts';

/** Where Lambda puts what it discards, in the bucket itself. AWS: "Capturing discarded batches", S3. */
const ON_FAILURE = 'aws/lambda/';

/**
 * The store at `url`: `s3://bucket/prefix` or `file:///folder`. Nothing is opened before it is first used.
 * @param s3 makes the S3 client; by default the SDK is loaded, and only then
 * @throws Failure `SETTINGS_INVALID` for any other URL; from each method `STORE_UNAVAILABLE`, and `TOO_LARGE` for an
 * object that is too large
 */
export function createDeadLetters(url: string, s3?: () => Promise<S3>): DeadLetterStore & DeadLettersOnce {
  const { objects, prefix } = storeAt(url, s3);
  const below = (...parts: readonly string[]) => [prefix, ...parts].filter(Boolean).join('/');
  const claims = createClaims(objects, (key, number) => below('claims', `${key}.${number}.claim`));
  return {
    put: (document, kind = 'rejected') =>
      storeCall('writing to', async () => {
        const key = below(objectKey(document, kind));
        let [pieces, entries] = [0, 0];
        for (const piece of documentPieces(document)) {
          await objects.write(pieceKey(key, pieces, kind), piece.text);
          pieces++;
          entries += piece.entries;
        }
        return { key, entries };
      }),
    putOnce: (key, document) =>
      storeCall('writing to', async () => {
        // The document of part of a batch, which is smaller than the largest object.
        const text = [...documentPieces(document, MAX_OBJECT_BYTES)].map((piece) => piece.text);
        if (text.length > 1)
          throw new Failure('TOO_LARGE', `a document has more than ${MAX_OBJECT_BYTES} bytes`);
        if (await objects.create(below(key), text[0] ?? '')) return 'stored';
        if ((await objects.read(below(key))) !== undefined) return 'already there';
        // Another write was under way, and its outcome is unknown.
        throw new Error('conflict');
      }),
    list: (what, after = '') =>
      storeCall('listing', () => {
        if (what.kind === 'on-failure') return objects.list(ON_FAILURE, after);
        const folder = `${below(what.kind, pathSafe(what.pipeline))}/`;
        // Keys begin with the day.
        const day = what.since?.slice(0, 10).replaceAll('-', '/') ?? '';
        return objects.list(folder, after === '' && day !== '' ? folder + day : after);
      }),
    read: (key) => storeCall('reading from', () => objects.read(key)),
    replace: (key, version, text) => storeCall('writing to', () => objects.replace(key, version, text)),
    remove: (key, version) => storeCall('removing from', () => objects.remove(key, version)),
    claim: (key, owner, now, until) =>
      storeCall('claiming from', () => claims.claim(key, { owner, until }, now)),
    release: (key, owner, now) => storeCall('releasing in', () => claims.release(key, owner, now)),
    noteLoss: (key, text) => storeCall('writing to', () => objects.write(below('lost', key), text)),
  };
}

async function storeCall<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new Failure('STORE_UNAVAILABLE', `${what} the dead-letter store: ${name}`, { cause: error });
  }
}

/** @throws Failure `SETTINGS_INVALID` */
function storeAt(url: string, s3?: () => Promise<S3>): { objects: Objects; prefix: string } {
  try {
    const { protocol, hostname, pathname, search, hash } = new URL(url);
    if (search === '' && hash === '' && protocol === 's3:' && hostname !== '') {
      return {
        objects: objectsInS3(hostname, s3),
        prefix: decodeURIComponent(pathname).replace(/^\/+|\/+$/g, ''),
      };
    }
    if (search === '' && hash === '' && protocol === 'file:')
      return { objects: objectsInFolder(fileURLToPath(url)), prefix: '' };
  } catch {
    // It is not a URL, or not one of a file: the error follows below.
  }
  throw new Failure(
    'SETTINGS_INVALID',
    'the dead-letter store is neither s3://bucket/prefix nor file:///folder',
  );
}

/**
 * Splits the document into documents of so many bytes at most; only a single entry may be larger. Their bytes are
 * counted entry by entry, as they are written.
 */
function* documentPieces(
  { entries, ...head }: DeadLetterDocument,
  most = MAX_WRITTEN_BYTES,
): Generator<{ text: string; entries: number }, void, undefined> {
  const opening = `${JSON.stringify(head).slice(0, -1)},"entries":[\n`;
  const piece = (lines: readonly string[]) => ({
    text: `${opening}${lines.join(',\n')}\n]}\n`,
    entries: lines.length,
  });
  const around = Buffer.byteLength(opening) + 4;
  let lines: string[] = [];
  let bytes = around;
  for (const entry of entries) {
    const line = JSON.stringify(entry);
    const more = Buffer.byteLength(line) + 2;
    if (lines.length > 0 && bytes + more > most) {
      yield piece(lines);
      lines = [];
      bytes = around;
    }
    lines.push(line);
    bytes += more;
  }
  yield piece(lines);
}

/**
 * `{kind}/{pipeline}/{yyyy}/{mm}/{dd}/{shard}-{firstSequenceNumber}-{invocationId}.json`: the same invocation has
 * the same key.
 */
function objectKey(document: DeadLetterDocument, kind: DocumentKind): string {
  const [year, month, day] = document.storedAt.slice(0, 10).split('-');
  const first = document.entries[0]?.sequenceNumber ?? 'none';
  const name = [document.shardId, first, document.invocationId].map(pathSafe).join('-');
  return [kind, pathSafe(document.pipeline), year, month, day, `${name}.json`].join('/');
}

/**
 * The second part of a document ends with `.1.json`. What is parked is sent in the order of its keys, so there it ends
 * with `.part0001.json`, which stands behind `.json`.
 */
function pieceKey(key: string, piece: number, kind: DocumentKind): string {
  if (piece === 0) return key;
  const name = kind === 'parked' ? `part${String(piece).padStart(4, '0')}` : String(piece);
  return key.replace(/json$/, `${name}.json`);
}

/** Characters that cannot lead out of a folder and need no escaping. */
function pathSafe(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_') || '_';
}
