// The XDM schema: one class and field groups, or an existing schema that the manifest names.
import type { IdentityDescriptor, Schema } from '../../aep/schema-registry.ts';
import { CLASSES, FIELD_GROUPS, idOf, type Manifest } from '../../manifest.ts';
import { didYouMeanId } from '../../nearest.ts';
import { IDENTITY_MAP, isMapped, linksIdentities, updatesProfiles } from '../../operations.ts';
import { keyOfGroup, nameInAep } from '../../pipeline.ts';
import { isForEvents, type NotStreamed, notStreamed } from './behavior.ts';
import { removeDescriptors } from './identity.ts';
import { describe, tagInDescription, withoutTag } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  changeOf,
  type Difference,
  type Found,
  idOfMade,
  ifThere,
  type Situation,
} from './resource.ts';

/** The class of a manifest's schema. */
function classOf({ manifest: { schema } }: Situation): string {
  return 'id' in schema ? '' : idOf(schema.class, CLASSES);
}

/** The `$id`s of its field groups, or the name of one that is still to be made. */
function fieldGroupsOf(situation: Situation): string[] {
  const { schema } = situation.manifest;
  if ('id' in schema) return [];
  return schema.fieldGroups.map((group) =>
    typeof group === 'string'
      ? idOf(group, FIELD_GROUPS)
      : (idOfMade(situation, keyOfGroup(group)) ??
        `the field group ${nameInAep(keyOfGroup(group), situation.manifest)}`),
  );
}

/** A class or a field group that the manifest names by its `$id`. */
interface SchemaPart {
  readonly kind: 'classes' | 'fieldgroups';
  /** Its place in the manifest. */
  readonly at: string;
  readonly id: string;
}

/** Short names are Adobe's own, and need no check. */
function partsById({ schema }: Manifest): SchemaPart[] {
  if ('id' in schema) return [];
  const parts: SchemaPart[] = [
    { kind: 'classes', at: 'schema.class', id: schema.class },
    ...schema.fieldGroups.flatMap((id, index) =>
      typeof id === 'string' ? [{ kind: 'fieldgroups' as const, at: `schema.fieldGroups.${index}`, id }] : [],
    ),
  ];
  const known = new Set<string>([...Object.entries(CLASSES), ...Object.entries(FIELD_GROUPS)].flat());
  return parts.filter(({ id }) => !known.has(id));
}

/** Those that AEP does not have, each with its place and the nearest `$id`; and a class that no stream can fill. */
async function unfitParts({ aep }: Context, { manifest }: Situation): Promise<string[]> {
  const registry = aep.schemaRegistry;
  const said = partsById(manifest).map(async ({ kind, at, id }) => {
    const itself = unfitClass(at, id, notStreamed([id]));
    if (itself.length > 0) return itself;
    const [likely, other] = ADOBE_PART_ID.test(id) ? GLOBAL_FIRST : TENANT_FIRST;
    const there =
      (await ifThere(registry.getPart(likely, kind, id))) ??
      (await ifThere(registry.getPart(other, kind, id)));
    if (there !== undefined) {
      const extended = there['meta:extends'];
      const eventless =
        manifest.dataset.retention !== undefined && kind === 'classes' && isForEvents(extended) === false
          ? { found: 'for no events', wanted: NEEDED_BY_RETENTION }
          : undefined;
      return unfitClass(at, id, notStreamed(extended) ?? eventless);
    }
    const known = [...(await registry.partIds('global', kind)), ...(await registry.partIds('tenant', kind))];
    const expected = `expected the $id of a ${kind === 'classes' ? 'class' : 'field group'} that is there`;
    return [`${at}: found "${id}"; ${expected}${didYouMeanId(id, known)}`];
  });
  return (await Promise.all(said)).flat();
}

function unfitClass(at: string, id: string, behavior: NotStreamed | undefined): string[] {
  if (behavior === undefined) return [];
  return [`${at}: found "${id}", which is ${behavior.found}; expected ${behavior.wanted}`];
}

const NEEDED_BY_RETENTION = 'time-series, because dataset.retention is for events alone';

/** The first container is a guess that saves a call; the other one is asked as well. */
const ADOBE_PART_ID = /^https:\/\/ns\.adobe\.com\/(xdm|experience)\//;
const GLOBAL_FIRST = ['global', 'tenant'] as const;
const TENANT_FIRST = ['tenant', 'global'] as const;

function missingGroups(there: Schema, situation: Situation): string[] {
  const has = new Set(there.allOf?.map(({ $ref }) => $ref));
  return fieldGroupsOf(situation).filter((group) => !has.has(group));
}

/** Field groups can be added, a class cannot be changed. Additional field groups may stay. */
function differencesOf(there: Schema, situation: Situation): Difference[] {
  const own = classOf(situation);
  const is = there['meta:class'] ?? (there.allOf?.some(({ $ref }) => $ref === own) ? own : 'another one');
  const field = 'schema.fieldGroups';
  return [
    ...(is === own ? [] : [{ field: 'schema.class', found: is, wanted: own, remedy: 'conflict' as const }]),
    ...missingGroups(there, situation).map((wanted) => ({
      field,
      found: 'nothing',
      wanted,
      remedy: 'update' as const,
    })),
  ];
}

function asFound(there: Schema, situation: Situation): Found {
  return {
    id: there.$id,
    name: there.title ?? undefined,
    ownershipTag: tagInDescription(there.description),
    differences: differencesOf(there, situation),
    createdAt: there['meta:registryMetadata']?.['repo:createdDate'],
    revision: schemaRevision(there),
    details: {
      union: there['meta:immutableTags']?.includes('union') ?? false,
      ...changeOf(there),
    },
  };
}

/** It has no etag. Its version counts its changes; the time is that of the last one. */
function schemaRevision({ version, 'meta:registryMetadata': told }: Schema): string {
  return `${version} ${told?.['repo:lastModifiedDate']}`;
}

/** Only a schema in Profile has profiles to update. A given schema is never put there. */
function withoutUnion(there: Schema): Difference[] {
  if (there['meta:immutableTags']?.includes('union')) return [];
  return [{ field: 'in Profile', found: 'no', wanted: 'yes, for the operations', remedy: 'conflict' }];
}

/** A record has to identify its profile: by the schema's primary identity, or by its identity map. */
function unidentified(all: readonly IdentityDescriptor[], { mapping }: Manifest): Difference[] {
  const primary = all.find((one) => one.primary)?.property;
  const path = primary?.slice(1).replaceAll('/', '.') ?? IDENTITY_MAP;
  if (isMapped(path, mapping)) return [];
  const wanted =
    primary === undefined
      ? `one, and a mapping to it, for the operations; or a mapping to ${IDENTITY_MAP}`
      : 'one that a mapping leads to, for the operations';
  return [{ field: 'primary identity', found: primary ?? 'nothing', wanted, remedy: 'conflict' }];
}

async function checkGiven({ aep }: Context, id: string, { manifest }: Situation) {
  const there = await aep.schemaRegistry.getSchema(id);
  return {
    differences: await unfitness(aep, there, manifest),
    revision: schemaRevision(there),
    details: changeOf(there),
  };
}

/** Why a given schema does not fit. */
async function unfitness(aep: Context['aep'], there: Schema, manifest: Manifest): Promise<Difference[]> {
  const behavior = notStreamed(there['meta:extends']);
  if (behavior !== undefined) return [{ field: 'behavior', ...behavior, remedy: 'conflict' }];
  if (manifest.dataset.retention !== undefined && isForEvents(there['meta:extends']) === false)
    return [{ field: 'behavior', found: 'no events', wanted: NEEDED_BY_RETENTION, remedy: 'conflict' }];
  if (!updatesProfiles(manifest) && !linksIdentities(manifest)) return [];
  const identities = await aep.schemaRegistry.findIdentityDescriptors(there.$id);
  return [...withoutUnion(there), ...unidentified(identities, manifest)];
}

export const schema: ChangeableResource = {
  kind: 'changeable',
  key: 'schema',
  unique: true,
  needed: () => true,
  given({ schema }) {
    if (!('id' in schema)) return undefined;
    return { id: schema.id, check: (context, situation) => checkGiven(context, schema.id, situation) };
  },

  async find({ aep }, situation) {
    const ids = await aep.schemaRegistry.findSchemas(nameInAep('schema', situation.manifest));
    const all = await Promise.all(ids.map((id) => ifThere(aep.schemaRegistry.getSchema(id))));
    return all.filter((one) => one !== undefined).map((one) => asFound(one, situation));
  },

  get: async ({ aep }, situation, id) => asFound(await aep.schemaRegistry.getSchema(id), situation),

  async create({ aep, runtime }, situation, ownershipTag) {
    const { manifest } = situation;
    const created = await aep.schemaRegistry.createSchema({
      title: nameInAep('schema', manifest),
      description: describe(
        ownershipTag,
        'description' in manifest.schema ? manifest.schema.description : undefined,
      ),
      parts: [classOf(situation), ...fieldGroupsOf(situation)],
    });
    return { id: created.$id, changedAt: runtime.clock.now() };
  },

  async update({ aep }, situation, id) {
    const missing = missingGroups(await aep.schemaRegistry.getSchema(id), situation);
    if (missing.length === 0) return;
    await aep.schemaRegistry.patchSchema(
      id,
      missing.map(($ref) => ({ op: 'add', path: '/allOf/-', value: { $ref } })),
    );
  },

  async adopt({ aep }, _situation, id, ownershipTag) {
    const { description } = await aep.schemaRegistry.getSchema(id);
    if (tagInDescription(description) !== undefined) return;
    const value = describe(ownershipTag, withoutTag(description));
    await aep.schemaRegistry.patchSchema(id, [
      { op: description ? 'replace' : 'add', path: '/description', value },
    ]);
  },

  async impossible(context, situation) {
    const unfit = await unfitParts(context, situation);
    return unfit.length === 0 ? undefined : unfit.join(' / ');
  },

  async remove(context, id, situation) {
    // Also the identities that the manifest no longer names; otherwise they would remain.
    await removeDescriptors(context, id, situation);
    await context.aep.schemaRegistry.deleteSchema(id);
  },
};
