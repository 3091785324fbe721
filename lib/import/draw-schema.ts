// The schema of a manifest, from what Schema Registry tells: by its parts, or by its `$id` where the parts do not say it all.
import type { FieldGroup, Schema } from '../aep/index.ts';
import { CLASSES, FIELD_GROUPS, OwnFieldGroup, OwnSchema } from '../manifest.ts';
import { withoutTag } from '../provision/resources/ownership-tag.ts';
import { MAX_DESCRIPTION, tooLongText } from './draw-dataset.ts';
import { tenantFree } from './draw-mapping.ts';
import { type Expressed, type ImportFinding, kept } from './finding.ts';
import type { WalkedFlow, WalkedGroup } from './walked.ts';

type DrawnPart = string | Readonly<Record<string, unknown>>;

export function drawSchema(walked: WalkedFlow): Expressed<Record<string, unknown>> {
  const why = notByParts(walked);
  const parts = why === undefined ? byParts(walked) : undefined;
  const checked = parts && OwnSchema.safeParse(parts.value);
  if (parts !== undefined && checked?.success)
    return { value: parts.value, findings: [...parts.findings, ...otherDescriptors(walked)] };
  const [issue] = checked?.error?.issues ?? [];
  const reason = why ?? `a manifest cannot say its ${issue?.path.map(String).join('.')}: ${issue?.message}`;
  return {
    value: { id: walked.schema.$id },
    findings: [
      kept('schema', `it is named by its $id, so it is used and never changed: ${reason}`),
      ...otherDescriptors(walked),
    ],
  };
}

function byParts(walked: WalkedFlow): Expressed<Record<string, unknown>> {
  const { schema } = walked;
  const groups = groupsIn(walked);
  const identities = identitiesIn(walked);
  const description = withoutTag(schema.description);
  return {
    value: {
      class: shortNameOf(classOf(schema), CLASSES),
      fieldGroups: groups.map(({ value }) => value),
      title: schema.title,
      ...(description !== '' && description.length <= MAX_DESCRIPTION && { description }),
      ...(identities.value.length > 0 && { identities: identities.value }),
      ...(schema['meta:immutableTags']?.includes('union') && { profile: true }),
    },
    findings: [
      ...tooLongText('schema.description', description),
      ...groups.flatMap(({ findings }) => findings),
      ...identities.findings,
    ],
  };
}

/** Most field groups that a manifest names. */
const MAX_GROUPS = 30;

/** What a schema by its parts would leave out, or take from others. */
function notByParts({ schema, otherDatasets, identities }: WalkedFlow): string | undefined {
  if (otherDatasets === undefined) return 'the sandbox has too many datasets to know whether others use it';
  if (otherDatasets.length > 0)
    return `other datasets use it as well: ${otherDatasets.slice(0, 5).join(', ')}${otherDatasets.length > 5 ? ' …' : ''}`;
  if (!schema['meta:class']) return 'AEP does not tell its class';
  if (!schema.title) return 'it has no title';
  if (hasMembers(schema.properties) || hasMembers(schema.definitions))
    return 'it has fields of its own beside its field groups';
  const refs = (schema.allOf ?? []).map(({ $ref }) => $ref);
  const odd = refs.find((ref) => !ref?.startsWith('https://'));
  if (odd !== undefined || refs.length === 0) return 'it has a part without a $id';
  const twice = twiceIn(refs);
  if (twice !== undefined) return `it has the part ${twice} twice`;
  const field = twiceIn(identities.map(({ property }) => property));
  if (field !== undefined) return `its field ${field} is two identities`;
  if (refs.length - 1 > MAX_GROUPS) return `it has more than ${MAX_GROUPS} field groups`;
  return undefined;
}

function twiceIn<T>(all: readonly T[]): T | undefined {
  return all.find((one, index) => all.indexOf(one) < index);
}

function classOf(schema: Schema): string {
  return schema['meta:class'] ?? '';
}

function hasMembers(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function shortNameOf(id: string, names: Readonly<Record<string, string>>): string {
  return Object.entries(names).find(([, one]) => one === id)?.[0] ?? id;
}

function groupsIn(walked: WalkedFlow): Expressed<DrawnPart>[] {
  const { schema, groups } = walked;
  const ids = (schema.allOf ?? []).flatMap(({ $ref }) => ($ref && $ref !== classOf(schema) ? [$ref] : []));
  const names = new Set<string>();
  return ids.map((id, index) => {
    const own = groups.get(id);
    if (own === undefined) return { value: shortNameOf(id, FIELD_GROUPS), findings: [] };
    return groupOf(own, `schema.fieldGroups.${index}`, names, walked);
  });
}

/** With its fields where a manifest says all of them, else by its `$id`. */
function groupOf(
  { group, schemas }: WalkedGroup,
  path: string,
  names: Set<string>,
  { schema, tenant }: WalkedFlow,
): Expressed<DrawnPart> {
  const byId = (why: string): Expressed<DrawnPart> => ({
    value: group.$id,
    findings: [kept(path, `the field group is named by its $id, so it is used and never changed: ${why}`)],
  });
  const others = schemas.filter((id) => id !== schema.$id);
  if (others.length > 0) return byId(`other schemas have it as well: ${others.slice(0, 5).join(', ')}`);
  if (schemas.length === 0) return byId('AEP does not tell which schemas have it');
  const fields = ownFieldsIn(group, tenant);
  if (typeof fields === 'string') return byId(fields);
  const description = withoutTag(group.description);
  const own = {
    name: nameOfGroup(group.title ?? '', names),
    title: group.title,
    ...(description !== '' && description.length <= MAX_DESCRIPTION && { description }),
    fields,
  };
  const checked = OwnFieldGroup.safeParse(own);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    return byId(`${issue?.path.map(String).join('.')}: ${issue?.message}`);
  }
  const classes = (group['meta:intendedToExtend'] ?? []).filter((id) => id !== classOf(schema));
  const more =
    classes.length > 0 ? [kept(path, `it is for other classes as well: ${classes.join(', ')}`)] : [];
  return { value: own, findings: [...tooLongText(`${path}.description`, description), ...more] };
}

type Members = Readonly<Record<string, unknown>>;

/** Members that say nothing about values. */
const HARMLESS = /^(type|title|description|\$id|meta:.*)$/;

/** The fields below the organization's namespace; or what else there is, which a manifest cannot say. */
function ownFieldsIn({ definitions, properties, allOf }: FieldGroup, tenant: string): Members | string {
  if (hasMembers(properties)) return 'it has fields outside of a definition';
  const used = (allOf ?? []).flatMap(({ $ref }) => ($ref ? [$ref] : []));
  const foreign = used.find((ref) => !ref.startsWith('#/definitions/'));
  if (foreign !== undefined) return `it is made from ${foreign}`;
  const all = Object.entries(definitions ?? {});
  const [only] = all;
  if (only === undefined || all.length > 1) return `it has ${all.length} definitions, not one`;
  const definition = without(only[1], ['properties']);
  const named = membersAt(only[1], 'properties');
  const own = membersAt(named, `_${tenant}`);
  if (own === undefined || named === undefined) return `it has no fields below _${tenant}`;
  const beside = Object.keys(named).filter((name) => name !== `_${tenant}`);
  if (beside.length > 0) return `it has fields outside of _${tenant}: ${beside.join(', ')}`;
  const rules = [...definition, ...without(own, ['properties'])];
  if (rules.length > 0) return `it has rules beside its fields: ${rules.join(', ')}`;
  const fields = membersAt(own, 'properties');
  return fields ?? `it has no fields below _${tenant}`;
}

function membersAt(value: unknown, name: string): Members | undefined {
  const found = typeof value === 'object' && value !== null ? (value as Members)[name] : undefined;
  return typeof found === 'object' && found !== null ? (found as Members) : undefined;
}

/** Names of the members that say something, besides these. */
function without(value: unknown, said: readonly string[]): string[] {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return names.filter((name) => !said.includes(name) && !HARMLESS.test(name));
}

/** What it is called within the manifest: as its title, in the letters that are allowed there. */
function nameOfGroup(title: string, taken: Set<string>): string {
  const plain = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 36)
    .replace(/-+$/, '');
  const base = plain === '' ? 'fields' : plain;
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  taken.add(name);
  return name;
}

/** Most identities that a manifest names. */
const MAX_IDENTITIES = 20;

function identitiesIn({ identities, tenant }: WalkedFlow): Expressed<readonly object[]> {
  const value: object[] = [];
  const findings: ImportFinding[] = [];
  for (const { property, namespace, primary } of identities) {
    if (/^(\/[^/.~*[\]]+)+$/.test(property) && value.length < MAX_IDENTITIES) {
      const path = tenantFree(property.slice(1).replaceAll('/', '.'), tenant);
      value.push({ path, namespace, ...(primary && { primary }) });
    } else
      findings.push(
        kept('schema.identities', `${property} (${namespace}) stays as it is: a manifest has no path for it`),
      );
  }
  return { value, findings };
}

function otherDescriptors({ otherDescriptors: counts }: WalkedFlow): ImportFinding[] {
  return Object.entries(counts).map(([kind, count]) =>
    kept(
      'schema',
      `${count} descriptors of the kind ${kind} stay as they are: a manifest has no word for them`,
    ),
  );
}
