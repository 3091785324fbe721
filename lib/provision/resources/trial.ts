// Tries mappings with Data Prep: does each one compile, and do the samples become the expected XDM?
import type { Aep } from '../../aep/client.ts';
import { type MappingFault, type NewMappingSet, placeText } from '../../aep/data-prep.ts';
import type { SchemaFields } from '../../aep/schema-registry.ts';
import { Failure } from '../../failure.ts';
import { withDigits } from '../../json-text.ts';
import { nearest } from '../../nearest.ts';
import { inOwnNamespace, type Mismatch, mismatches, type Samples, sampleRecord } from '../../samples.ts';

/** Most lines of a message. */
const MAX_TRIAL_LINES = 20;

/** @throws Failure `MAPPING_INVALID` naming every mapping that does not compile */
export async function tryMapping(aep: Aep, set: NewMappingSet): Promise<void> {
  const faults = await aep.dataPrep.validateMappings(set);
  if (faults.length === 0) return;
  const fields = await schemaFieldsOf(aep, set);
  const lines = faults.map((fault) => `${told(fault)}${nearestPath(fault, fields)}`);
  throw invalid('Data Prep refuses the mapping', lines);
}

/** A set's rows are the manifest's, in its order: the place in the one is the place in the other. */
function told(fault: MappingFault): string {
  return `${placeText(fault)}: ${fault.message}`;
}

/** The nearest field of the schema, for a fault whose destination is no field of it. */
function nearestPath({ destination }: MappingFault, fields: SchemaFields): string {
  const near = destination === undefined ? undefined : nearestField(destinationSteps(destination), fields);
  return near === undefined || near === destination ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

/** `orders[*].sku` has the steps `orders[*]` and `sku`. */
function destinationSteps(path: string): string[] {
  return path.match(/(?:[^.[]|\[[^\]]*\])+/g) ?? [];
}

/**
 * Step by step, the nearest name there is; what whole paths have in common would outweigh the name that is wrong. What stands in
 * brackets stays: it says which items of an array are meant.
 */
function nearestField([step, ...rest]: readonly string[], within: SchemaFields): string | undefined {
  if (step === undefined) return undefined;
  const { properties = {} } = itemFields(within);
  const [, asked = '', brackets = ''] = /^([^[]*)(.*)$/s.exec(step) ?? [];
  const names = Object.keys(properties);
  const name = names.includes(asked) ? asked : nearest(asked, names);
  const field = name === undefined ? undefined : properties[name];
  if (field === undefined) return undefined;
  if (rest.length === 0) return `${name}${brackets}`;
  const below = nearestField(rest, field);
  return below === undefined ? undefined : `${name}${brackets}.${below}`;
}

/** Fields within an array are those of its items, however many arrays there are in each other. */
function itemFields(fields: SchemaFields): SchemaFields {
  return fields.items === undefined ? fields : itemFields(fields.items);
}

/** Nothing if they cannot be read: the fault is reported anyway. */
async function schemaFieldsOf(aep: Aep, { schemaId }: NewMappingSet): Promise<SchemaFields> {
  try {
    return await aep.schemaRegistry.getFields(schemaId);
  } catch {
    return {};
  }
}

/**
 * Sends the records through the mapping and compares what comes out with the XDM that must come out.
 * @throws Failure `MAPPING_INVALID` naming each sample, each path that differs, and the row of the mapping that writes it
 */
export async function trySamples(
  aep: Aep,
  set: NewMappingSet,
  samples: Samples,
  tenant: string | undefined,
): Promise<void> {
  const rows = await aep.dataPrep.previewMappings(set, samples.map(sampleRecord), withDigits);
  const faults = samples.flatMap((sample, index) => {
    const row = rows[index];
    const name = sample.name ?? `sample ${index + 1}`;
    const differences = mismatches(inOwnNamespace(sample.xdm, tenant), row?.data);
    // A failed row leaves its field empty. If the sample expects that, it is right.
    const errors = differences.length > 0 ? (row?.errors ?? []) : [];
    const lines = [...errors.map(told), ...differences.map((one) => differing(one, set))];
    return lines.map((line) => `${name}: ${line}`);
  });
  if (faults.length > 0) throw invalid('the samples do not become the expected XDM', faults);
}

/** With the row of the mapping, where exactly one has to do with the place that differs. */
function differing({ path, text }: Mismatch, { mappings }: NewMappingSet): string {
  const rows = mappings.flatMap(({ destination }, row) => (writesAt(destination, path) ? [row] : []));
  return rows.length === 1 ? `${text} (mapping.${rows[0]})` : text;
}

/** A row writes all below its destination, and what is above it would not be there without one. */
function writesAt(destination: string, path: string): boolean {
  const at = pathSteps(path);
  return pathSteps(destination)
    .slice(0, at.length)
    .every((step, index) => step === '*' || step === at[index]);
}

/** `a[0].b` as `a`, `0`, `b`. In a destination, `a[*].b` and `a[].b` stand for every entry. */
function pathSteps(path: string): string[] {
  return path
    .replaceAll('[]', '[*]')
    .split(/[.[\]]+/)
    .filter((step) => step !== '');
}

function invalid(what: string, faults: readonly string[]): Failure {
  const more = faults.length > MAX_TRIAL_LINES ? [`… and ${faults.length - MAX_TRIAL_LINES} more`] : [];
  const lines = [...faults.slice(0, MAX_TRIAL_LINES), ...more].map((line) => `  ${line}`);
  return new Failure('MAPPING_INVALID', `${what}:\n${lines.join('\n')}\n`);
}
