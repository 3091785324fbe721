// The account of a journey: what the producer wrote against what the platform took in and what the store holds.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeadLetterDocument } from '../../lib/runtime.ts';
import type { Expected } from './expected.ts';
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
  /** What these lines hold: several each where they are aggregates, or in a format of several messages. */
  readonly messages: number;
  /** Records the platform says it received, copies included. */
  readonly received: number;
  /** Copies among them: delivery is at least once. */
  readonly copies: number;
  /** Messages that the manifest does not want, or its format passes over. */
  readonly filtered: number;
  /** What is in the dead-letter store, by line. */
  readonly rejected: readonly Rejected[];
  /** What Kinesis itself cannot take, and so is nowhere but in its file. */
  readonly unsent: readonly Rejected[];
  /** What the platform says became of what it received. */
  readonly landed: number;
  /** Applied to Profile alone: no row lands in the dataset. */
  readonly profileOnly: number;
  readonly refusedLater: number;
  /** Lines that the platform reads by itself and keeps nothing of: it cannot read what is in them. */
  readonly dropped: readonly Rejected[];
  readonly lost: number;
  /** Lines that are nowhere: neither was all of their record received, nor are they in the dead-letter store. */
  readonly missing: readonly number[];
  /** Records the platform received that nobody wrote. */
  readonly phantoms: number;
  /** Whether all of it adds up. */
  readonly complete: boolean;
}

/** What the producer wrote, and what is to become of it. */
export interface Written extends Produced {
  /** Which of the stream's routes this is about; absent where there is one alone, or AEP reads by itself. */
  readonly route?: RouteEnds;
  /** By sequence number: what the pipelines that may have forwarded it make of a record. */
  readonly expected: ReadonlyMap<string, readonly Expected[]>;
  /** What a platform that reads by itself will drop; none where an inlet is fed. */
  readonly dropped?: readonly Rejected[];
}

/** Where the records of a route end. */
export interface RouteEnds {
  readonly pipeline: string;
  readonly inletIds: ReadonlySet<string>;
  readonly datasetIds: ReadonlySet<string>;
}

type Totals = Pick<Account, 'received' | 'landed' | 'refusedLater' | 'profileOnly' | 'lost'>;

/** Compares what the producer wrote with what the platform took in and what the store holds. */
export async function account(stack: Stack, written: Written): Promise<Account> {
  const { route, dropped = [] } = written;
  const droppedThere = route === undefined ? stack.platform.platform.state.counts.dropped : 0;
  const taken = stack.witness.received(route?.inletIds);
  const { received, landed, refusedLater, profileOnly, lost } = totalsOf(stack, route, taken);
  const kept = await deadLetters(stack.deadLettersFolder, route?.pipeline);
  const stored = kept
    .map(({ sequenceNumber, reason, message }) => ({
      line: written.lineOf.get(sequenceNumber) ?? 0,
      reason,
      message,
    }))
    .sort((a, b) => a.line - b.line);
  const unsent = written.refused.map(({ line, reason }) => ({ line, reason: 'not-sent', message: reason }));
  const { found, filtered, missing, messages } = matched(written, kept, taken);
  const phantoms = phantomsIn(written, taken);
  return {
    produced: written.lineOf.size + unsent.length,
    messages: messages + unsent.length,
    received,
    copies: Math.max(0, received - found - phantoms),
    filtered,
    rejected: stored,
    unsent,
    landed,
    profileOnly,
    refusedLater,
    dropped,
    lost,
    missing,
    phantoms,
    complete:
      missing.length === 0 &&
      phantoms === 0 &&
      received === landed + refusedLater + profileOnly &&
      lost === 0 &&
      // A flow that takes over reads them once more.
      droppedThere >= dropped.length &&
      (droppedThere === 0) === (dropped.length === 0) &&
      stored.every(({ line }) => line > 0),
  };
}

/** What the platform says of all that it took in, or of what came by a route. */
function totalsOf(
  { platform }: Stack,
  route: RouteEnds | undefined,
  taken: ReadonlyMap<string, number>,
): Totals {
  const { counts, losses, sandboxes } = platform.platform.state;
  if (route === undefined) return { ...counts, refusedLater: counts.refused };
  const tallies = [...sandboxes.values()].flatMap((sandbox) =>
    [...sandbox.tallies].filter(([datasetId]) => route.datasetIds.has(datasetId)).map(([, tally]) => tally),
  );
  const sumOf = (name: 'landed' | 'refused' | 'profileOnly') =>
    tallies.reduce((sum, tally) => sum + tally[name], 0);
  const ownLosses = [...losses.values()].filter(({ inletId }) => route.inletIds.has(inletId));
  return {
    received: [...taken.values()].reduce((sum, count) => sum + count, 0),
    landed: sumOf('landed'),
    refusedLater: sumOf('refused'),
    profileOnly: sumOf('profileOnly'),
    lost: ownLosses.reduce((sum, { messages }) => sum + messages, 0),
  };
}

/** What was refused later, by line: told from its record; 0 where that is not one line's alone. */
export function refusedLines(refusals: readonly Refusal[], written: Written): Rejected[] {
  const lines = new Map<string, number[]>();
  for (const [sequenceNumber, line] of written.lineOf) {
    for (const identity of identitiesOf(written, sequenceNumber)) {
      const same = lines.get(identity);
      if (same === undefined) lines.set(identity, [line]);
      else same.push(line);
    }
  }
  return refusals
    .map(({ record, why }) => ({
      line: lines.get(identityOf(record))?.shift() ?? 0,
      reason: 'refused-later',
      message: why,
    }))
    .sort((a, b) => a.line - b.line);
}

/** Lines that no route takes, told by what each route makes of them. */
export function unroutedLines(routes: readonly Written[]): number[] {
  const [first] = routes;
  if (first === undefined) return [];
  const takesNothing = ({ sent, rejected, unrouted = 0 }: Expected) =>
    sent.length === 0 && rejected === unrouted;
  return [...first.lineOf]
    .filter(([sequenceNumber]) =>
      routes.every(({ expected }) => (expected.get(sequenceNumber) ?? []).every(takesNothing)),
    )
    .map(([, line]) => line);
}

function identitiesOf({ expected }: Written, sequenceNumber: string): Set<string> {
  return new Set(expected.get(sequenceNumber)?.flatMap(({ sent }) => sent));
}

/** Writes every line that did not land, with its reason, as NDJSON beside the store; returns the file, if there is one. */
export async function writeLists(
  folder: string,
  { rejected, unsent, dropped }: Pick<Account, 'rejected' | 'unsent' | 'dropped'>,
  later: readonly Rejected[],
): Promise<string | undefined> {
  const all = [...unsent, ...rejected, ...dropped, ...later].sort((a, b) => a.line - b.line);
  if (all.length === 0) return undefined;
  const file = join(folder, 'not-landed.ndjson');
  await writeFile(file, all.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return file;
}

/**
 * Finds every message of every line again: in what was received, or in the store. Equal records are told apart by
 * number alone: each needs one of its own.
 */
function matched(
  written: Written,
  kept: readonly StoredEntry[],
  received: ReadonlyMap<string, number>,
): { found: number; filtered: number; missing: number[]; messages: number } {
  const left = new Map(received);
  const stored = new Map<string, number>();
  for (const { sequenceNumber } of kept) stored.set(sequenceNumber, (stored.get(sequenceNumber) ?? 0) + 1);
  const missing: number[] = [];
  const dropped = new Set(written.dropped?.map(({ line }) => line));
  let [found, filtered, messages] = [0, 0, 0];
  for (const [sequenceNumber, line] of written.lineOf) {
    const inStore = stored.get(sequenceNumber) ?? 0;
    const ways = dropped.has(line) ? [] : (written.expected.get(sequenceNumber) ?? []);
    const way =
      ways.find(({ sent, rejected }) => rejected === inStore && lackingIn(left, sent) === 0) ??
      // What was to be sent is in the store where the platform refused it.
      ways.find(({ sent, rejected }) => rejected + lackingIn(left, sent) <= inStore);
    if (way === undefined && !dropped.has(line)) missing.push(line);
    found += way?.sent.filter((one) => isTaken(left, one)).length ?? 0;
    filtered += way?.filtered ?? 0;
    messages += way === undefined ? 1 : way.sent.length + way.filtered + way.rejected;
  }
  return { found, filtered, missing: missing.sort((a, b) => a - b), messages };
}

/** How many of them cannot be taken, equal ones each by itself. */
function lackingIn(left: ReadonlyMap<string, number>, sent: readonly string[]): number {
  const rest = new Map(sent.map((one) => [one, left.get(one) ?? 0]));
  return sent.filter((one) => !isTaken(rest, one)).length;
}

/** Takes one of these, where there is one left. */
function isTaken(left: Map<string, number>, one: string): boolean {
  const count = left.get(one) ?? 0;
  if (count > 0) left.set(one, count - 1);
  return count > 0;
}

type StoredEntry = DeadLetterDocument['entries'][number];

/**
 * What is in the dead-letter store of all pipelines, or of one. Each message stands once: an invocation that is repeated
 * stores its rejects again.
 */
async function deadLetters(folder: string, pipeline: string | undefined): Promise<StoredEntry[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = new Map<string, StoredEntry>();
  for (const file of files) {
    if (!file.isFile() || !file.name.endsWith('.json')) continue;
    const document = JSON.parse(
      await readFile(join(file.parentPath, file.name), 'utf8'),
    ) as DeadLetterDocument;
    if (pipeline !== undefined && document.pipeline !== pipeline) continue;
    for (const entry of document.entries)
      entries.set(JSON.stringify([entry.sequenceNumber, entry.subSequenceNumber]), entry);
  }
  return [...entries.values()];
}

function phantomsIn(written: Written, received: ReadonlyMap<string, number>): number {
  const own = new Set([...written.lineOf.keys()].flatMap((one) => [...identitiesOf(written, one)]));
  return [...received].reduce((sum, [identity, count]) => (own.has(identity) ? sum : sum + count), 0);
}
