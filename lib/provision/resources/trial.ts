// Tries mappings with Data Prep: does each one compile, and do the samples become the expected XDM?
import type { Aep } from '../../aep/client.ts';
import type { MappingFault, NewMappingSet } from '../../aep/data-prep.ts';
import type { SchemaFields } from '../../aep/schema-registry.ts';
import { Failure } from '../../failure.ts';
import { withDigits } from '../../json-text.ts';
import { nearest } from '../../nearest.ts';
import { inOwnNamespace, mismatches, type Samples, sampleRecord } from '../../samples.ts';

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

/** A set's rows are the manifest's, in the same order and at the same places. */
function told({ row, destination, message }: MappingFault): string {
  const place = row === undefined ? 'mapping' : `mapping.${row}`;
  return `${place}${destination === undefined ? '' : ` (${destination})`}: ${message}`;
}

/** The nearest field of the schema, for a fault whose destination is no field of it. */
function nearestPath({ destination }: MappingFault, fields: SchemaFields): string {
  const path = destination?.replace(/\[[^\]]*\]/g, '');
  const near = path === undefined ? undefined : nearestField(path.split('.'), fields);
  return near === undefined || near === path ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

/** Step by step, the nearest name. What whole paths have in common would outweigh the wrong name. */
function nearestField(
  [step, ...rest]: readonly string[],
  { properties = {} }: SchemaFields,
): string | undefined {
  if (step === undefined) return undefined;
  const names = Object.keys(properties);
  const name = names.includes(step) ? step : nearest(step, names);
  const field = name === undefined ? undefined : properties[name];
  if (field === undefined || rest.length === 0) return name;
  const below = nearestField(rest, field);
  return below === undefined ? undefined : `${name}.${below}`;
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
 * Sends the records through the mapping and compares the result with the expected XDM.
 * @throws Failure `MAPPING_INVALID` naming each sample and each path that differs
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
    return [...errors.map(told), ...differences].map((line) => `${name}: ${line}`);
  });
  if (faults.length > 0) throw invalid('the samples do not become the expected XDM', faults);
}

function invalid(what: string, faults: readonly string[]): Failure {
  const more = faults.length > MAX_TRIAL_LINES ? [`… and ${faults.length - MAX_TRIAL_LINES} more`] : [];
  const lines = [...faults.slice(0, MAX_TRIAL_LINES), ...more].map((line) => `  ${line}`);
  return new Failure('MAPPING_INVALID', `${what}:\n${lines.join('\n')}\n`);
}
