// Warns about mappings that write an array in a merge but do not say how to merge it.
import type { Manifest, MappingRow } from '../../manifest.ts';
import { IDENTITY_MAP, merges } from '../../operations.ts';
import { ownGroups } from '../../pipeline.ts';
import { inOwnNamespace, type Samples } from '../../samples.ts';
import { clip } from '../clip.ts';

/** The functions of Data Prep that say how to merge an array. */
const ARRAY_FUNCTION = /\bupsert_array_(append|replace)\s*\(/;
/**
 * Functions that return an array, if they are the outermost call.
 * Source: experienceleague.adobe.com/en/docs/experience-platform/data-prep/functions.
 */
const MAKES =
  /^\s*(explode|split|extract_regex|to_array|add_to_array|join_arrays|filterArray|transformArray|flattenArray|get_keys|get_values|map_get_values)\s*\(/;

/** A field as Schema Registry or a manifest describes it. */
export interface FieldTree {
  readonly type?: string | undefined;
  readonly properties?: Readonly<Record<string, FieldTree>> | undefined;
}

/** Most bytes of the warning; the document has to hold it. */
const MAX_WARNING_BYTES = 1_500;

/**
 * A warning for mappings that write an array, or into one. The destination, the expression, the manifest's
 * own fields, the samples or the schema's `fields` show it. Adobe: "When using arrays in streaming upserts,
 * you must explicitly use upsert_array_append or upsert_array_replace" (data-prep/upserts). The identity map
 * is left out: it is no attribute of the profile.
 */
export function arrayWarnings(
  manifest: Manifest,
  samples: Samples = [],
  fields: FieldTree = {},
  tenant?: string,
): string[] {
  if (!merges(manifest)) return [];
  const found = (manifest.mapping ?? []).flatMap((one, index) => {
    if ('expression' in one && ARRAY_FUNCTION.test(one.expression)) return [];
    const why = whyArray(one, manifest, samples, fields, tenant);
    return why === undefined ? [] : [`mapping.${index} to ${one.destination} (${why})`];
  });
  if (found.length === 0) return [];
  const what =
    'Arrays in a merge: expected an expression with upsert_array_append or upsert_array_replace; without it AEP may refuse the record';
  return [clip(`${what}. Found none in ${found.join(', ')}`, MAX_WARNING_BYTES)];
}

function whyArray(
  one: MappingRow,
  manifest: Manifest,
  samples: Samples,
  fields: FieldTree,
  tenant: string | undefined,
): string | undefined {
  const { destination } = one;
  const named = destination.split('.').map((step) => step.replace(/\[.*$/, ''));
  if (named[0] === IDENTITY_MAP) return undefined;
  if (/\[[^\]]*\]/.test(destination)) return 'its path has an index';
  if ('expression' in one && MAKES.test(one.expression)) return 'its expression makes one';
  const own = tenant === undefined ? '{tenant}' : `_${tenant}`;
  const steps = named[0] === '{tenant}' ? [own, ...named.slice(1)] : named;
  // If the organization's namespace is not known, a written-out name with "_" counts as it.
  const isWrittenOut = tenant === undefined && named.length > 1 && named[0]?.startsWith('_') === true;
  if (leadsToArray(ownFields(manifest, own), isWrittenOut ? [own, ...named.slice(1)] : steps))
    return 'by its field group';
  if (leadsToArray(fields, steps)) return 'by the schema';
  const index = samples.findIndex(({ xdm }) => hasArray(inOwnNamespace(xdm, tenant), steps));
  return index < 0 ? undefined : `by ${samples[index]?.name ?? `sample ${index + 1}`}`;
}

/** The fields of the manifest's own field groups, below the organization's namespace. */
function ownFields(manifest: Manifest, own: string): FieldTree {
  const groups = ownGroups(manifest).map((group) => group.fields as Readonly<Record<string, FieldTree>>);
  return { properties: { [own]: { properties: Object.assign({}, ...groups) } } };
}

/** Whether the field, or one on the way to it, is an array. */
function leadsToArray(root: FieldTree, steps: readonly string[]): boolean {
  let here: FieldTree | undefined = root;
  for (const step of steps) {
    here = Object.hasOwn(here.properties ?? {}, step) ? here.properties?.[step] : undefined;
    if (here === undefined) return false;
    if (here.type === 'array') return true;
  }
  return false;
}

function hasArray(value: unknown, steps: readonly string[]): boolean {
  let here = value;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return false;
    here = (here as Readonly<Record<string, unknown>>)[step];
    if (Array.isArray(here)) return true;
  }
  return false;
}
