// What to change in a manifest's text, so that its mapping has the rows that somebody typed. Pure.
import { type Edit, jsonPointer } from '../../lib/lint/json-edit.ts';
import { asObject } from '../../lib/lint/written.ts';
import type { MappingLine } from './told.ts';

/** Under which names a row may have each, in our form and in those of AEP. */
const FROM = ['source', 'sourceAttribute', 'expression'];
const DESTINATION = ['destination', 'destinationXdmPath'];

/**
 * Rows that stay as they are have no edit: their blanks, and what AEP wrote beside them, are kept.
 * @param written the rows of the file as they stand there
 * @param before the same, as the page shows them
 * @param wanted kept rows in their order, each with its place in the file, then those that were added
 * @returns `undefined` where they are in another order
 */
export function mappingEdits(
  written: readonly unknown[],
  before: readonly MappingLine[],
  wanted: readonly MappingLine[],
): Edit[] | undefined {
  const kept = wanted.filter(({ row }) => row !== undefined);
  const places = kept.map(({ row = -1 }) => row);
  const isInOrder = places.every((row, index) => row > (places[index - 1] ?? -1) && row < written.length);
  if (!isInOrder || kept.some((line, index) => wanted[index] !== line)) return undefined;
  const gone = written.map((_, row) => row).filter((row) => !places.includes(row));
  return [
    ...kept.flatMap((line) => rowEdits(line, written, before)),
    // From the end: what is removed moves what stands behind it.
    ...gone.toReversed().map((row): Edit => ({ op: 'remove', at: jsonPointer(['mapping', row]) })),
    ...wanted.slice(kept.length).map((line): Edit => ({ op: 'set', at: '/mapping/-', value: rowOf(line) })),
  ];
}

function rowEdits(
  line: MappingLine,
  written: readonly unknown[],
  before: readonly MappingLine[],
): readonly Edit[] {
  const { row = -1, kind, from, destination } = line;
  const was = before[row];
  const at = (name: string) => jsonPointer(['mapping', row, name]);
  // Of another kind, it is written anew: a word of AEP for the old kind would stay.
  if (was?.kind !== kind) return [{ op: 'set', at: jsonPointer(['mapping', row]), value: rowOf(line) }];
  const names = Object.keys(asObject(written[row]) ?? {});
  const setAll = (known: readonly string[], value: string): Edit[] =>
    names.filter((name) => known.includes(name)).map((name) => ({ op: 'set', at: at(name), value }));
  return [
    ...(was.from === from ? [] : setAll(FROM, from)),
    ...(was.destination === destination ? [] : setAll(DESTINATION, destination)),
  ];
}

function rowOf({ kind, from, destination }: MappingLine) {
  return kind === 'field' ? { source: from, destination } : { expression: from, destination };
}
