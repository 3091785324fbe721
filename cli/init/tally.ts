// What was seen at each path of the records: how often, of which type and form. Bounded, whatever the records are.
import { isExact } from '../../lib/json-text.ts';
import { dateForms, dayInDigits, epochOf, isDigit } from './dates.ts';
import { createHashes, type Hashes, hashOf } from './hashes.ts';

/** What a value is; `long` is a number with more digits than a double holds. */
export type Kind = 'null' | 'boolean' | 'integer' | 'number' | 'long' | 'text' | 'list' | 'object';

export interface Node {
  /** Its place among all nodes, in the order in which they were met. */
  readonly id: number;
  readonly depth: number;
  /** How many objects had it, or how many items there were. */
  count: number;
  readonly kinds: Map<Kind, number>;
  /** How many texts, or whole numbers, had each form. */
  readonly forms: Map<string, number>;
  /** Members by name; `undefined` once there are so many that names are data. */
  members: Map<string, Node> | undefined;
  /** The values of an object whose names are data. */
  values: Node | undefined;
  /** The items of its lists. */
  items: Node | undefined;
  /** The values that were seen, with how often; `undefined` once there are too many or too long ones. */
  distinct: Map<string | number | boolean | null, number> | undefined;
  /** Of a field that is in every record, as long as no value came twice and there is room. */
  unique: Hashes | undefined;
  /** The last record that had it, as they are counted. */
  lastIn: number;
}

/** A field of few values has no more than these. */
export const MAX_FEW = 12;
/** An object with more names than these has names that are data. */
export const MAX_MEMBERS = 300;
const MAX_NODES = 20_000;
const MAX_DEPTH = 20;
const MAX_SHORT_TEXT = 100;
/** Values of all fields together that are kept to see whether one comes twice: 16 to 32 bytes each. */
const MAX_KEPT_VALUES = 2_000_000;

export interface Tally {
  readonly root: Node;
  /** Nodes there are, and what was met beyond a bound. */
  readonly nodes: number;
  readonly isFull: boolean;
  /**
   * Adds a record.
   * @returns the ids of the nodes it has, each once, and whether anything in it is of a kind or form that none had before
   */
  add(record: Readonly<Record<string, unknown>>): {
    readonly present: readonly number[];
    readonly isNews: boolean;
  };
}

/** @param maxKept values that are kept to see whether one comes twice */
export function createTally(maxKept = MAX_KEPT_VALUES): Tally {
  let nodes = 0;
  let kept = 0;
  /** Fields whose values are kept, in the order in which they were met. */
  const watched: Node[] = [];
  let isFull = false;
  let records = 0;
  let present: number[] = [];
  let isNews = false;

  const make = (depth: number): Node => ({
    id: nodes++,
    depth,
    count: 0,
    kinds: new Map(),
    forms: new Map(),
    members: new Map(),
    values: undefined,
    items: undefined,
    distinct: new Map(),
    unique: createHashes(),
    lastIn: 0,
  });
  const up = <K>(map: Map<K, number>, key: K) => {
    const before = map.get(key);
    if (before === undefined) isNews = true;
    map.set(key, (before ?? 0) + 1);
  };
  /** `undefined` beyond a bound. */
  const child = (depth: number): Node | undefined => {
    if (nodes < MAX_NODES && depth <= MAX_DEPTH) return make(depth);
    isFull = true;
    return undefined;
  };

  function see(node: Node, value: unknown): void {
    node.count += 1;
    if (node.lastIn !== records) {
      node.lastIn = records;
      present.push(node.id);
    }
    const kind = kindOf(value);
    up(node.kinds, kind);
    if (kind === 'object') seeObject(node, value as Record<string, unknown>);
    else if (kind === 'list') seeList(node, value as unknown[]);
    else seeScalar(node, kind, value);
  }

  /** Its values need no room any more. */
  function forget(node: Node): void {
    kept -= node.unique?.size ?? 0;
    node.unique = undefined;
  }

  /** The values of the last field are forgotten: what identifies a record mostly stands at its beginning. */
  function makeRoom(): void {
    while (kept > maxKept) {
      const last = watched.pop();
      if (last === undefined) return;
      forget(last);
    }
  }

  function seeUnique(node: Node, kind: Kind, value: unknown): void {
    const { unique } = node;
    if (unique === undefined) return;
    const isKey = kind === 'text' || kind === 'integer' || kind === 'long';
    const isEverywhere = node.count === tally.root.count;
    if (!isKey || !isEverywhere || !unique.add(hashOf(keyText(kind, value)))) {
      forget(node);
      return;
    }
    if (unique.size === 1) watched.push(node);
    kept += 1;
    makeRoom();
  }

  function seeObject(node: Node, object: Readonly<Record<string, unknown>>): void {
    node.distinct = undefined;
    forget(node);
    // Nothing of JSON has a prototype with names of its own: this is the quick way through a wide record.
    for (const name in object) {
      const member = memberOf(node, name);
      if (member !== undefined) see(member, object[name]);
    }
  }

  function memberOf(node: Node, name: string): Node | undefined {
    if (node.members === undefined) return node.values;
    const known = node.members.get(name);
    if (known !== undefined) return known;
    if (node.members.size < MAX_MEMBERS || node.depth === 0) {
      const made = child(node.depth + 1);
      if (made !== undefined) node.members.set(name, made);
      return made;
    }
    // So many names are data, as in {"2026-02-13": 4}: from here on only their values count.
    const values = make(node.depth + 1);
    for (const one of node.members.values()) {
      merge(values, one);
      forget(one);
    }
    node.values = values;
    node.members = undefined;
    return values;
  }

  function seeList(node: Node, list: readonly unknown[]): void {
    node.distinct = undefined;
    forget(node);
    node.items ??= child(node.depth + 1);
    if (node.items !== undefined) for (const item of list) see(node.items, item);
  }

  function seeScalar(node: Node, kind: Kind, value: unknown): void {
    if (kind === 'text') seeForms(value as string, (form) => up(node.forms, form));
    if (kind === 'integer') {
      const epoch = epochOf(value as number);
      if (epoch !== undefined) up(node.forms, `epoch ${epoch}`);
    }
    if (node.distinct !== undefined) seeDistinct(node, kind, value);
    if (node.unique !== undefined) seeUnique(node, kind, value);
  }

  const tally: Tally = {
    root: make(0),
    get nodes() {
      return nodes;
    },
    get isFull() {
      return isFull;
    },
    add(record) {
      records += 1;
      present = [];
      isNews = false;
      see(tally.root, record);
      return { present, isNews };
    },
  };
  return tally;
}

export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'number';
    default:
      return Array.isArray(value) ? 'list' : isExact(value) ? 'long' : 'object';
  }
}

const EMAIL =
  /^[^\s@"(),:;<>[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;
const MINUS = 0x2d;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** A number and a text of the same digits are the same key. */
function keyText(kind: Kind, value: unknown): string {
  return kind === 'long' ? JSON.stringify(value) : String(value);
}

/** Forms that decide where a text can go. The pattern of a time is a form by itself. */
function seeForms(text: string, see: (form: string) => void): void {
  const { length } = text;
  if (length === 0) {
    see('empty');
    return;
  }
  for (const { pattern } of dateForms(text)) see(pattern);
  if (length <= 13) seeWord(text, see);
  if (text.includes('@') && EMAIL.test(text)) see('email');
  const first = text.charCodeAt(0);
  const isNumeric = isDigit(first);
  if (isNumeric && length <= 15 && IPV4.test(text)) see('ipv4');
  if ((isNumeric || first === MINUS) && length <= 40 && NUMBER.test(text)) seeDigits(text, see);
}

/** A word of few letters. */
function seeWord(text: string, see: (form: string) => void): void {
  const { length } = text;
  if (length === 2 && /^[A-Z]{2}$/.test(text)) see('two capitals');
  else if (length === 3 && /^[A-Z]{3}$/.test(text)) see('three capitals');
  else if (length <= 5 && /^(?:true|false|TRUE|FALSE)$/.test(text)) see('boolean');
  else if (/^(?:male|female|not_specified|non_specific)$/i.test(text)) see('gender');
}

function seeDigits(text: string, see: (form: string) => void): void {
  see('digits');
  if (dayInDigits(text) !== undefined) see('day in digits');
  const epoch = /^\d{10,16}$/.test(text) ? epochOf(Number(text)) : undefined;
  if (epoch !== undefined) see(`epoch text ${epoch}`);
}

function seeDistinct(node: Node, kind: Kind, value: unknown): void {
  const { distinct } = node;
  if (distinct === undefined) return;
  const isShort = kind !== 'long' && !(kind === 'text' && (value as string).length > MAX_SHORT_TEXT);
  const key = value as string | number | boolean | null;
  const before = distinct.get(key);
  if (!isShort || (before === undefined && distinct.size >= MAX_FEW)) node.distinct = undefined;
  else distinct.set(key, (before ?? 0) + 1);
}

function merge(into: Node, from: Node): void {
  into.count += from.count;
  for (const [kind, count] of from.kinds) into.kinds.set(kind, (into.kinds.get(kind) ?? 0) + count);
  for (const [form, count] of from.forms) into.forms.set(form, (into.forms.get(form) ?? 0) + count);
  into.distinct = undefined;
  into.unique = undefined;
}

export function kindCount(node: Node, kind: Kind): number {
  return node.kinds.get(kind) ?? 0;
}

export function formCount(node: Node, form: string): number {
  return node.forms.get(form) ?? 0;
}

/** The kinds that were seen, `null` left out. */
export function kindsOf(node: Node): Kind[] {
  return [...node.kinds.keys()].filter((kind) => kind !== 'null');
}
