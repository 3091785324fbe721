// Rows of a table: RFC 4180 (csv), and tab-separated values without quotation marks (tsv). Each is a message.
import { isUtf8 } from 'node:buffer';
import { MAX_COLUMNS, type NamedColumn, type PublishedFormat } from '../../../formats.ts';
import { soundJson, withoutBom } from '../../json/check.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import { MAX_UNPACKED_BYTES } from '../unpack.ts';
import { type Expander, expanderOf } from './expander.ts';
import { type RowReader, readQuotedRow, readTabbedRow, type TableRow, type Value } from './rows.ts';
import { SNOWPLOW_COLUMNS } from './snowplow.ts';

export type TableFormat = Extract<PublishedFormat, { kind: 'csv' | 'tsv' }>;

const NEW_LINE = Buffer.from('\n');

/**
 * Snowplow has appended columns in the course of time, so a line of an older version is shorter. Up to `event_id` it
 * has all of them: without that it is no event.
 */
const LEAST_SNOWPLOW_COLUMNS = SNOWPLOW_COLUMNS.findIndex(({ name }) => name === 'event_id') + 1;

/** A row that cannot be read is rejected alone. It is kept with its header, so that it is a record by itself. */
export function createTable({ kind, columns, header = false }: TableFormat): Expander {
  const readRow = kind === 'csv' ? readQuotedRow : readTabbedRow;
  const named = columns === 'snowplow-enriched' ? SNOWPLOW_COLUMNS : columns?.map(asColumn);
  return expanderOf((bytes, add) => {
    const rows = rowsOf(withoutBom(bytes), readRow);
    const head = header ? rows.next() : undefined;
    if (head?.done) return rejected('empty', 'no line has anything in it');
    const own = head === undefined ? (named ?? []) : columnsIn(head.value, named);
    if ('kind' in own) return own;
    const write = rowWriter(own, columns === 'snowplow-enriched' ? LEAST_SNOWPLOW_COLUMNS : own.length);
    let found = header;
    for (const row of rows) {
      found = true;
      const result = write(row);
      if (Buffer.isBuffer(result)) add(result);
      else {
        const whole = head === undefined ? [row.bytes] : [head.value.bytes, NEW_LINE, row.bytes];
        add({ bytes: Buffer.concat(whole), verdict: result });
      }
    }
    return found ? undefined : rejected('empty', 'no line has anything in it');
  });
}

function asColumn(column: string | NamedColumn): NamedColumn {
  return typeof column === 'string' ? { name: column, type: 'text' } : column;
}

/** Lines with nothing on them are no rows. */
function* rowsOf(bytes: Buffer, readRow: RowReader): Generator<TableRow> {
  for (let at = 0; at < bytes.length; ) {
    const row = readRow(bytes, at);
    at = row.next;
    if (row.bytes.length > 0) yield row;
  }
}

/** The columns that a header names; those of the manifest, if it has them and they are the same. */
function columnsIn(
  row: TableRow,
  named: readonly NamedColumn[] | undefined,
): readonly NamedColumn[] | Rejected {
  const values = valuesOf(row, MAX_COLUMNS);
  if ('kind' in values) return values;
  const names = values.map((value) => textOf(row, value));
  if (names.includes('') || new Set(names).size < names.length)
    return rejected('bad-row', 'the header lacks the name of a column, or has one twice');
  if (named === undefined) return names.map(asColumn);
  const isSame = named.length === names.length && named.every(({ name }, at) => name === names[at]);
  return isSame ? named : rejected('bad-row', 'the header has other columns than the manifest');
}

/** The values of a row that can be read. */
function valuesOf(row: TableRow, most: number): readonly Value[] | Rejected {
  if (row.bytes.length > MAX_UNPACKED_BYTES)
    return rejected('too-large', `a row of ${row.bytes.length} bytes`);
  if (!isUtf8(row.bytes)) return rejected('not-utf8', 'not UTF-8');
  if (row.mistake !== undefined) return rejected('bad-row', row.mistake);
  return row.count <= most ? row.values : otherCount(row.count, most);
}

function otherCount(found: number, columns: number): Rejected {
  return rejected('bad-row', `it has ${found} values for ${columns} columns`);
}

/** Writes a row as a JSON object. A value of no characters is left out, but a quoted one is an empty text. */
function rowWriter(columns: readonly NamedColumn[], least: number): (row: TableRow) => Buffer | Rejected {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  return (row) => {
    const values = valuesOf(row, columns.length);
    if ('kind' in values) return values;
    if (values.length < least) return otherCount(row.count, columns.length);
    const members: string[] = [];
    for (const [at, value] of values.entries()) {
      const { name, type } = columns[at] as NamedColumn;
      const text = textOf(row, value);
      if (text === '' && !(value.isQuoted && type === 'text')) continue;
      const json = WRITE[type](text);
      if (json === undefined) return rejected('bad-row', `the value of ${name} is not of the type ${type}`);
      members.push(`${names[at]}${json}`);
    }
    return Buffer.from(`{${members.join(',')}}`);
  };
}

function textOf({ bytes }: TableRow, { start, end, isQuoted }: Value): string {
  const text = bytes.toString('utf8', start, end);
  return isQuoted ? text.replaceAll('""', '"') : text;
}

/** RFC 8259 §6. The digits stay as they are. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A value as JSON; `undefined` if it is not of the type. */
const WRITE: Readonly<Record<NamedColumn['type'], (text: string) => string | undefined>> = {
  text: (text) => JSON.stringify(text),
  number: (text) => (NUMBER.test(text) ? text : undefined),
  boolean: (text) => (text === 'true' || text === 'false' ? text : undefined),
  json: (text) => ('kind' in soundJson(Buffer.from(text)) ? undefined : text),
};
