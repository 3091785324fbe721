// The mapping set: how a raw record becomes XDM. Tried before it is made.
import type { Mapping, MappingSet, NewMappingSet } from '../../aep/data-prep.ts';
import type { Flow } from '../../aep/flow-service.ts';
import { Failure } from '../../failure.ts';
import { nameInAep } from '../../pipeline.ts';
import { fingerprintOf } from './fingerprint.ts';
import { tagInDescription } from './ownership-tag.ts';
import {
  type Context,
  type Difference,
  EARLIER,
  type FixedResource,
  type Found,
  idOfMade,
  ifThere,
  inTenant,
  required,
  type Situation,
  tagByPlan,
} from './resource.ts';
import { tryMapping, trySamples } from './trial.ts';

/** How far back sets without a reference are looked for. They can be large, and do no harm. */
const NEWEST = 20;

/** The manifest's mapping in Data Prep's words. */
export function mappingsOf(situation: Pick<Situation, 'manifest' | 'tenant'>): Mapping[] {
  return (situation.manifest.mapping ?? []).map((entry) => ({
    sourceType: 'source' in entry ? 'ATTRIBUTE' : 'EXPRESSION',
    source: inTenant('source' in entry ? entry.source : entry.expression, situation),
    destination: inTenant(entry.destination, situation),
  }));
}

/**
 * A mapping set has no description and no tags, so its name is its ownership tag. The name ends in a hash of
 * the content: equal name, equal content. Another mapping gets another set; the one that a live flow uses is
 * never rewritten.
 */
function taggedName(situation: Situation): string {
  const hash = fingerprintOf([idOfMade(situation, 'schema'), mappingsOf(situation)]);
  const { manifest } = situation;
  return `${nameInAep('mapping', manifest)} [penstock ${manifest.name} ${hash}]`;
}

/** Whether the name ends as this pipeline's names do. The manifest chooses what precedes that. */
function isOwnName(name: string | null | undefined, { manifest }: Pick<Situation, 'manifest'>): boolean {
  return /\[penstock (\S+) [0-9a-f]{12}\]$/.exec(name ?? '')?.[1] === manifest.name;
}

export function mappingSetOf(situation: Situation): NewMappingSet {
  return {
    name: taggedName(situation),
    schemaId: required(situation, 'schema'),
    mappings: mappingsOf(situation),
  };
}

/** Where the two sets differ, destination by destination. */
function differencesOf(there: MappingSet, situation: Situation): Difference[] {
  const remedy = 'replace' as const;
  const wanted = new Map(mappingsOf(situation).map((one) => [one.destination, sourceText(one)]));
  const found = new Map((there.mappings ?? []).map((one) => [one.destination, sourceText(one)]));
  if (there.mappings === undefined)
    return [{ field: 'mapping', found: there.name ?? there.id, wanted: 'another one', remedy }];
  const fields = [...new Set([...wanted.keys(), ...found.keys()])];
  const schemaId = idOfMade(situation, 'schema');
  return [
    ...(there.schemaId === schemaId || there.schemaId === undefined
      ? []
      : [
          {
            field: 'mapping.schema',
            found: there.schemaId,
            wanted: schemaId ?? 'one still to be made',
            remedy,
          },
        ]),
    ...fields
      .filter((field) => wanted.get(field) !== found.get(field))
      .map((field) => ({
        field: `mapping ${field}`,
        found: found.get(field) ?? 'nothing',
        wanted: wanted.get(field) ?? 'nothing',
        remedy,
      })),
  ];
}

/** AEP has older words for the two kinds. Contract §5.1. */
function sourceText({ source, sourceType }: { source: string; sourceType: string }): string {
  // A legacy row does not name its kind: if it is a path, it is an attribute.
  const path = sourceType === '' ? /^[\w.$[\]]+$/.test(source) : /attribute|schema-path/i.test(sourceType);
  return `${source} (${path ? 'ATTRIBUTE' : 'EXPRESSION'})`;
}

function asFound(one: MappingSet, situation: Situation, differences: readonly Difference[]): Found {
  return {
    id: one.id,
    name: one.name ?? undefined,
    ownershipTag: tagByPlan(situation, 'mapping'),
    differences,
    createdAt: one.createdDate,
    details: { version: one.version },
  };
}

/** Ours are never rewritten. In AEP's pages somebody can change one by hand, and then its version changes. */
function rewritten(one: MappingSet, situation: Situation): Difference[] {
  return one.version === 0 || one.mappings === undefined ? [] : differencesOf(one, situation);
}

/**
 * Sets of this pipeline: the wanted one, and those that map something else. The latter were in use until now,
 * or an execution that ended early made them.
 */
async function ownSets({ aep }: Context, situation: Situation): Promise<Found[]> {
  const own = taggedName(situation);
  const newest = await aep.dataPrep.newestMappingSets(NEWEST);
  const named = newest.filter(({ name }) => name === own);
  const wanted = named.length > 0 ? named : await aep.dataPrep.findMappingSets(own);
  const others = newest.filter(({ name }) => isOwnName(name, situation) && name !== own);
  return [
    ...wanted.map((one) => asFound(one, situation, rewritten(one, situation))),
    ...others.map((one) => earlier(asFound(one, situation, differencesOf(one, situation)), situation)),
  ];
}

/** Somebody made it, but not this execution. */
function earlier(found: Found, { manifest }: Situation): Found {
  return { ...found, ownershipTag: { pipeline: manifest.name, execution: EARLIER } };
}

/** The set of a hand-made flow, if it does what this manifest wants: to be adopted, or adopted already. */
async function setOfFlow({ aep }: Context, situation: Situation): Promise<Found[]> {
  const { manifest } = situation;
  for (const flow of await aep.flowService.findFlows(nameInAep('flow', manifest))) {
    if (!manifest.adopt && tagInDescription(flow.description)?.pipeline !== manifest.name) continue;
    const params = mappingParams(flow);
    if (params?.mappingId === undefined) continue;
    // The version that it uses: somebody may have rewritten the set since.
    const set = await ifThere(aep.dataPrep.getMappingSet(params.mappingId, params.mappingVersion));
    if (set !== undefined && differencesOf(set, situation).length === 0)
      return [earlier(asFound(set, situation, []), situation)];
  }
  return [];
}

function mappingParams({ transformations }: Flow) {
  return transformations?.find(({ name }) => name === 'Mapping')?.params;
}

/** A hand-made set in the version that the flow uses. Ours have one version: another is somebody's change. */
async function asUsed({ aep }: Context, set: MappingSet, situation: Situation): Promise<MappingSet> {
  if (set.version === 0 || isOwnName(set.name, situation)) return set;
  const flows = await aep.flowService.findFlows(nameInAep('flow', situation.manifest));
  const used = flows.map(mappingParams).find((one) => one?.mappingId === set.id)?.mappingVersion;
  return used === undefined || used === set.version ? set : aep.dataPrep.getMappingSet(set.id, used);
}

export const mapping: FixedResource = {
  kind: 'fixed',
  key: 'mapping',
  of: 'schema',
  needed: (manifest) => manifest.mapping !== undefined,

  async find(context, situation) {
    // The name contains the schema's id. Without one, no set can exist.
    if (idOfMade(situation, 'schema') === undefined) return [];
    const all = await ownSets(context, situation);
    return all.length > 0 ? all : setOfFlow(context, situation);
  },

  async get(context, situation, id) {
    const set = await asUsed(context, await context.aep.dataPrep.getMappingSet(id), situation);
    return earlier(asFound(set, situation, differencesOf(set, situation)), situation);
  },

  async create({ aep }, situation) {
    const set = mappingSetOf(situation);
    await tryMapping(aep, set);
    if (situation.samples !== undefined) await trySamples(aep, set, situation.samples, situation.tenant);
    const created = await aep.dataPrep.createMappingSet(set);
    return { id: created.id, version: created.version };
  },

  async remove({ aep }, id, situation) {
    const { name } = await aep.dataPrep.getMappingSet(id);
    if (!isOwnName(name, situation)) throw new Failure('CONFLICT', `${id} was made by hand: it stays`);
    await aep.dataPrep.deleteMappingSet(id);
  },
};
