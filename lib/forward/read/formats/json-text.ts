// The messages that one JSON text stands for: itself, the items of a list, or those of a list within an object.

import { stepsOf } from '../../../pointer.ts';
import { soundJson } from '../../json/check.ts';
import { itemSpans, membersOf, skipSpace } from '../../json/json.ts';
import { spanAt } from '../../json/pointer.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import type { PieceReader } from './expander.ts';

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const OPENING_BRACKET = 0x5b;

/** Where the list is, and which fields around it every message gets. JSON Pointers into the text. */
export interface ListOptions {
  readonly items?: string | undefined;
  readonly envelope?: readonly string[] | undefined;
}

/**
 * Reads one JSON text. Without `items`, a list stands for its items, and anything else for itself. Lists within lists
 * are not opened. A text that has to be looked into and cannot be is one reject, and gives nothing.
 */
export function createTextReader({ items, envelope = [] }: ListOptions): PieceReader {
  if (items === undefined) return readOneText;
  const steps = stepsOf(items);
  const fields = envelope.map((pointer) => ({
    steps: stepsOf(pointer),
    name: stepsOf(pointer).at(-1) as string,
  }));
  return (bytes, add) => {
    const looked = soundJson(bytes);
    if ('kind' in looked) return looked;
    const { json } = looked;
    const list = spanAt(json, steps);
    if (list === undefined || json[list.start] !== OPENING_BRACKET)
      return rejected('nothing-selected', `it has no list at ${items}`);
    const around = fields.flatMap(({ name, steps: way }): CopiedField[] => {
      const span = spanAt(json, way);
      if (span === undefined) return [];
      const member = [Buffer.from(`${JSON.stringify(name)}:`), json.subarray(span.start, span.end)];
      return [{ name, member: Buffer.concat(member) }];
    });
    const complete = completer(around);
    for (const { start, end } of itemSpans(json, list.start)) add(complete(json.subarray(start, end)));
    return undefined;
  };
}

const readOneText: PieceReader = (bytes, add): Rejected | undefined => {
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== OPENING_BRACKET) {
    add(bytes);
    return undefined;
  }
  const looked = soundJson(bytes);
  if ('kind' in looked) return looked;
  for (const item of itemSpans(looked.json, start)) add(looked.json.subarray(item.start, item.end));
  return undefined;
};

/** A field of the surroundings, with its own bytes. */
interface CopiedField {
  readonly name: string;
  /** `"name":value` */
  readonly member: Buffer;
}

const COMMA_TEXT = Buffer.from(',');

/** Puts the fields before an object's own, except those that it has. What is no object stays as it is. */
function completer(fields: readonly CopiedField[]): (item: Buffer) => Buffer {
  if (fields.length === 0) return (item) => item;
  const names = fields.map(({ name }) => name);
  return (item) => {
    if (item[0] !== OPENING_BRACE) return item;
    const own = new Set(membersOf(item, names).map(({ name }) => name));
    const added = fields.filter(({ name }) => !own.has(name)).map(({ member }) => member);
    if (added.length === 0) return item;
    const isEmpty = item[skipSpace(item, 1)] === CLOSING_BRACE;
    const members = added.flatMap((member, at) => (at === 0 ? [member] : [COMMA_TEXT, member]));
    return Buffer.concat([
      item.subarray(0, 1),
      ...members,
      ...(isEmpty ? [] : [COMMA_TEXT]),
      item.subarray(1),
    ]);
  };
}
