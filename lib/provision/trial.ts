// Mappings tried out through Data Prep: does each one compile, and do the samples become what they must?
import type { Aep } from '../aep/client.ts';
import type { NewMappingSet } from '../aep/data-prep.ts';
import { Failure } from '../failure.ts';
import { withDigits } from '../json-text.ts';
import { differencesOf, inOwnNamespace, recordOf, type Samples } from '../samples.ts';

/** Lines of a message: enough to begin with. */
const MOST_LINES = 20;

/** @throws Failure `MAPPING_INVALID` naming every mapping that does not compile */
export async function tryMapping(aep: Aep, set: NewMappingSet): Promise<void> {
  const faults = await aep.dataPrep.validateMappings(set);
  if (faults.length > 0) throw invalid('Data Prep refuses the mapping', faults);
}

/**
 * Sends the records through the mapping and compares what comes out with the XDM that must come out.
 * @throws Failure `MAPPING_INVALID` naming each sample and each path that differs
 */
export async function trySamples(
  aep: Aep,
  set: NewMappingSet,
  samples: Samples,
  tenant: string | undefined,
): Promise<void> {
  const rows = await aep.dataPrep.previewMappings(set, samples.map(recordOf), withDigits);
  const faults = samples.flatMap((sample, index) => {
    const row = rows[index];
    const name = sample.name ?? `sample ${index + 1}`;
    const differences = differencesOf(inOwnNamespace(sample.xdm, tenant), row?.data);
    // What fails leaves its field empty: where the sample says so, that is right.
    const errors = differences.length > 0 ? (row?.errors ?? []) : [];
    return [...errors, ...differences].map((line) => `${name}: ${line}`);
  });
  if (faults.length > 0) throw invalid('the samples do not become what they must', faults);
}

function invalid(what: string, faults: readonly string[]): Failure {
  const more = faults.length > MOST_LINES ? [`… and ${faults.length - MOST_LINES} more`] : [];
  const lines = [...faults.slice(0, MOST_LINES), ...more].map((line) => `  ${line}`);
  return new Failure('MAPPING_INVALID', `${what}:\n${lines.join('\n')}\n`);
}
