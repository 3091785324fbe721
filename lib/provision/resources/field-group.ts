// A field group that the manifest defines: the organization's own fields, below its own namespace.
import type { PatchOperation } from '../../aep/json-patch.ts';
import type { FieldGroup } from '../../aep/schema-registry.ts';
import { CLASSES, idOf, type OwnFieldGroup } from '../../manifest.ts';
import { keyOfGroup, nameInAep } from '../../pipeline.ts';
import { describe, tagInDescription, withoutTag } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  changeOf,
  type Difference,
  type Found,
  ifThere,
  type Situation,
} from './resource.ts';

type OwnFieldTree = Readonly<Record<string, unknown>>;

/** The resource of one of the manifest's own field groups. */
export function fieldGroup(group: OwnFieldGroup): ChangeableResource {
  const key = keyOfGroup(group);
  const found = (own: FieldGroup, situation: Situation): Found => ({
    id: own.$id,
    details: changeOf(own),
    revision: String(own['meta:registryMetadata']?.['repo:lastModifiedDate']),
    name: own.title ?? undefined,
    ownershipTag: tagInDescription(own.description),
    differences: compareFields(group.fields, fieldsOf(own, situation)?.fields ?? {}, '').differences,
  });

  return {
    kind: 'changeable',
    key,
    unique: true,
    needed: () => true,

    async find({ aep }, situation) {
      const ids = await aep.schemaRegistry.findFieldGroups(nameInAep(key, situation.manifest));
      const all = await Promise.all(ids.map((id) => ifThere(aep.schemaRegistry.getFieldGroup(id))));
      return all.filter((one) => one !== undefined).map((one) => found(one, situation));
    },

    get: async ({ aep }, situation, id) => found(await aep.schemaRegistry.getFieldGroup(id), situation),

    async create({ aep, runtime }, situation, ownershipTag) {
      const created = await aep.schemaRegistry.createFieldGroup({
        title: nameInAep(key, situation.manifest),
        description: describe(ownershipTag, group.description),
        classes: [classOf(situation)],
        tenant: situation.tenant ?? '',
        properties: group.fields,
      });
      return { id: created.$id, changedAt: runtime.clock.now() };
    },

    async update({ aep }, situation, id) {
      const there = await aep.schemaRegistry.getFieldGroup(id);
      const place = fieldsOf(there, situation) ?? {
        path: `/definitions/customFields/properties/_${situation.tenant}/properties`,
        fields: {},
      };
      const { additions } = compareFields(group.fields, place.fields, place.path);
      if (additions.length > 0) await aep.schemaRegistry.patchFieldGroup(id, additions);
    },

    adopt: (context, _situation, id, ownershipTag) => adopt(context, id, ownershipTag),

    remove: ({ aep }, id) => aep.schemaRegistry.deleteFieldGroup(id),
  };
}

async function adopt(
  { aep }: Context,
  id: string,
  ownershipTag: Parameters<typeof describe>[0],
): Promise<void> {
  const { description } = await aep.schemaRegistry.getFieldGroup(id);
  if (tagInDescription(description) !== undefined) return;
  const value = describe(ownershipTag, withoutTag(description));
  await aep.schemaRegistry.patchFieldGroup(id, [
    { op: description ? 'replace' : 'add', path: '/description', value },
  ]);
}

function classOf({ manifest: { schema } }: Situation): string {
  return 'id' in schema ? CLASSES.profile : idOf(schema.class, CLASSES);
}

/** Where a field group keeps the organization's own fields, whoever made it and in whichever definition. */
function fieldsOf(
  group: FieldGroup,
  { tenant }: Situation,
): { path: string; fields: OwnFieldTree } | undefined {
  for (const [name, definition] of Object.entries(group.definitions ?? {})) {
    const own = fieldAt(fieldAt(fieldAt(definition, 'properties'), `_${tenant}`), 'properties');
    if (own !== undefined)
      return { path: `/definitions/${pointerStep(name)}/properties/_${tenant}/properties`, fields: own };
  }
  return undefined;
}

function fieldAt(value: unknown, key: string): OwnFieldTree | undefined {
  const found = typeof value === 'object' && value !== null ? (value as OwnFieldTree)[key] : undefined;
  return typeof found === 'object' && found !== null ? (found as OwnFieldTree) : undefined;
}

function pointerStep(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** What a field says about its values. Changing it can make existing data invalid. */
const FACETS = ['format', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'] as const;

interface Comparison {
  readonly differences: Difference[];
  readonly additions: PatchOperation[];
}

/** Missing fields can be added; an existing field cannot be changed. Additional fields may stay. */
function compareFields(wanted: OwnFieldTree, found: OwnFieldTree, path: string): Comparison {
  const parts = Object.entries(wanted).map(([name, field]) => {
    const here = `${path}/${pointerStep(name)}`;
    const there = Object.hasOwn(found, name) ? found[name] : undefined;
    if (there !== undefined) return compareField(name, field, there, here);
    return {
      differences: [{ field: name, found: 'nothing', wanted: typeOf(field), remedy: 'update' as const }],
      additions: [{ op: 'add' as const, path: here, value: field }],
    };
  });
  return {
    differences: parts.flatMap(({ differences }) => differences),
    additions: parts.flatMap(({ additions }) => additions),
  };
}

function compareField(name: string, wanted: unknown, found: unknown, path: string): Comparison {
  if (typeOf(wanted) !== typeOf(found)) {
    const type = { field: name, found: typeOf(found), wanted: typeOf(wanted), remedy: 'conflict' as const };
    return { differences: [type], additions: [] };
  }
  const facets = FACETS.map((facet) => compareFacet(name, facet, wanted, found, path));
  const [items, foundItems] = [fieldAt(wanted, 'items'), fieldAt(found, 'items')];
  const inner =
    items !== undefined && foundItems !== undefined
      ? compareField(`${name}[]`, items, foundItems, `${path}/items`)
      : { differences: [], additions: [] };
  const below = compareBelow(wanted, found, `${path}/properties`);
  return {
    differences: [
      ...facets.flatMap((one) => one.differences),
      ...inner.differences,
      ...below.differences.map((one) => ({ ...one, field: `${name}.${one.field}` })),
    ],
    additions: [...facets.flatMap((one) => one.additions), ...inner.additions, ...below.additions],
  };
}

/** An object without fields has no place to add one to: all are added at once. */
function compareBelow(wanted: unknown, found: unknown, path: string): Comparison {
  const [fields, there] = [fieldAt(wanted, 'properties') ?? {}, fieldAt(found, 'properties')];
  const compared = compareFields(fields, there ?? {}, path);
  if (there !== undefined || compared.additions.length === 0) return compared;
  return { ...compared, additions: [{ op: 'add', path, value: fields }] };
}

/** More values may be allowed than before. Any other change could forbid existing values. */
function compareFacet(
  name: string,
  facet: (typeof FACETS)[number],
  wanted: unknown,
  found: unknown,
  path: string,
): Comparison {
  const [wants, is] = [facetOf(wanted, facet), facetOf(found, facet)];
  if (wants === undefined || wants === is) return { differences: [], additions: [] };
  const wider = facet === 'enum' && isWider((wanted as OwnFieldTree).enum, (found as OwnFieldTree).enum);
  const remedy = wider ? ('update' as const) : ('conflict' as const);
  return {
    differences: [{ field: `${name} ${facet}`, found: is ?? 'nothing', wanted: wants, remedy }],
    additions: wider ? [{ op: 'replace', path: `${path}/enum`, value: (wanted as OwnFieldTree).enum }] : [],
  };
}

function isWider(wanted: unknown, found: unknown): boolean {
  return Array.isArray(wanted) && Array.isArray(found) && found.every((value) => wanted.includes(value));
}

function facetOf(field: unknown, facet: (typeof FACETS)[number]): string | undefined {
  const value = (field as OwnFieldTree)[facet];
  return value === undefined ? undefined : JSON.stringify(value);
}

function typeOf(field: unknown): string {
  const type = (field as { type?: unknown } | null)?.type;
  if (type !== 'array') return String(type);
  return `array of ${typeOf((field as { items?: unknown }).items ?? {})}`;
}
