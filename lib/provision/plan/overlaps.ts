// Tells which routes of a stream take the same records, and which records none of them takes.
import { createConditions, lookedAt } from '../../conditions.ts';
import { isFailure } from '../../failure.ts';
import { publishedFormat } from '../../formats.ts';
import type { InletSource } from '../../manifest.ts';
import { readDocument } from '../../published.ts';
import type { Condition } from '../../records.ts';
import type { RouteList } from '../../route-list.ts';
import type { LedgerRuntime } from '../../runtime.ts';
import { type Sample, type Samples, sampleText } from '../../samples.ts';
import { clip } from '../clip.ts';
import { othersIn } from '../routes.ts';

/** A route, by what decides which records it takes. */
export interface Taking {
  readonly pipeline: string;
  /** Absent: it takes every record. */
  readonly where: readonly Condition[] | undefined;
}

/** The stream's other routes. */
export interface Others {
  readonly known: readonly Taking[];
  /** Pipelines whose document cannot be read: the steps that need it say why. */
  readonly unread: readonly string[];
}

/** More than these are counted, not named. */
const MAX_NAMED = 5;
/** Bytes of a sample's name. */
const MAX_SAMPLE_NAME = 30;

/** What is published of the others, as the forwarder has it. */
export async function otherRoutes(
  list: RouteList | undefined,
  pipeline: string,
  runtime: LedgerRuntime,
): Promise<Others> {
  const names = othersIn(list, pipeline);
  const found = await Promise.all(
    names.map((name) => takingOf(name, list as RouteList, runtime).catch(unlessDamaged)),
  );
  return {
    known: found.filter((one) => one !== undefined),
    unread: names.filter((_, at) => found[at] === undefined),
  };
}

async function takingOf(
  name: string,
  { streamArn, routes }: RouteList,
  runtime: LedgerRuntime,
): Promise<Taking | undefined> {
  const document = (await readDocument(runtime, streamArn, routes[name] ?? {}, name))?.pipeline;
  return document && { pipeline: name, where: document.records?.where };
}

/** What is wrong with another pipeline is no fault of this one. */
function unlessDamaged(error: unknown): undefined {
  if (!isFailure(error) || error.retryable) throw error;
}

/** How many samples there are, and which of them go where. */
interface SampleCounts {
  readonly looked: number;
  /** By pipeline. */
  readonly taken: ReadonlyMap<string, number>;
  readonly several: readonly string[];
  readonly none: readonly string[];
}

/**
 * In one line: which routes take everything, which have the same conditions, and how many of the samples go where.
 * Empty if the stream has no other route.
 */
export function overlapText(
  own: Taking,
  source: InletSource,
  { known, unread }: Others,
  samples: Samples | undefined,
): string {
  if (known.length + unread.length === 0) return '';
  const all = [own, ...known];
  const isWhole = unread.length === 0;
  const parts = [
    ...(isWhole ? [] : [`what ${namesText(unread)} takes is not known`]),
    takingAllText(all),
    ...sameWhereText(own, known),
    ...(isWhole && all.every(({ where }) => where !== undefined) ? [LEFT[source.unrouted]] : []),
    ...(samples !== undefined && areAsProduced(source) ? [countsText(all, samples, isWhole)] : []),
  ];
  return parts.join('; ');
}

const LEFT = {
  count: 'a record that none of them takes is counted as unrouted',
  keep: 'a record that none of them takes is kept as a reject (unrouted)',
} as const;

function takingAllText(all: readonly Taking[]): string {
  const open = all.filter(({ where }) => where === undefined).map(({ pipeline }) => pipeline);
  if (open.length === 0) return 'each takes what meets its own source.records.where';
  const [verb, takes] = open.length === 1 ? ['has', 'takes'] : ['have', 'take'];
  return `${namesText(open)} ${verb} no source.records.where and ${takes} every record`;
}

/** Two lists of conditions are the same in any order: all of them have to be met. */
function sameWhereText(own: Taking, known: readonly Taking[]): string[] {
  if (own.where === undefined) return [];
  const key = whereKey(own.where);
  const same = known.filter(({ where }) => where !== undefined && whereKey(where) === key);
  if (same.length === 0) return [];
  const names = namesText(same.map(({ pipeline }) => pipeline));
  return [
    `${own.pipeline} has the same source.records.where as ${names}: a record of one goes to the others too`,
  ];
}

function whereKey(where: readonly Condition[]): string {
  return JSON.stringify(where.map((one) => JSON.stringify(one)).sort());
}

/**
 * Samples are what Data Prep is given. They stand for records of the stream where nothing is taken out of those, and
 * nothing is hidden in them.
 */
function areAsProduced({ format, records }: InletSource): boolean {
  return (
    publishedFormat(format) === undefined && records?.select === undefined && records?.redact === undefined
  );
}

function countsText(all: readonly Taking[], samples: Samples, isWhole: boolean): string {
  const { looked, taken, several, none } = countsOf(all, samples);
  const parts = [
    [...taken].map(([name, count]) => `${name} takes ${count}`).join(', '),
    ...(several.length > 0 ? [`more than one takes ${namesText(several)}`] : []),
    ...(none.length > 0 && isWhole ? [`none takes ${namesText(none)}`] : []),
  ];
  return `of ${looked} ${looked === 1 ? 'sample' : 'samples'} ${parts.join('; ')}`;
}

function countsOf(all: readonly Taking[], samples: Samples): SampleCounts {
  const routes = all.map(({ pipeline, where }) => ({
    pipeline,
    takes: where === undefined ? () => true : createConditions(where),
  }));
  const taken = new Map(all.map(({ pipeline }) => [pipeline, 0]));
  const several: string[] = [];
  const none: string[] = [];
  for (const [at, sample] of samples.entries()) {
    const looked = lookedAtSample(sample);
    const takers = routes.filter(({ takes }) => takes(looked)).map(({ pipeline }) => pipeline);
    const name = clip(sample.name ?? `sample ${at + 1}`, MAX_SAMPLE_NAME);
    for (const pipeline of takers) taken.set(pipeline, (taken.get(pipeline) ?? 0) + 1);
    if (takers.length === 0) none.push(name);
    if (takers.length > 1) several.push(`${name} (${namesText(takers)})`);
  }
  return { looked: samples.length, taken, several, none };
}

function lookedAtSample(sample: Sample) {
  const text = sampleText(sample);
  return lookedAt(JSON.parse(text), Buffer.from(text));
}

/** Such as `a, b and 3 more`. */
function namesText(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return more > 0 ? `${names.slice(0, MAX_NAMED).join(', ')} and ${more} more` : names.join(', ');
}
