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
  const table = new Table({
    head: head.map((word) => colours.bold(word)),
    chars: PLAIN,
    colWidths: fitted(wide, width),
    wordWrap: true,
    wrapOnWordBoundary: false,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': PADDING },
  });
  for (const row of rows) table.push(head.map((_, column) => row[column] ?? ''));
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
