// Several manifests of one stream, held against each other: which of them takes a record, and which records none takes.

import { publishedFormat } from '../../lib/formats.ts';
import { parseJson } from '../../lib/forward/json/check.ts';
import { decode } from '../../lib/forward/read/decode.ts';
import { createDecoding, type Decoding } from '../../lib/forward/read/decoding.ts';
import { createConditions, type Looked, lookedAt } from '../../lib/forward/transform/conditions.ts';
import type { InletSource, Manifest } from '../../lib/manifest.ts';
import { streamNameOf } from '../../lib/published.ts';
import type { Samples } from '../../lib/samples.ts';
import type { Line } from '../start/records.ts';

export interface Checked {
  readonly file: string;
  readonly manifest: Manifest;
  readonly samples: Samples | undefined;
}

export interface RoutesChecked {
  readonly mistakes: readonly string[];
  readonly lines: readonly string[];
}

type Route = Checked & { readonly source: InletSource; readonly takes: (record: Looked) => boolean };

/** More than these are counted, not listed. */
const MAX_LISTED = 5;

/**
 * Compares the manifests that name the same stream.
 * @param records of the stream, in place of the samples of the manifests
 * @returns one for each stream that several pipelines name
 */
export async function checkRoutes(
  all: readonly Checked[],
  records: (() => AsyncIterable<Line>) | undefined,
): Promise<RoutesChecked[]> {
  const routes = all.flatMap(routeOf);
  const results: RoutesChecked[] = [];
  for (const [stream, own] of Map.groupBy(routes, ({ source }) => nameOf(source))) {
    if (new Set(own.map(({ manifest }) => manifest.name)).size < 2) continue;
    const mistakes = differing(own);
    const tally = createTally(own);
    if (records === undefined) for (const one of own) tally.samples(one);
    else if (mistakes.length === 0) await tally.records(records(), decodingOf(own[0] as Route));
    results.push({ mistakes, lines: [`routes  stream ${stream}: ${tally.text()}`, ...tally.listed()] });
  }
  return results;
}

function routeOf(one: Checked): Route[] {
  const { source } = one.manifest;
  if (source.kind !== 'inlet') return [];
  const { where } = source.records ?? {};
  return [{ ...one, source, takes: where === undefined ? () => true : createConditions(where) }];
}

function nameOf({ stream }: InletSource): string {
  return stream.startsWith('arn:') ? streamNameOf(stream) : stream;
}

function decodingOf({ source }: Route): Decoding {
  const format = publishedFormat(source.format);
  return createDecoding({ compression: source.compression, ...(format !== undefined && { format }) });
}

/** What belongs to the stream, and so must be the same in all of its manifests. */
function sharedOf({ compression, format }: InletSource): Record<string, unknown> {
  return { compression, format: publishedFormat(format) ?? 'json' };
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

interface Tally {
  samples(route: Route): void;
  records(lines: AsyncIterable<Line>, decoding: Decoding): Promise<void>;
  text(): string;
  listed(): string[];
}

function createTally(routes: readonly Route[]): Tally {
  const taken = new Map(routes.map(({ manifest }) => [manifest.name, 0]));
  const several: string[] = [];
  const none: string[] = [];
  let [looked, unreadable] = [0, 0];

  const look = (record: Looked, what: string) => {
    looked++;
    const names = routes.filter(({ takes }) => takes(record)).map(({ manifest }) => manifest.name);
    for (const name of names) taken.set(name, (taken.get(name) ?? 0) + 1);
    if (names.length === 0) none.push(what);
    if (names.length > 1) several.push(`${what} (${names.join(', ')})`);
  };

  return {
    samples({ file, samples = [] }) {
      samples.forEach((sample, at) => {
        const { record } = sample;
        const json = Buffer.from(typeof record === 'string' ? record : JSON.stringify(record));
        look(lookedAt(JSON.parse(json.toString()), json), `sample ${sample.name ?? at + 1} of ${file}`);
      });
    },
    async records(lines, decoding) {
      for await (const { number, bytes } of lines) {
        const kinesis = { sequenceNumber: String(number), data: bytes.toString('base64') };
        for (const part of decode({ eventSourceARN: 'file', kinesis }, decoding)) {
          const parsed = 'payload' in part ? parseJson(part.payload) : part.verdict;
          if ('kind' in parsed) unreadable++;
          else look(lookedAt(parsed.value, parsed.json), `line ${number}`);
        }
      }
    },
    text() {
      const counts = [...taken].map(([name, count]) => `${name} ${count}`).join(', ');
      const rest = [
        several.length > 0 ? `${several.length} by more than one` : '',
        none.length > 0 ? `${none.length} by none` : '',
        unreadable > 0 ? `${unreadable} cannot be read` : '',
      ].filter(Boolean);
      return `${looked} looked at: ${[counts, ...rest].join('; ')}`;
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
