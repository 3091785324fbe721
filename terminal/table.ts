// Tables no wider than the terminal: what does not fit in a line of its column goes on in the next.
import Table from 'cli-table3';
import { type Colours, columnsOf } from './output.ts';

/** Blanks on both sides of a cell. */
const PADDING = 2;
const MIN_COLUMN = 8;

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

/** @param width of the terminal, in columns */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
  colours: Colours,
): string[] {
  const cells = [head, ...rows];
  const wide = head.map(
    (_, column) => Math.max(...cells.map((row) => columnsOf(row[column] ?? ''))) + PADDING,
  );
  const widths = fitted(wide, width);
  const table = new Table({
    head: head.map((word) => colours.bold(word)),
    chars: PLAIN,
    colWidths: widths,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': PADDING },
  });
  for (const row of rows)
    table.push(head.map((_, column) => wrapped(row[column] ?? '', (widths[column] ?? PADDING) - PADDING)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Takes from the widest column until all of them fit, or none can give. */
function fitted(wide: readonly number[], width: number): number[] {
  const widths = [...wide];
  for (let over = widths.reduce((sum, one) => sum + one, 0) - width; over > 0; ) {
    const widest = widths.indexOf(Math.max(...widths));
    const [first = 0, second = 0] = widths.toSorted((a, b) => b - a);
    const least = Math.max(MIN_COLUMN, Math.min(second, first - 1));
    const given = Math.min(over, first - least);
    if (given <= 0) break;
    widths[widest] = first - given;
    over -= given;
  }
  return widths;
}

/** Lines no longer than that: between words, and within a word that is longer than a line. */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => brokenLines(line, width))
    .join('\n');
}

function brokenLines(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (columnsOf(longer) <= width) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current);
    const pieces = piecesOf(word, width);
    lines.push(...pieces.slice(0, -1));
    current = pieces.at(-1) ?? '';
  }
  return [...lines, current];
}

/** A coloured word is short, and stays whole: its codes take no room. */
function piecesOf(word: string, width: number): string[] {
  if (columnsOf(word) <= width) return [word];
  const letters = [...word];
  return Array.from({ length: Math.ceil(letters.length / width) }, (_, at) =>
    letters.slice(at * width, (at + 1) * width).join(''),
  );
}
