// Rules of the mapping: what Data Prep takes as a source, the organization's namespace, and what every event needs.
import { CLASSES, idOf } from '../manifest.ts';
import { isWrittenOut, meantSource } from '../provision/plan/foreseen.ts';
import { type Edit, jsonPointer } from './json-edit.ts';
import { asList, asObject, asText, type Lint, type WrittenManifest } from './written.ts';

export function mappingLints(written: WrittenManifest): Lint[] {
  const source = asObject(written.source) ?? {};
  if (!Array.isArray(written.mapping)) return [];
  const rows = asList(written.mapping).map((row) => asObject(row) ?? {});
  if (source.data === 'xdm') return [rawLint()];
  return [
    ...rows.flatMap(sourceLint),
    ...rows.flatMap((row, index) => tenantLint(['mapping', index, 'destination'], row.destination)),
    ...asList(asObject(written.schema)?.identities).flatMap((one, index) =>
      tenantLint(['schema', 'identities', index, 'path'], asObject(one)?.path),
    ),
    ...repeatedRows(rows),
    ...eventLints(written, source, rows),
  ];
}

function rawLint(): Lint {
  const at = '/source/data';
  const says = 'found "xdm" beside a mapping; records that are XDM already are not mapped';
  return { rule: 'raw', at, says, does: 'writes "raw"', edits: [{ op: 'set', at, value: 'raw' }] };
}

/** A JSONPath, a JSON Pointer, a constant or a calculated field in place of a path. */
function sourceLint(row: WrittenManifest, index: number): Lint[] {
  const found = asText(row.source);
  const meant = found === undefined || row.sourceType !== undefined ? undefined : meantSource(found.trim());
  if (meant === undefined) return [];
  const at = jsonPointer(['mapping', index, 'source']);
  const says = `found ${JSON.stringify(found)}, ${meant.kind}; expected the names of the record's fields with dots between them`;
  if ('path' in meant && meant.path === '') return [{ rule: 'source', at, says }];
  const edits: Edit[] =
    'path' in meant
      ? [{ op: 'set', at, value: meant.path }]
      : [
          { op: 'rename', at, to: 'expression' },
          { op: 'set', at: jsonPointer(['mapping', index, 'expression']), value: meant.expression },
        ];
  const does =
    'path' in meant
      ? `writes ${JSON.stringify(meant.path)}`
      : `makes it {"expression": ${JSON.stringify(meant.expression)}}`;
  return [{ rule: 'source', at, says, does, edits }];
}

function tenantLint(path: readonly PropertyKey[], found: unknown): Lint[] {
  const text = asText(found);
  if (text === undefined || !isWrittenOut(text.split(/[.[]/)[0] ?? '')) return [];
  const value = text.replace(/^_[A-Za-z0-9]+/, '{tenant}');
  const at = jsonPointer(path);
  const says = `found ${JSON.stringify(text)}, a namespace written out: every other organization refuses it`;
  return [
    { rule: 'tenant', at, says, does: `writes ${JSON.stringify(value)}`, edits: [{ op: 'set', at, value }] },
  ];
}

/** Data Prep takes each destination once. Of two rows that are the same, one can go. */
function repeatedRows(rows: readonly WrittenManifest[]): Lint[] {
  const texts = rows.map((row) => JSON.stringify(row));
  return rows.flatMap((_, index) => {
    if (texts.indexOf(texts[index] ?? '') === index) return [];
    const at = jsonPointer(['mapping', index]);
    const says = 'the same row is there already';
    return [{ rule: 'row-twice', at, says, does: 'removes it', edits: [{ op: 'remove' as const, at }] }];
  });
}

/** Every event has them, and the forwarder knows both: from the place in the stream, and the time of arrival. */
function eventLints(
  written: WrittenManifest,
  source: WrittenManifest,
  rows: readonly WrittenManifest[],
): Lint[] {
  const schema = asObject(written.schema) ?? {};
  if (idOf(asText(schema.class) ?? '', CLASSES) !== CLASSES.experienceevent) return [];
  const mapped = rows.map(({ destination, destinationXdmPath }) => destination ?? destinationXdmPath);
  const derived = asList(asObject(source.records)?.derive);
  return ['_id', 'timestamp'].flatMap((member) => {
    if (mapped.includes(member)) return [];
    const says = `found no mapping to ${member}; AEP refuses every event without it`;
    if (source.kind !== 'inlet') return [{ rule: 'event', at: '/mapping', says }];
    const derive: Edit[] = derived.some((one) => one === member || asObject(one)?.member === member)
      ? []
      : [
          derived.length === 0 && asObject(source.records)?.derive === undefined
            ? { op: 'set', at: '/source/records/derive', value: [member] }
            : { op: 'set', at: '/source/records/derive/-', value: member },
        ];
    const row: Edit = { op: 'set', at: '/mapping/-', value: { source: member, destination: member } };
    const from = member === '_id' ? "the record's place in the stream" : 'the time of its arrival';
    return [{ rule: 'event', at: '/mapping', says, does: `adds it, from ${from}`, edits: [...derive, row] }];
  });
}
