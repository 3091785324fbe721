// Several manifests of one stream, held against each other: which of them takes a record, and which records none takes.
import { publishedFormat } from '../../lib/formats.ts';
import type { InletSource, Manifest } from '../../lib/manifest.ts';
import { streamNameOf } from '../../lib/published.ts';
import { type Samples, sampleText } from '../../lib/samples.ts';
import type { Line } from '../start/records.ts';
import { bytesOf, createOutcomes, type OutcomesOf, type StreamRecords, standInFor } from './records-check.ts';

export interface Checked {
  readonly file: string;
  readonly manifest: Manifest;
  readonly samples: Samples | undefined;
  /** Records as they stand in the stream, if there is a file of them. */
  readonly records: StreamRecords | undefined;
}

export interface RoutesChecked {
  readonly mistakes: readonly string[];
  readonly lines: readonly string[];
}

type Route = Checked & { readonly source: InletSource; readonly outcomesOf: OutcomesOf };

/** More than these are counted, not listed. */
const MAX_LISTED = 5;

/**
 * Compares the manifests that name the same stream.
 * @param records of the stream, in place of what lies beside the manifests
 * @returns one for each stream that several pipelines name; with records, for each stream
 */
export async function checkRoutes(
  all: readonly Checked[],
  records: (() => AsyncIterable<Line>) | undefined,
): Promise<RoutesChecked[]> {
  const results: RoutesChecked[] = [];
  for (const [stream, own] of Map.groupBy(all.flatMap(routeOf), ({ source }) =>
    streamNameOf(source.stream),
  )) {
    // A file of records is counted for one pipeline as well: somebody asks what it takes.
    const isShared = new Set(own.map(({ manifest }) => manifest.name)).size > 1;
    if (!isShared && records === undefined) continue;
    const mistakes = differing(own);
    const tally = createTally(own);
    if (mistakes.length === 0) {
      for await (const [bytes, what] of records === undefined ? besideAll(own) : linesOf(records()))
        await tally.look(bytes, what);
    }
    if (mistakes.length === 0 && records !== undefined && !tally.hasMessages())
      mistakes.push(
        `no line is a record of the stream ${stream}: the records must be of its format, one a line`,
      );
    results.push({ mistakes, lines: [`routes  stream ${stream}: ${tally.text()}`, ...tally.listed()] });
  }
  return results;
}

function routeOf(one: Checked): Route[] {
  const { source } = one.manifest;
  const pipeline = standInFor(one.manifest);
  if (source.kind !== 'inlet' || pipeline === undefined) return [];
  return [{ ...one, source, outcomesOf: createOutcomes(pipeline) }];
}

/** What belongs to the stream, and so must be the same in all of its manifests. */
function sharedOf({ compression, format, fanOut = false, unrouted }: InletSource): Record<string, unknown> {
  return { compression, format: publishedFormat(format) ?? 'json', fanOut, unrouted };
}

function differing([first, ...others]: readonly Route[]): string[] {
  if (first === undefined) return [];
  return others.flatMap((other) =>
    Object.entries(sharedOf(first.source)).flatMap(([name, value]) => {
      const [own, its] = [JSON.stringify(value), JSON.stringify(sharedOf(other.source)[name])];
      if (own === its) return [];
      return [
        `${first.file} and ${other.file} name one stream, and must have the same source.${name}: ${own} and ${its}`,
      ];
    }),
  );
}

async function* linesOf(lines: AsyncIterable<Line>): AsyncGenerator<[Buffer, string]> {
  for await (const { number, bytes } of lines) yield [bytes, `line ${number}`];
}

/** What lies beside the manifests: their records, or the samples of those that send their records as they are. */
function* besideAll(routes: readonly Route[]): Generator<[Buffer, string]> {
  for (const { file, records, samples = [], source } of routes) {
    for (const [at, one] of (records ?? []).entries())
      yield [bytesOf(one), `record ${one.name ?? at + 1} of ${file}`];
    if (records !== undefined || publishedFormat(source.format) !== undefined) continue;
    if (source.records?.select !== undefined) continue;
    for (const [at, sample] of samples.entries())
      yield [Buffer.from(sampleText(sample)), `sample ${sample.name ?? at + 1} of ${file}`];
  }
}

interface Tally {
  look(bytes: Buffer, what: string): Promise<void>;
  /** Whether any was sound. */
  hasMessages(): boolean;
  text(): string;
  listed(): string[];
}

function createTally(routes: readonly Route[]): Tally {
  const taken = new Map(routes.map(({ manifest }) => [manifest.name, 0]));
  const several: string[] = [];
  const none: string[] = [];
  let [looked, unreadable] = [0, 0];
  return {
    async look(bytes, what) {
      const outcomes = await Promise.all(routes.map(({ outcomesOf }) => outcomesOf(bytes)));
      for (const at of (outcomes[0] ?? []).keys()) {
        const own = outcomes.map((messages) => messages[at]);
        if (
          own.every(
            (outcome) => outcome !== undefined && typeof outcome === 'object' && 'rejected' in outcome,
          )
        ) {
          unreadable++;
          continue;
        }
        looked++;
        const names = routes
          .filter((_, index) => own[index] !== 'filtered')
          .map(({ manifest }) => manifest.name);
        for (const name of names) taken.set(name, (taken.get(name) ?? 0) + 1);
        if (names.length === 0) none.push(what);
        if (names.length > 1) several.push(`${what} (${names.join(', ')})`);
      }
    },
    hasMessages: () => looked > 0,
    text() {
      const counts = [...taken].map(([name, count]) => `${name} ${count}`).join(', ');
      const rest = [
        several.length > 0 ? `${several.length} by more than one` : '',
        none.length > 0 ? `${none.length} by none` : '',
        unreadable > 0 ? `${unreadable} rejected` : '',
      ].filter(Boolean);
      return `${looked} messages: ${[counts, ...rest].join('; ')}`;
    },
    listed: () => [...shown('more than one takes', several), ...shown('none takes', none)],
  };
}

function shown(what: string, all: readonly string[]): string[] {
  const more = all.length - MAX_LISTED;
  return [
    ...all.slice(0, MAX_LISTED).map((one) => `  ${what} ${one}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}
