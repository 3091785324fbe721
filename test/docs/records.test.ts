// docs/records.md: every extract is a manifest's, and every record of a table becomes what the table says.
import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_RECORDS_BYTES } from '../../lib/bounds.ts';
import { publishedFormat } from '../../lib/formats.ts';
import { MAX_REQUEST_BYTES } from '../../lib/forward/frame/body.ts';
import { MAX_DEPTH } from '../../lib/forward/json/check.ts';
import { MAX_PIECES, MAX_RECORD_BYTES } from '../../lib/forward/read/decode.ts';
import { MAX_UNPACKED_BYTES } from '../../lib/forward/read/unpack.ts';
import { type InletSource, parseManifest } from '../../lib/manifest.ts';
import type { RecordInput } from '../support/forwarding.ts';
import { aggregate } from '../support/kpl.ts';
import { type Outcome, transforming } from '../support/transforming.ts';

const PAGE = readFileSync(new URL('../../docs/records.md', import.meta.url), 'utf8');

interface Row {
  readonly record: string;
  readonly becomes: string;
}
interface Extract {
  readonly source: Record<string, unknown>;
  readonly rows: readonly Row[];
}

/** A block of JSON, and the table of records right below it, where there is one. */
const EXTRACTS: Extract[] = Array.from(
  PAGE.matchAll(
    /^```json\n([\s\S]*?)^```\n\n(?:\| Record \| What becomes of it \|\n\| --- \| --- \|\n((?:\|.*\n)+))?/gm,
  ),
  ([, json = '', table = '']) => ({
    source: JSON.parse(json) as Record<string, unknown>,
    rows: Array.from(table.matchAll(/^\| (.+?) \| (.+) \|$/gm), ([, record = '', becomes = '']) => ({
      record,
      becomes,
    })),
  }),
);

/** The rest of a manifest in which everything that an extract can ask for is allowed. */
function sourceIn(extract: Record<string, unknown>): InletSource {
  const mapping = [{ source: 'id', destination: '{tenant}.id' }];
  const { source } = parseManifest({
    version: 1,
    name: 'customers',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'customers', ...extract },
    schema: {
      class: 'profile',
      fieldGroups: [{ name: 'own', fields: { id: { type: 'string' } } }],
      identities: [{ path: '{tenant}.id', namespace: 'Email', primary: true }],
      profile: true,
    },
    dataset: { profile: true, upsert: true },
    allowIrreversible: true,
    ...(extract.data === 'raw' && { mapping }),
  });
  if (source.kind !== 'inlet') throw new Error('the extract is of another kind of source');
  return source;
}

/** The bytes that the page's notation stands for. */
function bytesOf(notation: string): Buffer {
  const [, format, inner = ''] = /^(gzip|zlib|zstd|kpl)\((.*)\)$/s.exec(notation) ?? [];
  if (format === 'gzip') return gzipSync(bytesOf(inner));
  if (format === 'zlib') return deflateSync(bytesOf(inner));
  if (format === 'zstd') return zstdCompressSync(bytesOf(inner));
  if (format === 'kpl') return aggregate(inner.split(', ').map((one) => ({ key: 'k', data: bytesOf(one) })));
  return Buffer.from(notation.replaceAll('⏎', '\n').replaceAll('⇥', '\t').replaceAll('␞', '\x1e'));
}

function recordOf({ record }: Row): RecordInput {
  if (record === '(nothing)') return { data: '' };
  const [, code] = /^`(.*)`$/.exec(record) ?? [];
  if (code === undefined) throw new Error(`neither a record nor (nothing): ${record}`);
  return bytesOf(code);
}

/** `sent: …`, `filtered` and `rejected: …`, of which an aggregate has several. */
function expected({ becomes }: Row): (string | RegExp)[] {
  const all = [...becomes.matchAll(/(?:(sent|rejected): `(.*?)`|filtered)(?:; |$)/g)];
  if (becomes === 'no message') return [];
  if (all.map(([text]) => text).join('') !== becomes) throw new Error(`not understood: ${becomes}`);
  return all.map(([, kind, code = '']) => {
    if (kind === undefined) return 'filtered';
    if (kind === 'rejected') return `rejected: ${code}`;
    const literal = code.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^sent: ${literal.join('[^]+')}$`);
  });
}

const found = ({ sent, verdict }: Outcome): string =>
  sent !== undefined ? `sent: ${sent}` : verdict === 'filtered' ? verdict : `rejected: ${verdict}`;

const cases = EXTRACTS.flatMap(({ source, rows }) => rows.map((row) => ({ source, ...row })));

describe('13 A 3: docs/records.md', () => {
  it('has an extract for every option of `source` that is about records', () => {
    const options = EXTRACTS.flatMap(({ source }) => [
      ...Object.keys(source),
      ...Object.keys((source.records as object) ?? {}),
    ]);
    expect([...new Set(options)].sort()).toEqual([
      'compression',
      'data',
      'deletions',
      'derive',
      'format',
      'onOutage',
      'operations',
      'order',
      'parkAfterSeconds',
      'passOver',
      'rate',
      'records',
      'redact',
      'select',
      'where',
    ]);
    expect(cases.length).toBeGreaterThan(30);
    // Records of avro and protobuf are no text, and an outage is none of a record.
    expect(EXTRACTS.filter(({ rows }) => rows.length === 0)).toHaveLength(6);
  });

  it.each(EXTRACTS)('an extract is part of a manifest: $source', ({ source }) => {
    const { format } = source;
    const named = typeof format === 'string' ? { ...source, format: { kind: format } } : source;
    expect(sourceIn(source)).toMatchObject(named);
  });

  it.each(cases)('$record becomes $becomes by $source', ({ source, ...row }) => {
    const { records, data, compression, format: asked } = sourceIn(source);
    const format = publishedFormat(asked);
    const outcomes = transforming(records, { data, compression, ...(format && { format }) })(
      recordOf(row),
    ).map(found);
    const wanted = expected(row);
    expect(outcomes).toHaveLength(wanted.length);
    for (const [index, one] of wanted.entries()) expect(outcomes[index]).toMatch(one);
  });

  it('says the sizes of the code', () => {
    const sizes = PAGE.slice(PAGE.indexOf('## Sizes'));
    for (const size of [
      `${MAX_REQUEST_BYTES.toLocaleString('en')} bytes (the inlet`,
      `${MAX_UNPACKED_BYTES / 1024 / 1024} MiB | \`gzip-too-large\``,
      `| ${MAX_RECORD_BYTES / 1024 / 1024} MiB | the same |`,
      `out of one record | ${MAX_PIECES.toLocaleString('en')} |`,
      `| levels of nesting | ${MAX_DEPTH} |`,
      `${MAX_RECORDS_BYTES.toLocaleString('en')} bytes | the manifest is refused`,
    ])
      expect(sizes).toContain(size);
  });
});
