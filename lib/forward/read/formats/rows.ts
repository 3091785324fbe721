// Finds the rows of a table and their values in its bytes.
import { MAX_COLUMNS } from '../../../formats.ts';

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** Where a value is in its row, without its quotation marks. */
export interface Value {
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

export interface TableRow {
  /** Without the end of the line. */
  readonly bytes: Buffer;
  /** The first of them; no more than a row may have. */
  readonly values: readonly Value[];
  /** How many there are. */
  readonly count: number;
  /** Why the values cannot be told apart. */
  readonly mistake?: string;
}

/** The row that begins at `start`, and where the next one begins. */
export type RowReader = (bytes: Buffer, start: number) => TableRow & { readonly next: number };

/** There are no quotation marks, and no tabs in values. IANA: text/tab-separated-values. */
export const readTabbedRow: RowReader = (all, start) => {
  const { bytes, next } = lineAt(all, start);
  const values: Value[] = [];
  let count = 0;
  for (let at = 0; at <= bytes.length; count++) {
    const found = bytes.indexOf(TAB, at);
    const end = found === -1 ? bytes.length : found;
    if (count < MAX_COLUMNS) values.push({ start: at, end, isQuoted: false });
    at = end + 1;
  }
  return { bytes, values, count, next };
};

/**
 * RFC 4180 §2: values in quotation marks may have commas and ends of lines in them. A line feed alone ends a row too.
 * After a mistake the row goes to the end of its line. If a quotation mark is not closed, it goes to the end.
 */
export const readQuotedRow: RowReader = (all, start) => {
  const values: Value[] = [];
  let count = 0;
  const row = (end: number, next: number) => ({ bytes: all.subarray(start, end), values, count, next });
  for (let at = start; ; ) {
    const isQuoted = all[at] === QUOTE;
    const close = isQuoted ? closingQuote(all, at + 1) : endOfBare(all, at);
    if (close === undefined)
      return { ...row(all.length, all.length), mistake: 'a quotation mark is not closed' };
    const behind = isQuoted ? close + 1 : close;
    const [end, next] = endOfLine(all, behind) ?? [];
    const from = at - start + (isQuoted ? 1 : 0);
    if (++count <= MAX_COLUMNS) values.push({ start: from, end: close - start, isQuoted });
    if (end !== undefined && next !== undefined) return row(end, next);
    if (all[behind] !== COMMA) {
      const rest = lineAt(all, behind);
      const mistake = 'a quotation mark stands where none may be';
      return { ...row(behind + rest.bytes.length, rest.next), mistake };
    }
    at = behind + 1;
  }
};

/** The place of the closing quotation mark. Two of them are one that is part of the value. */
function closingQuote(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(QUOTE, from); at !== -1; at = bytes.indexOf(QUOTE, at + 2))
    if (bytes[at + 1] !== QUOTE) return at;
  return undefined;
}

/** The end of a value without quotation marks: a comma, the end of the line, or a mark that may not be there. */
function endOfBare(bytes: Buffer, start: number): number {
  let at = start;
  while (
    at < bytes.length &&
    bytes[at] !== COMMA &&
    bytes[at] !== QUOTE &&
    endOfLine(bytes, at) === undefined
  )
    at++;
  return at;
}

/** Where the line ends and the next one begins, if it ends at `at`. */
function endOfLine(bytes: Buffer, at: number): [number, number] | undefined {
  if (at >= bytes.length) return [at, at];
  if (bytes[at] === LINE_FEED) return [at, at + 1];
  const isEnd = bytes[at] === RETURN && (at + 1 === bytes.length || bytes[at + 1] === LINE_FEED);
  return isEnd ? [at, Math.min(at + 2, bytes.length)] : undefined;
}

function lineAt(all: Buffer, start: number): { readonly bytes: Buffer; readonly next: number } {
  const found = all.indexOf(LINE_FEED, start);
  const end = found === -1 ? all.length : found;
  const isReturn = end > start && all[end - 1] === RETURN;
  return { bytes: all.subarray(start, isReturn ? end - 1 : end), next: Math.min(end + 1, all.length) };
}
