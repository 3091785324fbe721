// Tables no wider than the terminal: a long cell goes on in the next line, and where even that is too wide, rows are lists.
import Table from 'cli-table3';
import { columnsOf, wrapped } from './columns.ts';
import type { Colours } from './output.ts';

/** Blanks behind a cell. */
const PADDING = 2;
/** No column is broken into lines narrower than this, its blanks included. */
const MIN_COLUMN = 18;
/** No word is broken into more pieces than these. */
const MAX_PIECES = 3;

const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/**
 * @param head the names of the columns; none where the rows speak for themselves
 * @param width of the terminal, in columns
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
  colours: Colours,
): string[] {
  const widths = fitted(naturalWidths([head, ...rows]), width);
  if (widths === undefined || isTorn(rows, widths)) return listLines(head, rows, width, colours);
  const table = new Table({
    head: head.map((word) => colours.bold(word)),
    chars: PLAIN,
    colWidths: widths,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': PADDING },
  });
  for (const row of rows)
    table.push(widths.map((own, column) => wrapped(row[column] ?? '', Math.max(1, own - PADDING))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Whether an address would go over so many lines that nobody can read it. */
function isTorn(rows: readonly (readonly string[])[], widths: readonly number[]): boolean {
  return rows.some((row) =>
    row.some((cell, column) => {
      const room = MAX_PIECES * ((widths[column] ?? PADDING) - PADDING);
      return cell.split(/\s/).some((word) => columnsOf(word) > room);
    }),
  );
}

/** Columns as wide as the widest line of their cells. */
function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, column) => {
    const lines = rows.flatMap((row) => (row[column] ?? '').split('\n'));
    return Math.max(...lines.map(columnsOf)) + PADDING;
  });
}

/** Takes from the widest column until all of them fit; `undefined` where none can give. */
function fitted(wide: readonly number[], width: number): number[] | undefined {
  const widths = [...wide];
  // Behind the last column there is nothing.
  const room = width + PADDING;
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; ) {
    const widest = widths.indexOf(Math.max(...widths));
    const [first = 0, second = 0] = widths.toSorted((a, b) => b - a);
    const least = Math.max(MIN_COLUMN, Math.min(second, first - 1));
    const given = Math.min(over, first - least);
    if (given <= 0) return undefined;
    widths[widest] = first - given;
    over -= given;
  }
  return widths;
}

const INDENT = 2;

/** A row as a list: its first cell, then the others below it, each with the name of its column. */
function listLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
  colours: Colours,
): string[] {
  const [, ...names] = head;
  const longest = Math.max(0, ...names.map(columnsOf));
  const front = longest === 0 ? INDENT : INDENT + longest + PADDING;
  return rows.flatMap(([first = '', ...cells]) => [
    ...wrapped(first, width).split('\n'),
    ...cells.flatMap((cell, at) => {
      if (cell === '') return [];
      const name = names[at] ?? '';
      const [line = '', ...more] = wrapped(cell, Math.max(1, width - front)).split('\n');
      const named = `${' '.repeat(INDENT)}${colours.bold(name)}`.padEnd(
        front + colours.bold(name).length - name.length,
      );
      return [`${named}${line}`, ...more.map((one) => `${' '.repeat(front)}${one}`)];
    }),
  ]);
}
