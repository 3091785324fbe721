// What is in the dead-letter store, by pipeline: read again only where a file has changed.
import { hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeadLetter, DeadLetterDocument } from '../../lib/runtime.ts';

/** A message in the store, and where it lies. */
export interface Stored {
  /** The same for the same message, however often it was stored. */
  readonly id: string;
  readonly pipeline: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly storedAt: string;
  /** Below the store's folder. */
  readonly file: string;
  readonly entry: DeadLetter;
}

export interface Store {
  /** Every rejected message once: an invocation that is repeated stores its rejects again. */
  rejected(): Promise<readonly Stored[]>;
}

const FOLDER = 'rejected';
/** Before that the folder is not looked at again, in ms. */
const FRESH_MS = 400;

interface Seen {
  readonly changed: string;
  readonly stored: readonly Stored[];
}

export function createStore(folder: string, now: () => number = Date.now): Store {
  const files = new Map<string, Seen>();
  let at = Number.NEGATIVE_INFINITY;
  let known: Promise<readonly Stored[]> = Promise.resolve([]);
  return {
    rejected() {
      if (now() - at < FRESH_MS) return known;
      at = now();
      known = read(folder, files);
      return known;
    },
  };
}

async function read(folder: string, files: Map<string, Seen>): Promise<readonly Stored[]> {
  const names = await readdir(join(folder, FOLDER), { recursive: true }).catch(() => []);
  const present = new Set<string>();
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const file = join(FOLDER, name);
    // One that redrive has just taken away is none.
    const found = await stat(join(folder, file)).catch(() => undefined);
    if (found === undefined) continue;
    present.add(file);
    const changed = `${found.mtimeMs} ${found.size}`;
    if (files.get(file)?.changed !== changed)
      files.set(file, { changed, stored: await storedIn(folder, file) });
  }
  for (const file of files.keys()) if (!present.has(file)) files.delete(file);
  const once = new Map<string, Stored>();
  for (const { stored } of files.values()) for (const one of stored) once.set(one.id, one);
  return [...once.values()];
}

function idOf(pipeline: string, { sequenceNumber, subSequenceNumber, reason, data }: DeadLetter): string {
  return hash(
    'sha256',
    JSON.stringify([pipeline, sequenceNumber, subSequenceNumber, reason, data.length]),
  ).slice(0, 20);
}

async function storedIn(folder: string, file: string): Promise<readonly Stored[]> {
  try {
    const document = JSON.parse(await readFile(join(folder, file), 'utf8')) as DeadLetterDocument;
    const { pipeline, streamArn, shardId, storedAt, entries } = document;
    return entries.map((entry) => ({
      id: idOf(pipeline, entry),
      pipeline,
      streamArn,
      shardId,
      storedAt,
      file,
      entry,
    }));
  } catch {
    // It is being written: its size changes, so it is read again.
    return [];
  }
}
