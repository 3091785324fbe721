// Saves a mapping that somebody typed into the file of its manifest, where the check finds nothing wrong with it.
import * as z from 'zod';
import { MAX_FILE_BYTES } from '../../lib/bounds.ts';
import { isFailure } from '../../lib/failure.ts';
import { jsonIn } from '../../lib/json-text.ts';
import { editJson } from '../../lib/lint/json-edit.ts';
import { lintsOf } from '../../lib/lint/lint.ts';
import { asList, asObject } from '../../lib/lint/written.ts';
import { Manifest, type MappingRow } from '../../lib/manifest.ts';
import { manifestInFile, writtenInFile } from '../../lib/schemas/files.ts';
import { type KnownPipeline, knownPipelines } from './known.ts';
import { ManifestFileError, type ReadFile } from './manifest-files.ts';
import { mappingEdits } from './mapping-edits.ts';
import type { Acted, Asked } from './serve.ts';
import type { MappingLine, SavedMapping, Saving, UnsavedMapping } from './told.ts';
import type { Edit, Looked, Watched } from './watched.ts';

/** The rows of its file, and whether they can be saved. */
export async function savedMapping({ edit }: Watched, known: KnownPipeline): Promise<SavedMapping> {
  const inForce = linesOf(known.manifest?.mapping);
  const told = (saving: Saving) => ({ rows: inForce, saving });
  if (edit === undefined) return told({ state: 'off' });
  try {
    const read = await edit.files.read(known.name);
    return read === undefined ? told({ state: 'elsewhere' }) : savedIn(read, known);
  } catch (error) {
    return told({ state: 'unreadable', why: whyOf(error) });
  }
}

/** @throws Failure, ManifestFileError where the file is not the pipeline's manifest */
function savedIn(read: ReadFile, known: KnownPipeline): SavedMapping {
  const { file, text, version } = read;
  const { manifest } = manifestInFile(text, file);
  if (manifest.name !== known.name)
    throw new ManifestFileError(`${file} is the manifest of ${manifest.name} by now.`);
  const rows = linesOf(manifest.mapping);
  const isInForce = JSON.stringify(rows) === JSON.stringify(linesOf(known.manifest?.mapping));
  return { rows, saving: { state: 'on', file, version, isInForce } };
}

const linesOf = (rows: readonly MappingRow[] = []): MappingLine[] =>
  rows.map((line, row) =>
    'source' in line
      ? { kind: 'field', from: line.source, destination: line.destination, row }
      : { kind: 'expression', from: line.expression, destination: line.destination, row },
  );

const Wanted = z.object({
  pipeline: z.string(),
  version: z.string(),
  rows: z
    .array(
      z.object({
        kind: z.enum(['field', 'expression']),
        from: z.string(),
        destination: z.string(),
        row: z.int().min(0).exactOptional(),
      }),
    )
    .max(1_000),
});
type Wanted = z.infer<typeof Wanted>;

/** @returns 200 with what the file has now. 409 if it has changed, 422 if the check finds mistakes, 400 for all else, each with why */
export async function saveMapping({ watched }: Looked, asked: Asked): Promise<Acted | undefined> {
  const { edit, executions } = watched;
  if (asked.method !== 'POST' || asked.path !== '') return undefined;
  if (edit === undefined)
    return unsaved(400, { why: 'Nothing can be saved: it was started without --edit.' });
  const wanted = wantedOf(asked.body);
  if (wanted === undefined) return unsaved(400, { why: 'Expected {"pipeline", "version", "rows": […]}.' });
  const known = knownPipelines(executions.all).get(wanted.pipeline);
  if (known === undefined) return unsaved(404, { why: `There is no pipeline ${wanted.pipeline} here.` });
  try {
    return await save(edit, known, wanted);
  } catch (error) {
    return unsaved(400, { why: whyOf(error) });
  }
}

function wantedOf(body: Buffer): Wanted | undefined {
  try {
    return Wanted.parse(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}

async function save(edit: Edit, known: KnownPipeline, wanted: Wanted): Promise<Acted | undefined> {
  const { name } = known;
  const read = await edit.files.read(name);
  if (read === undefined)
    return unsaved(400, { why: `${name} has no manifest among those that it was started with.` });
  const before = savedIn(read, known);
  if (read.version !== wanted.version) {
    // The answer to a try before was lost: the file has these rows already.
    const isThere = same(before.rows, wanted.rows);
    return isThere ? { status: 200, body: before } : hasChanged(read.file);
  }
  const text = edited(read.text, before.rows, wanted.rows);
  if (text === undefined) return unsaved(400, { why: 'Kept rows must be in their order, before new ones.' });
  const refused = await refusalOf(edit, read.file, text);
  if (refused !== undefined) return unsaved(422, refused);
  const saved = await edit.files.replace(name, read.version, text);
  return saved === undefined ? hasChanged(read.file) : { status: 200, body: savedIn(saved, known) };
}

const same = (these: readonly MappingLine[], those: readonly MappingLine[]) =>
  JSON.stringify(these.map(valuesOf)) === JSON.stringify(those.map(valuesOf));
const valuesOf = ({ kind, from, destination }: MappingLine) => [kind, from, destination];

function edited(text: string, before: readonly MappingLine[], wanted: readonly MappingLine[]) {
  const written = asList(asObject(jsonIn(text, ''))?.mapping);
  const edits = mappingEdits(written, before, wanted);
  return edits && editJson(text, edits);
}

/** `undefined` where nothing is wrong with it. */
async function refusalOf(edit: Edit, file: string, text: string) {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    return { why: `The file would have more than ${MAX_FILE_BYTES} bytes.` };
  const mistakes = await edit.check(file, text);
  if (mistakes.length === 0) return undefined;
  const why = 'Nothing is saved: the check finds mistakes. Correct them, or the samples beside the file.';
  return { why, mistakes, rows: faultsByRow(writtenInFile(text, file)) };
}

/** What is wrong at a row, by the places that mistakes and lints name. */
function faultsByRow(written: unknown): (string | null)[] {
  const rows = asList(asObject(written)?.mapping);
  const found = Manifest.safeParse(written);
  const issues = found.success ? [] : found.error.issues;
  return rows.map((_, index) => {
    const ofRow = issues.filter(({ path: [list, row] }) => list === 'mapping' && row === index);
    const lints = lintsOf(written).filter(({ at }) => `${at}/`.startsWith(`/mapping/${index}/`));
    const faults = [...ofRow.map(({ message }) => message), ...lints.map(({ says }) => says)];
    return faults.length === 0 ? null : faults.join('; ');
  });
}

const hasChanged = (file: string) =>
  unsaved(409, { why: `${file} has changed since it was read.`, hasChanged: true });

function unsaved(status: number, told: Partial<UnsavedMapping> & { readonly why: string }): Acted {
  const body: UnsavedMapping = { hasChanged: false, rows: [], mistakes: [], ...told };
  return { status, body };
}

/** @throws what is neither of the file nor of the manifest in it */
function whyOf(error: unknown): string {
  if (isFailure(error)) return error.what.trimEnd();
  if (error instanceof ManifestFileError) return error.message;
  throw error;
}
