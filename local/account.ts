// The account of a journey: what the producer wrote against what the platform took in and what the store holds.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UndeliveredDocument } from '../lib/runtime.ts';
import type { Produced } from './producer.ts';
import type { Refusal, Stack } from './stack.ts';
import { identityOf } from './witness.ts';

export interface Rejected {
  readonly line: number;
  readonly reason: string;
  readonly message: string;
}

/** What became of the records; every number from a witness of its own. */
export interface Account {
  /** Lines the producer wrote. */
  readonly produced: number;
  /** Records the platform says it received, copies included. */
  readonly received: number;
  /** Copies among them: delivery is at least once. */
  readonly copies: number;
  /** What is in the undelivered store, by line. */
  readonly rejected: readonly Rejected[];
  /** What Kinesis itself cannot take, and so is nowhere but in its file. */
  readonly unsent: readonly Rejected[];
  /** What the platform says became of what it received. */
  readonly landed: number;
  readonly refusedLater: number;
  readonly lost: number;
  /** Lines that are nowhere: neither was their record received, nor are they in the undelivered store. */
  readonly missing: readonly number[];
  /** Records the platform received that nobody wrote; not told where lines cannot be recognised. */
  readonly phantoms: number;
  /** Whether all of it adds up. */
  readonly complete: boolean;
}

/** What the producer wrote, as its witness remembers it. */
export interface Written extends Produced {
  /** What tells the records apart, by line; a line without a record in it has none. */
  readonly identities: ReadonlyMap<number, string>;
}

/** Compares what the producer wrote with what the platform took in and what the store holds. */
export async function account(stack: Stack, written: Written): Promise<Account> {
  const { received, landed, refused, lost } = stack.platform.platform.state.counts;
  const stored = [...(await undelivered(stack.undeliveredFolder))]
    .map(([sequenceNumber, { reason, message }]) => ({
      line: written.lineOf.get(sequenceNumber) ?? 0,
      reason,
      message,
    }))
    .sort((a, b) => a.line - b.line);
  const unsent = written.refused.map(({ line, reason }) => ({ line, reason: 'not-sent', message: reason }));
  const missing = missingLines(written, stored, stack.witness.received);
  const phantoms = phantomsIn(written, stack.witness.received);
  return {
    produced: written.lineOf.size + unsent.length,
    received,
    copies: Math.max(0, received + stored.length + missing.length - written.lineOf.size),
    rejected: stored,
    unsent,
    landed,
    refusedLater: refused,
    lost,
    missing,
    phantoms,
    complete:
      missing.length === 0 &&
      phantoms === 0 &&
      received === landed + refused &&
      lost === 0 &&
      stored.every(({ line }) => line > 0),
  };
}

/** What was refused later, by line: told from its record; 0 where that is not one line's alone. */
export function refusedLines(refusals: readonly Refusal[], written: Written): Rejected[] {
  const lines = new Map<string, number[]>();
  for (const [line, identity] of written.identities) {
    const same = lines.get(identity);
    if (same === undefined) lines.set(identity, [line]);
    else same.push(line);
  }
  return refusals
    .map(({ record, why }) => ({
      line: lines.get(identityOf(record))?.shift() ?? 0,
      reason: 'refused-later',
      message: why,
    }))
    .sort((a, b) => a.line - b.line);
}

/** Writes every line that did not land, with its reason, as NDJSON beside the store; returns the file, if there is one. */
export async function writeLists(
  folder: string,
  { rejected, unsent }: Account,
  later: readonly Rejected[],
): Promise<string | undefined> {
  const all = [...unsent, ...rejected, ...later].sort((a, b) => a.line - b.line);
  if (all.length === 0) return undefined;
  const file = join(folder, 'not-landed.ndjson');
  await writeFile(file, all.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return file;
}

/** Equal lines are told apart by number alone: each needs a record of its own. */
function missingLines(
  written: Written,
  stored: readonly Rejected[],
  received: ReadonlyMap<string, number>,
): number[] {
  const kept = new Set(stored.map(({ line }) => line));
  const left = new Map(received);
  const missing: number[] = [];
  const unknown: number[] = [];
  for (const line of written.lineOf.values()) {
    if (kept.has(line)) continue;
    const identity = written.identities.get(line);
    const count = left.get(identity ?? '') ?? 0;
    if (identity === undefined) unknown.push(line);
    else if (count === 0) missing.push(line);
    else left.set(identity, count - 1);
  }
  // Lines only the forwarder can read (compressed, aggregated) cannot be recognised: for each there must be a record that
  // no other line has.
  const own = new Set(written.identities.values());
  const over = [...left].reduce((sum, [identity, count]) => (own.has(identity) ? sum : sum + count), 0);
  missing.push(...unknown.slice(over));
  return missing.sort((a, b) => a - b);
}

/** What is in the undelivered store, by sequence number: an invocation that is repeated stores its rejects again. */
async function undelivered(folder: string): Promise<Map<string, UndeliveredDocument['entries'][number]>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = new Map<string, UndeliveredDocument['entries'][number]>();
  for (const file of files) {
    if (!file.isFile() || !file.name.endsWith('.json')) continue;
    const document = JSON.parse(
      await readFile(join(file.parentPath, file.name), 'utf8'),
    ) as UndeliveredDocument;
    for (const entry of document.entries) entries.set(entry.sequenceNumber, entry);
  }
  return entries;
}

function phantomsIn({ lineOf, identities }: Written, received: ReadonlyMap<string, number>): number {
  const all = [...lineOf.values()].every((line) => identities.has(line));
  if (!all) return 0;
  const own = new Set(identities.values());
  return [...received.keys()].filter((identity) => !own.has(identity)).length;
}
