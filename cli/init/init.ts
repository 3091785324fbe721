// From records to pipelines: reads them once or twice, and holds no more of them than a few samples.
import { MAX_SAMPLES_BYTES } from '../../lib/request-rules.ts';
import { type About, type Pipeline, pipelineOf } from './build.ts';
import { type FormatName, looksOf } from './formats.ts';
import type { Line } from './lines.ts';
import { pipelineName } from './names.ts';
import { createReader, type Message, type Read, type Reader } from './reader.ts';
import { createDividers, type Division, type Value } from './shapes.ts';
import { createTally, type Tally } from './tally.ts';

export interface InitOptions {
  /** What the pipeline is called; of several, what their names begin with. */
  readonly name: string;
  readonly sandbox: string;
  /** Name or ARN of the stream that the pipelines are to read. */
  readonly stream: string;
  readonly schemaPath?: string | undefined;
  /** The records from their beginning; asked for up to three times, and the same each time. */
  readonly lines: () => AsyncIterable<readonly Line[]>;
  /** Whether there are records that `lines` leaves out. */
  readonly isCut?: boolean | undefined;
  /** No more records are looked at. */
  readonly most?: number;
  readonly signal?: AbortSignal;
}

export interface Inferred {
  /** None where no record is sound. */
  readonly pipelines: readonly Pipeline[];
  readonly report: Report;
}

export interface Report {
  readonly format: FormatName | undefined;
  readonly isPacked: boolean;
  readonly records: number;
  readonly messages: number;
  /** Whether there are more records than were looked at. */
  readonly isCut: boolean;
  /** Messages that the format passes over, as heartbeats. */
  readonly filtered: number;
  readonly broken: readonly Broken[];
  /** How the records are divided, where they are. */
  readonly dividedBy: readonly string[] | undefined;
  readonly pipelines: readonly About[];
  readonly notes: readonly string[];
}

/** Records that no pipeline can deliver, by reason. */
export interface Broken {
  /** As the dead-letter store has it. */
  readonly reason: string;
  readonly count: number;
  /** The first of them, as an editor counts lines. */
  readonly lines: readonly number[];
}

export const MAX_RECORDS = 100_000;
/** So many tell the format. */
const FIRST = 200;
/** The most that is looked at of them: a record of a megabyte is told like any other. */
const MAX_FIRST_BYTES = 8 * 1024 * 1024;
const MAX_LISTED_LINES = 20;
const MAX_SAMPLES = 12;

/** Formats of which a message is all there is of it: a condition looks into the message itself. */
const WHOLE: ReadonlySet<FormatName | undefined> = new Set([
  undefined,
  'json-array',
  'json-lines',
  'json-sequence',
]);

/** @throws the errors of `lines`, and the reason of the signal */
export async function initPipelines(options: InitOptions): Promise<Inferred> {
  const { name, sandbox, stream, schemaPath } = options;
  const { format, isPacked } = looksOf(await firstOf(options.lines()));
  const read = createReader(format, stream, isPacked);
  const isWhole = WHOLE.has(format);
  const dividers = createDividers();
  const whole = createPart();
  const counts = createCounts(options.isCut);
  for await (const group of upTo(options, read)) {
    counts.add(group);
    for (const { messages, kind } of group.records)
      for (const message of messages) {
        const present = whole.add(message);
        if (isWhole) dividers.add(message, present);
        else dividers.addOfKind(kind, present);
      }
  }
  const division = dividers.division(whole.tally.root);
  const origin = { sandbox, stream, schemaPath, format, isPacked };
  const all =
    division === undefined
      ? whole.tally.root.count === 0
        ? []
        : [pipelineOf({ ...origin, name }, whole.tally.root, whole.kept)]
      : await dividedPipelines(options, read, division, origin);
  // A mapping has at least one row.
  const pipelines = all.filter(({ manifest }) => (manifest.mapping as unknown[]).length > 0);
  const empty = all.filter((one) => !pipelines.includes(one));
  const notes = [
    ...(whole.tally.isFull ? ['the records have more fields, or deeper ones, than are looked at'] : []),
    ...empty.map((one) => `${one.name}: none of its fields can be mapped`),
  ];
  return {
    pipelines,
    report: {
      format,
      isPacked,
      ...counts.counted(),
      dividedBy: division?.steps,
      pipelines: pipelines.map(({ about }) => about),
      notes,
    },
  };
}

/** The records in groups; the last one says that there are more. */
async function* upTo(
  { lines, most = MAX_RECORDS, signal }: InitOptions,
  read: Reader,
): AsyncGenerator<Group> {
  let looked = 0;
  for await (const group of lines()) {
    signal?.throwIfAborted();
    const records: Read[] = [];
    for (const line of group.slice(0, most - looked)) {
      const one = read(line);
      records.push(one instanceof Promise ? await one : one);
    }
    looked += records.length;
    yield { records, isCut: records.length < group.length };
    if (records.length < group.length) return;
  }
}

interface Group {
  readonly records: readonly Read[];
  readonly isCut: boolean;
}

async function firstOf(lines: AsyncIterable<readonly Line[]>): Promise<Buffer[]> {
  const found: Buffer[] = [];
  let bytes = 0;
  for await (const group of lines)
    for (const line of group) {
      if ('tooLong' in line) continue;
      bytes += line.bytes.length;
      found.push(line.bytes);
      if (found.length >= FIRST || bytes > MAX_FIRST_BYTES) return found;
    }
  return found;
}

interface Part {
  readonly tally: Tally;
  /** Records that show something that none before them did. Where those are too large for samples, the first that is not. */
  readonly kept: readonly Message[];
  /** @returns the ids of the nodes that the record has */
  add(message: Message): readonly number[];
}

function createPart(): Part {
  const tally = createTally();
  const kept: Message[] = [];
  return {
    tally,
    kept,
    add(message) {
      const { present, isNews } = tally.add(message);
      const isWanted = isNews ? kept.length < MAX_SAMPLES : kept.length === 0;
      if (isWanted && Buffer.byteLength(JSON.stringify(message)) <= MAX_SAMPLES_BYTES) kept.push(message);
      return present;
    },
  };
}

/** Reads the records again, each for the shape that it has. */
async function dividedPipelines(
  options: InitOptions,
  read: Reader,
  { steps, shapes }: Division,
  origin: Omit<Parameters<typeof pipelineOf>[0], 'name' | 'part'>,
): Promise<Pipeline[]> {
  const parts = shapes.map((values) => ({ values, part: createPart() }));
  const partOf = new Map(parts.flatMap(({ values, part }) => values.map((value) => [value, part] as const)));
  for await (const group of upTo(options, read))
    for (const { messages, kind } of group.records)
      for (const message of messages) {
        const value = WHOLE.has(origin.format) ? valueAt(message, steps) : kind?.value;
        partOf.get(value as Value)?.add(message);
      }
  const names = new Set<string>();
  return parts.map(({ values, part }) => {
    const name = nameFor(options.name, values, names);
    return pipelineOf({ ...origin, name, part: { steps, values } }, part.tally.root, part.kept);
  });
}

function valueAt(message: Message, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (here, step) => (here as Readonly<Record<string, unknown>> | undefined)?.[step],
    message,
  );
}

function nameFor(beginning: string, values: readonly Value[], taken: Set<string>): string {
  const plain = `${beginning}-${pipelineName(String(values[0]))}`.slice(0, 56);
  let name = plain;
  for (let next = 2; taken.has(name); next++) name = `${plain}-${next}`;
  taken.add(name);
  return name;
}

/** @param beginsCut whether records were left out already */
function createCounts(beginsCut = false) {
  const byReason = new Map<string, { count: number; lines: number[] }>();
  let [records, messages, filtered, isCut] = [0, 0, 0, beginsCut];
  function addRecord(one: Read): void {
    records += 1;
    messages += one.messages.length;
    filtered += one.filtered;
    for (const reason of one.rejected) {
      const known = byReason.get(reason) ?? { count: 0, lines: [] };
      byReason.set(reason, known);
      known.count += 1;
      if (known.lines.length < MAX_LISTED_LINES && known.lines.at(-1) !== one.number)
        known.lines.push(one.number);
    }
  }
  return {
    add(group: Group): void {
      isCut ||= group.isCut;
      for (const one of group.records) addRecord(one);
    },
    counted: () => ({
      records,
      messages,
      isCut,
      filtered,
      broken: [...byReason].map(([reason, { count, lines }]): Broken => ({ reason, count, lines })),
    }),
  };
}
