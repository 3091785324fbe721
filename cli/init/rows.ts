// From what was seen of a pipeline's records to the rows of its mapping and the fields of its schema.
import { countedKinds, type Decision, decide, isLeft, type SchemaField } from './fields.ts';
import { type Class, decisionFor, knownField, plainName } from './known.ts';
import { type Copied, decideList } from './lists.ts';
import { createFieldNames, expressionPath, shownPath, sourcePath } from './names.ts';
import { formCount, kindCount, kindsOf, type Node } from './tally.ts';

/** One row of the mapping, with what it makes of a record. */
export interface Row {
  /** Names from the record's beginning to the field. */
  readonly steps: readonly string[];
  readonly row: { readonly source: string } | { readonly expression: string };
  readonly destination: string;
  readonly decision: Decision;
}

/** A field of the records, for the report. */
export interface Fact {
  readonly path: string;
  /** In how many records, or items, it is, and in how many of those null. */
  readonly count: number;
  readonly nulls: number;
  readonly of: number;
  /** What it becomes; left out where it is not mapped. */
  readonly type?: string;
  readonly destination?: string;
  readonly notes: readonly string[];
}

export interface Rows {
  readonly rows: readonly Row[];
  /** Of the own field group; none where all is Adobe's. */
  readonly fields: Readonly<Record<string, SchemaField>>;
  readonly groups: readonly string[];
  readonly facts: readonly Fact[];
  readonly identities: readonly Candidate[];
}

export interface Candidate {
  readonly path: string;
  readonly why: string;
}

export interface Roles {
  readonly class: Class;
  /** The field that says when it happened, for an event. */
  readonly time?: readonly string[] | undefined;
  /** The field that says what happened. */
  readonly kind?: readonly string[] | undefined;
}

/** A field on the way into the schema. */
interface Place {
  readonly steps: readonly string[];
  readonly node: Node;
  /** How many records, or objects, could have it. */
  readonly of: number;
  /** The fields of the object that it goes into, that object's path, and how its fields are named. */
  readonly into: Record<string, SchemaField>;
  readonly at: string;
  readonly nameFor: (name: string) => string;
}

interface Adobes {
  readonly destination: string;
  /** None where it is a field of the class. */
  readonly group?: string;
  readonly decision: Decision;
}

/** More fields would make a manifest that is larger than what is kept of one. */
const MAX_ROWS = 400;
/** The member that `derive` adds, and that is mapped by itself. */
const ID = '_id';

/** @param own the name of the own field group's object */
export function rowsOf(root: Node, roles: Roles, own: string): Rows {
  const rows: Row[] = [];
  const facts: Fact[] = [];
  const groups: string[] = [];
  const identities: Candidate[] = [];
  const taken = new Set<string>();
  const properties: Record<string, SchemaField> = {};

  const isAt = (steps: readonly string[], at: readonly string[] | undefined) =>
    at !== undefined && at.length === steps.length && at.every((step, index) => step === steps[index]);

  /** The row is added, or the reason why there is none is returned. */
  function addRow(steps: readonly string[], decision: Decision, destination: string): string | undefined {
    if (rows.length >= MAX_ROWS) return `is beyond the ${MAX_ROWS} fields that are mapped`;
    const path = decision.expression === undefined ? sourcePath(steps) : expressionPath(steps);
    if (path === undefined) return 'has a name that Data Prep cannot be told of';
    const row =
      decision.expression === undefined ? { source: path } : { expression: decision.expression(path) };
    rows.push({ steps, row, destination, decision });
    return undefined;
  }

  function tell({ steps, node, of }: Place, more: Partial<Fact>): void {
    const path = shownPath(steps);
    facts.push({ path, count: node.count, nulls: kindCount(node, 'null'), of, notes: [], ...more });
  }

  const tellLeft = (place: Place, ...notes: readonly string[]) => tell(place, { notes });

  /** What becomes of a field, and of what is in it. */
  function visit(place: Place): void {
    const kinds = kindsOf(place.node);
    if (!kinds.includes('object') || kinds.includes('list')) visitValue(place);
    else if (place.node.members === undefined) visitMap(place);
    else visitObject(place);
  }

  function visitValue(place: Place): void {
    const { steps, node, into, at, nameFor } = place;
    const name = steps.at(-1) ?? '';
    const kinds = kindsOf(node);
    const isList = kinds.length === 1 && kinds[0] === 'list';
    const decision = isList ? decideList(name, node) : decide(name, node);
    if (isLeft(decision)) {
      tellLeft(place, decision.left);
      return;
    }
    const adobes = isList ? undefined : adobesPlace(steps, node, decision);
    const used = adobes?.decision ?? decision;
    const ownName = adobes === undefined ? nameFor(name) : '';
    const destination = adobes?.destination ?? `${at}.${ownName}`;
    const why = addRow(steps, used, destination);
    if (why !== undefined) {
      tellLeft(place, why);
      return;
    }
    if (adobes === undefined) into[ownName] = titled(decision.field, name, ownName);
    else if (adobes.group !== undefined && !groups.includes(adobes.group)) groups.push(adobes.group);
    const candidate = candidateFor(steps, node, used, root);
    if (candidate !== undefined) identities.push(candidate);
    tell(place, { type: used.type, destination, notes: used.notes });
    for (const { steps: inner, why: reason } of (decision as Partial<Copied>).left ?? [])
      facts.push({ path: shownPath([...steps, ...inner]), count: 0, nulls: 0, of: 0, notes: [reason] });
  }

  /** Where the class or one of Adobe's field groups has a place for it. */
  function adobesPlace(steps: readonly string[], node: Node, decision: Decision): Adobes | undefined {
    if (isAt(steps, roles.time)) return { destination: 'timestamp', decision: asInstant(decision) };
    if (isAt(steps, roles.kind)) return { destination: 'eventType', decision };
    const known = knownField(steps, node, decision, roles.class);
    if (known === undefined || taken.has(known.destination)) return undefined;
    taken.add(known.destination);
    return { destination: known.destination, group: known.group, decision: decisionFor(known, decision) };
  }

  /** Where it is no object in some records, its members are mapped, and the rest is told. */
  function visitObject(place: Place): void {
    const { steps, node, into, at, nameFor } = place;
    const name = steps.at(-1) ?? '';
    const members = node.members ?? new Map<string, Node>();
    if (members.size === 0) {
      tellLeft(place, 'is an empty object wherever it is there');
      return;
    }
    const inner: Record<string, SchemaField> = {};
    const names = createFieldNames();
    const ownName = nameFor(name);
    const of = kindCount(node, 'object');
    for (const [member, child] of members)
      visit({
        steps: [...steps, member],
        node: child,
        of,
        into: inner,
        at: `${at}.${ownName}`,
        nameFor: names,
      });
    if (Object.keys(inner).length > 0)
      into[ownName] = titled({ type: 'object', properties: inner }, name, ownName);
    if (kindsOf(node).length > 1) tellLeft(place, `is ${countedKinds(node)}: only the objects are mapped`);
  }

  /** An object whose names are data: a map, as far as its values are of one type. */
  function visitMap(place: Place): void {
    const { steps, node, into, at, nameFor } = place;
    const { values } = node;
    const kinds = values === undefined ? [] : kindsOf(values);
    const note = 'has names that are data';
    const isPlain = kinds.length > 0 && kinds.every((kind) => kind === 'text' || kind === 'integer');
    if (!isPlain || kindsOf(node).length > 1 || (values && kindCount(values, 'null') > 0)) {
      tellLeft(place, note, 'its values are not all texts or all integers');
      return;
    }
    const type = kinds.every((kind) => kind === 'integer') ? 'integer' : 'string';
    const name = steps.at(-1) ?? '';
    const ownName = nameFor(name);
    const decision: Decision = {
      field: { type: 'object', additionalProperties: { type } },
      convert: (value) => mapOf(value, type),
      type: `map of ${type}`,
      notes: [note],
    };
    const why = addRow(steps, decision, `${at}.${ownName}`);
    if (why !== undefined) {
      tellLeft(place, why);
      return;
    }
    into[ownName] = titled(decision.field, name, ownName);
    tell(place, { type: decision.type, destination: `${at}.${ownName}`, notes: [note] });
  }

  const nameFor = createFieldNames();
  const at = `{tenant}.${own}`;
  for (const [name, node] of root.members ?? [])
    if (name !== ID || !isOwnId(node))
      visit({ steps: [name], node, of: root.count, into: properties, at, nameFor });
  const fields =
    Object.keys(properties).length === 0 ? {} : { [own]: { type: 'object' as const, properties } };
  return { rows, fields, groups, facts, identities };
}

/** The record's own `_id`, which AEP takes as text. */
export function isOwnId(node: Node): boolean {
  return kindsOf(node).every((kind) => kind === 'text' || kind === 'integer' || kind === 'long');
}

/** A day as a time: its beginning. */
function asInstant(decision: Decision): Decision {
  if (decision.field.format !== 'date') return decision;
  const convert = (value: unknown) => {
    const day = decision.convert(value);
    return typeof day === 'string' ? `${day}T00:00:00Z` : undefined;
  };
  return {
    ...decision,
    convert,
    expression: decision.expression ?? ((path) => `date(${path}, "yyyy-MM-dd")`),
  };
}

/** The name in the records, where the schema cannot have it. */
function titled(field: SchemaField, name: string, ownName: string): SchemaField {
  const { type, ...facets } = field;
  return name === ownName ? field : { type, title: name.replace(/\p{C}/gu, ' ').slice(0, 100), ...facets };
}

function mapOf(value: unknown, type: 'integer' | 'string'): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, one]) => [
      key,
      type === 'integer' || typeof one === 'string' ? one : JSON.stringify(one),
    ]),
  );
}

/** Names of what identifies a person or a thing, whose values come again in events. */
const IDENTIFIES =
  /^(?:customer|user|member|person|client|account|profile|crm|loyalty|visitor|device|anonymous|subscriber|contact|guest)s?(?:id|no|nr|number|key|uuid|guid|ref)$|^(?:ecid|gaid|idfa|cookieid|msisdn)$/;
/** Names of numbers that are no quantities. */
const NUMBERS_THAT_NAME = /(?:^|[a-z])(?:id|no|nr|number|key|ref|code)$/;

/** In fewer records nearly every text is there once: a first name as well. */
const MANY_RECORDS = 100;

/** A field that may identify somebody or something, with why; nothing is made of it. */
function candidateFor(
  steps: readonly string[],
  node: Node,
  { field }: Decision,
  root: Node,
): Candidate | undefined {
  const name = plainName(steps.at(-1) ?? '');
  const values = node.count - kindCount(node, 'null');
  if (values === 0 || field.format !== undefined || !['string', 'integer'].includes(field.type))
    return undefined;
  const isText = kindCount(node, 'text') > 0;
  const isOther = node.unique !== undefined && node.count === root.count && root.count > 1;
  const path = shownPath(steps);
  if (formCount(node, 'email') === values) return { path, why: 'every value is an e-mail address' };
  if (IDENTIFIES.test(name))
    return { path, why: `its name says so${isOther ? ', and no value comes twice' : ''}` };
  if (isOther && (NUMBERS_THAT_NAME.test(name) || (isText && root.count >= MANY_RECORDS)))
    return { path, why: `is in all ${root.count} records, and no value comes twice` };
  return undefined;
}
