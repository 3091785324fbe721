// Which fields of a record no row of a mapping reads.
import { ExactNumber } from '../aep/exact-number.ts';
import { isObject, type Json } from '../aep/json.ts';
import type { MappingLine } from './told.ts';

/** Paths such as `contact.email`; what is in a list has the path of the list before it, without a position. */
export function unreadIn(record: Json, rows: readonly MappingLine[]): string[] {
  const read = new Set(rows.flatMap(namesIn));
  const isRead = (path: string) =>
    path.split('.').some((_, index, steps) => read.has(steps.slice(0, index + 1).join('.')));
  return [...new Set(leavesOf(record, ''))].filter((path) => !isRead(path));
}

function leavesOf(value: Json, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => leavesOf(item, path));
  if (!isObject(value) || value instanceof ExactNumber) return [path];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === '' ? name : `${path}.${name}`),
  );
}

const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const PATH = /[\p{L}_$][\p{L}\p{N}_$-]*(?:\.[\p{L}_$][\p{L}\p{N}_$-]*)*/gu;

function namesIn({ kind, from }: MappingLine): string[] {
  const plain = from.replace(/\[[^\]]*\]/g, '');
  return kind === 'field' ? [plain.trim()] : (plain.replace(QUOTED, ' ').match(PATH) ?? []);
}
