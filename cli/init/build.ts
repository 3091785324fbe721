// Writes the manifest and the samples of one pipeline from what was seen of its records.
import type { Condition } from '../../lib/records.ts';
import { MAX_SAMPLES_BYTES } from '../../lib/request-rules.ts';
import { decide } from './fields.ts';
import type { FormatName } from './formats.ts';
import { expressionPath, fieldName, pointerOf, shownPath } from './names.ts';
import type { Message } from './reader.ts';
import { rolesOf } from './roles.ts';
import { type Candidate, type Fact, isOwnId, type Row, type Rows, rowsOf } from './rows.ts';
import type { Division } from './shapes.ts';
import { kindCount, kindsOf, type Node } from './tally.ts';

/** Where the records of a pipeline come from, and what it is called. */
export interface Origin {
  readonly name: string;
  readonly sandbox: string;
  readonly stream: string;
  /** Path of the manifest's JSON Schema, for editors. */
  readonly schemaPath?: string | undefined;
  readonly format?: FormatName | undefined;
  /** Whether its records are packed. */
  readonly isPacked?: boolean;
  /** The part of the records that it takes. */
  readonly part?:
    | { readonly steps: Division['steps']; readonly values: Division['shapes'][number] }
    | undefined;
}

export interface Pipeline {
  readonly name: string;
  /** A manifest as a file has it. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly samples: readonly { readonly name: string; readonly record: unknown; readonly xdm: unknown }[];
  /** The XDM entity that a message of it must become. `{tenant}` stands for the organization's own namespace. */
  readonly entityOf: (record: Message) => Record<string, unknown>;
  readonly about: About;
}

/** What the report says of a pipeline. */
export interface About {
  readonly name: string;
  readonly class: string;
  readonly why: string;
  readonly records: number;
  /** The condition, as a reader knows it. */
  readonly takes?: string;
  readonly fieldGroups: readonly string[];
  readonly facts: readonly Fact[];
  /** Fields that may identify somebody; nothing is made of them. */
  readonly identities: readonly Candidate[];
  readonly notes: readonly string[];
}

/** Formats whose own rules already derive an id and a time. */
const DERIVE_THEMSELVES: ReadonlySet<string | undefined> = new Set(['cloudevents', 'eventbridge']);

/** @param kept records that show all that is in them, for the samples */
export function pipelineOf(origin: Origin, root: Node, kept: readonly Message[]): Pipeline {
  const id = idOf(root);
  const said = rolesOf(root);
  // An event needs an id in every record.
  const isEvent = said.roles.class === 'experienceevent' && id !== undefined;
  const roles = isEvent ? said.roles : { class: 'profile' as const };
  const own = fieldName(origin.name);
  const made = rowsOf(root, roles, own);
  const rows: Row[] = [...(id === undefined ? [] : [id]), ...made.rows];
  const notes = [
    ...(id === undefined
      ? ['_id: no field of the record can be it; Profile identifies records without one']
      : []),
    ...(isEvent && roles.kind === undefined ? ['eventType: no field says what kind of event it is'] : []),
  ];
  const samples = samplesOf(origin, kept, rows, id?.derives === true);
  if (samples.length === 0)
    notes.push(
      `no samples are written: a record and what becomes of it have more than the ${MAX_SAMPLES_BYTES.toLocaleString('en')} bytes for which an execution has room`,
    );
  return {
    name: origin.name,
    manifest: manifestOf(origin, roles.class, made, rows, id?.derives === true),
    samples,
    entityOf: (record) => entityOf(record, rows),
    about: {
      name: origin.name,
      class: roles.class,
      why: said.why,
      records: root.count,
      ...(origin.part !== undefined && {
        takes: `${shownPath(origin.part.steps)} is ${origin.part.values.map((value) => JSON.stringify(value)).join(' or ')}`,
      }),
      fieldGroups: made.groups,
      facts: made.facts,
      identities: made.identities,
      notes,
    },
  };
}

/**
 * How a record gets its `_id`: its own, or the one that the forwarder derives from its place. An own `_id` of another
 * form, as that of MongoDB, has its only member.
 */
function idOf(root: Node): (Row & { readonly derives: boolean }) | undefined {
  const own = root.members?.get('_id');
  const row = { steps: ['_id'], row: { source: '_id' }, destination: '_id' };
  const text = (value: unknown) =>
    value === null || value === undefined
      ? undefined
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  const decision = { field: { type: 'string' as const }, convert: text, type: 'text', notes: [] };
  if (own === undefined) return { ...row, decision, derives: true };
  if (kindCount(own, 'null') > 0) return undefined;
  if (isOwnId(own)) return { ...row, decision, derives: true };
  const [inner, ...others] = [...(own.members ?? [])];
  if (inner === undefined || others.length > 0 || kindsOf(own).length > 1) return undefined;
  const [name, node] = inner;
  const isWhole = own.count === root.count && node.count === own.count && kindCount(node, 'null') === 0;
  const path = expressionPath(['_id', name]);
  if (!isWhole || path === undefined || !isOwnId(node)) return undefined;
  const found = decide('id', node);
  return 'convert' in found
    ? { steps: ['_id', name], row: { source: path }, destination: '_id', decision, derives: false }
    : undefined;
}

function manifestOf(
  { name, sandbox, stream, schemaPath, format, isPacked, part }: Origin,
  className: string,
  { groups, fields }: Rows,
  rows: readonly Row[],
  derives: boolean,
): Record<string, unknown> {
  const records = {
    ...(part !== undefined && { where: [conditionOf(part)] }),
    ...(derives && !DERIVE_THEMSELVES.has(format) && { derive: ['_id'] }),
  };
  const own = Object.keys(fields).length === 0 ? [] : [{ name: groupName(name), fields }];
  return {
    ...(schemaPath !== undefined && { $schema: schemaPath }),
    version: 1,
    name,
    sandbox,
    source: {
      kind: 'inlet',
      stream,
      data: 'raw',
      ...(isPacked === true && { compression: 'auto' }),
      ...(format !== undefined && { format }),
      ...(Object.keys(records).length > 0 && { records }),
    },
    schema: { class: className, fieldGroups: [...groups, ...own] },
    mapping: rows.map(({ row, destination }) => ({ ...row, destination })),
  };
}

function conditionOf({ steps, values }: NonNullable<Origin['part']>): Condition {
  const [only, ...others] = values;
  const field = pointerOf(steps);
  return others.length === 0 && only !== undefined ? { field, equals: only } : { field, oneOf: [...values] };
}

/** Within the manifest: small letters, digits and "-". */
function groupName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 40);
  return /^[a-z0-9]/.test(plain) ? plain : `n${plain}`.slice(0, 40);
}

const SHARD = 'shardId-000000000000';

/** Each with what the mapping must make of it: that is reckoned from the record, and not by the mapping. */
function samplesOf(
  { stream, format }: Origin,
  kept: readonly Message[],
  rows: readonly Row[],
  derives: boolean,
): Pipeline['samples'] {
  const all = kept.map((message, index) => {
    const lacksId = derives && !DERIVE_THEMSELVES.has(format) && !Object.hasOwn(message, '_id');
    const record = lacksId ? { _id: `${streamName(stream)}:${SHARD}:${index + 1}`, ...message } : message;
    return { name: `record ${index + 1}`, record, xdm: entityOf(record, rows) };
  });
  let room = MAX_SAMPLES_BYTES;
  return all.filter((sample) => {
    const bytes = largestBytes(sample);
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
}

/** Where numbers have more digits than JavaScript keeps, record and entity go into the execution as texts of JSON. */
function largestBytes(sample: object): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(sample))) + 1;
}

function streamName(stream: string): string {
  return stream.slice(stream.lastIndexOf('/') + 1);
}

function entityOf(record: Message, rows: readonly Row[]): Record<string, unknown> {
  const entity: Record<string, unknown> = {};
  for (const { steps, destination, decision } of rows) {
    const value = decision.convert(valueAt(record, steps));
    if (value !== undefined) put(entity, destination.split('.'), value);
  }
  return entity;
}

function valueAt(record: unknown, steps: readonly string[]): unknown {
  let here = record;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || Array.isArray(here) || !Object.hasOwn(here, step))
      return undefined;
    here = (here as Readonly<Record<string, unknown>>)[step];
  }
  return here;
}

function put(entity: Record<string, unknown>, steps: readonly string[], value: unknown): void {
  let here = entity;
  for (const step of steps.slice(0, -1)) {
    if (!Object.hasOwn(here, step)) here[step] = {};
    here = here[step] as Record<string, unknown>;
  }
  here[steps.at(-1) as string] = value;
}
