// Lists: Data Prep copies them whole, so a list goes where each of its items can be copied.
import { type Decision, decide, isLeft, KIND_WORDS, type Left, type SchemaField } from './fields.ts';
import { isFieldName } from './names.ts';
import { kindCount, kindsOf, type Node } from './tally.ts';

/** What is copied with all that is in it, and which of its members are not. */
export interface Copied extends Decision {
  /** Members that stay behind, with why. */
  readonly left: readonly { readonly steps: readonly string[]; readonly why: string }[];
}

/** A list of values of one type, or of objects. */
export function decideList(name: string, node: Node): Copied | Left {
  const { items } = node;
  if (items === undefined || items.count === 0) return { left: 'is an empty list wherever it is there' };
  // Data Prep would copy the null, and no field takes one.
  if (kindCount(items, 'null') > 0)
    return { left: `has null among its items, ${kindCount(items, 'null')} times` };
  const item = decideCopied(name, items);
  if (isLeft(item)) return { left: `is a list whose item ${item.left}` };
  const copied = item;
  return {
    field: { type: 'array', items: copied.field },
    convert: (value) => (Array.isArray(value) ? value.map(copied.convert) : undefined),
    type: `list of ${copied.type}`,
    notes: copied.notes,
    left: copied.left.map(({ steps, why }) => ({ steps: ['*', ...steps], why })),
  };
}

function decideCopied(name: string, node: Node): Copied | Left {
  const kinds = kindsOf(node);
  if (kinds.length > 1 && (kinds.includes('object') || kinds.includes('list')))
    return { left: `is of several kinds: ${kinds.map((kind) => KIND_WORDS[kind]).join(', ')}` };
  if (kinds[0] === 'list') return { left: 'is a list again' };
  if (kinds[0] === 'object') return decideObject(node);
  const decision = decide(name, node);
  if (isLeft(decision)) return decision;
  // What is copied with its list is not calculated: a time in another form stays what it was.
  if (decision.expression !== undefined) return plain(node);
  return { ...decision, left: [] };
}

/** Of a value that would have to be calculated: text stays text, and a number a number. */
function plain(node: Node): Copied | Left {
  const kinds = kindsOf(node);
  if (kinds.includes('boolean')) return { left: 'is of several types' };
  const field: SchemaField = kinds.includes('text')
    ? { type: 'string' }
    : { type: 'integer', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
  const type = field.type === 'string' ? 'text' : 'integer';
  const notes = ['is a time, and stays as it is written: what is in a list is only copied'];
  return { field, convert: (value) => value ?? undefined, type, notes, left: [] };
}

/** Data Prep copies only members that the schema has by the same name. */
function decideObject(node: Node): Copied | Left {
  if (node.members === undefined) return { left: 'has names that are data' };
  const members: [string, Copied][] = [];
  const left: { readonly steps: readonly string[]; readonly why: string }[] = [];
  for (const [name, member] of node.members) {
    const decision = isFieldName(name)
      ? memberOf(name, member)
      : { left: 'has a name that no field of a schema can have, and is in a list' };
    if (isLeft(decision)) left.push({ steps: [name], why: decision.left });
    else {
      members.push([name, decision]);
      left.push(...decision.left.map(({ steps, why }) => ({ steps: [name, ...steps], why })));
    }
  }
  if (members.length === 0) return { left: 'has no member that can be copied' };
  const table = new Map(members);
  return {
    field: {
      type: 'object',
      properties: Object.fromEntries(members.map(([name, { field }]) => [name, field])),
    },
    convert: (value) => copyOf(value, table),
    type: 'object',
    notes: members.flatMap(([name, { notes }]) => notes.map((note) => `${name}: ${note}`)),
    left,
  };
}

function memberOf(name: string, node: Node): Copied | Left {
  const kinds = kindsOf(node);
  return kinds.length === 1 && kinds[0] === 'list' ? decideList(name, node) : decideCopied(name, node);
}

/** As Data Prep copies an object: what the schema has and is not null. */
function copyOf(value: unknown, members: ReadonlyMap<string, Decision>): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Readonly<Record<string, unknown>>;
  const copy: [string, unknown][] = [];
  for (const [name, { convert }] of members) {
    const made = Object.hasOwn(record, name) ? convert(record[name]) : undefined;
    if (made !== undefined) copy.push([name, made]);
  }
  return Object.fromEntries(copy);
}
