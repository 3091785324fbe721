// How Catalog filters, orders, pages and trims its maps (contract §3.2).

import { condition, fits } from '../filter.ts';
import { type AdmittedCall, wholeNumber } from '../http.ts';
import { arrayAt, type Json, type JsonObject, objectAt } from '../json.ts';

type Named = readonly [id: string, body: JsonObject];

/** Query words that are not filters on a property of the same name. */
const WORDS = new Set(
  'limit start offset property properties orderBy tags requestDataSource createdAfter createdBefore updatedAfter updatedBefore startAfter startBefore endAfter endBefore dataSet'.split(
    ' ',
  ),
);

export function select(call: AdmittedCall, all: readonly Named[]): Named[] {
  const limit = wholeNumber(call, 'limit', 20, 1, 100);
  const start = wholeNumber(call, 'start', 0, 0, Number.MAX_SAFE_INTEGER);
  const properties = call.query.getAll('property').map(condition);
  const simple = [...call.query].filter(([name]) => !WORDS.has(name));
  const tags = call.query.get('tags');
  const wanted = all.filter(
    ([id, body]) =>
      simple.every(([name, value]) => fitsSimple(name === 'id' ? id : body[name], value)) &&
      properties.every((each) => fits(body, each)) &&
      (tags === null || tags.split(',').every((tag) => hasTag(body, tag))),
  );
  return ordered(wanted, call.query.get('orderBy'))
    .slice(start, start + limit)
    .map(([id, body]) => [id, trimmed(call, body)]);
}

/** `properties=` names what to show; what is missing is just absent. */
export function trimmed(call: AdmittedCall, body: JsonObject): JsonObject {
  const names = call.query.get('properties')?.split(',');
  if (!names) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => names.includes(key)));
}

/** A comma means or, a leading `!` means not, `*` stands for anything and `**` for a star. */
function fitsSimple(value: Json | undefined, wanted: string): boolean {
  const negated = wanted.startsWith('!');
  const options = (negated ? wanted.slice(1) : wanted).split(',');
  const found = value !== undefined && options.some((option) => fitsWildcard(String(value), option));
  return negated ? !found : found;
}

/** No regular expression: with several stars one takes for ever on a long value. */
function fitsWildcard(value: string, wanted: string): boolean {
  const texts = wanted.replaceAll('**', '\0').split('*');
  const [first = '', ...parts] = texts.map((text) => text.replaceAll('\0', '*'));
  const last = parts.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}

function hasTag(body: JsonObject, tag: string): boolean {
  const colon = tag.indexOf(':');
  const name = colon < 0 ? tag : tag.slice(0, colon);
  const tags = objectAt(body, 'tags');
  if (!tags || !Object.hasOwn(tags, name)) return false;
  if (colon < 0) return true;
  return arrayAt(tags, name).some((each) => fitsWildcard(String(each), tag.slice(colon + 1)));
}

function ordered(all: Named[], orderBy: string | null): Named[] {
  const [direction, names] = (orderBy ?? '').split(':');
  if (!names) return all;
  const sign = direction === 'desc' ? -1 : 1;
  return [...all].sort(([, a], [, b]) => {
    for (const name of names.split(',')) {
      const [left, right] = [a[name] ?? null, b[name] ?? null];
      if (left === right) continue;
      const bothNumbers = typeof left === 'number' && typeof right === 'number';
      return sign * (bothNumbers ? left - right : String(left).localeCompare(String(right)));
    }
    return 0;
  });
}
