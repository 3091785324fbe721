// Names that AEP's lists cannot be asked for, or that Penstock and AEP refuse.
import { jsonPointer } from './json-edit.ts';
import { asList, asObject, asText, type Lint, type WrittenManifest } from './written.ts';

/** As lib/manifest.ts takes a name in AEP: its filters read these characters as "or", "anything", "not". */
const REFUSED = /[,*"\\!=<>~\p{C}]+/gu;
const MAX_NAME_IN_AEP = 100;

export function nameLints(written: WrittenManifest): Lint[] {
  const schema = asObject(written.schema) ?? {};
  const dataset = asObject(written.dataset) ?? {};
  const names = Object.entries(asObject(written.names) ?? {});
  const groups = asList(schema.fieldGroups).map((group) => asObject(group) ?? {});
  return [
    ...nameLint(['name'], written.name, mendPipeline, 'letters, digits, ".", "_" and "-"'),
    ...nameLint(['sandbox'], written.sandbox, mendSandbox, 'lower-case letters, digits and "-"'),
    ...nameLint(['schema', 'title'], schema.title, mendResource, TAKEN),
    ...nameLint(['dataset', 'name'], dataset.name, mendResource, TAKEN),
    ...names.flatMap(([key, name]) => nameLint(['names', key], name, mendResource, TAKEN)),
    ...groups.flatMap(({ name, title }, index) => [
      ...nameLint(['schema', 'fieldGroups', index, 'name'], name, mendGroup, 'a-z, 0-9 and "-"'),
      ...nameLint(['schema', 'fieldGroups', index, 'title'], title, mendResource, TAKEN),
    ]),
  ];
}

const TAKEN = 'a name without blanks around it and without , * " \\ ! = < > ~';

function nameLint(
  path: readonly PropertyKey[],
  found: unknown,
  mend: (name: string) => string,
  expected: string,
): Lint[] {
  const name = asText(found);
  if (name === undefined || mend(name) === name) return [];
  const [at, mended] = [jsonPointer(path), mend(name)];
  const says = `found ${JSON.stringify(name)}; expected ${expected}`;
  if (mended === '') return [{ rule: 'name', at, says }];
  return [
    {
      rule: 'name',
      at,
      says,
      does: `writes ${JSON.stringify(mended)}`,
      edits: [{ op: 'set', at, value: mended }],
    },
  ];
}

function mendResource(name: string): string {
  return name.replace(REFUSED, '-').trim().slice(0, MAX_NAME_IN_AEP).trim();
}

function mendPipeline(name: string): string {
  return name
    .trim()
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}

function mendSandbox(name: string): string {
  return name.trim().toLowerCase();
}

function mendGroup(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40);
}
