// Rules of identities, Profile and field groups that AEP has, or the manifest between its members.
import { CLASSES, FIELD_GROUPS, idOf } from '../manifest.ts';
import { daysIn, MIN_LAKE_DAYS } from '../retention.ts';
import { jsonPointer } from './json-edit.ts';
import { asList, asObject, asText, type Lint, type WrittenManifest } from './written.ts';

/** Adobe's own namespaces that a field can name. Page identity-service/features/namespaces, "Standard namespaces". */
const NAMESPACES = [
  'AdCloud',
  'CORE',
  'ECID',
  'Email',
  'Email_LC_SHA256',
  'GAID',
  'IDFA',
  'Phone',
  'Phone_E164',
  'Phone_E164_SHA256',
  'Phone_SHA256',
  'TNTID',
  'WAID',
];

export function schemaLints(written: WrittenManifest): Lint[] {
  const schema = asObject(written.schema);
  if (schema === undefined || 'id' in schema) return [];
  const dataset = asObject(written.dataset) ?? {};
  return [
    ...identityLints(schema),
    ...profileLints(schema, dataset),
    ...repeatedGroups(schema),
    ...retentionLints(schema, dataset),
  ];
}

function identityLints(schema: WrittenManifest): Lint[] {
  const identities = writtenIdentities(schema);
  const paths = identities.map(({ path }) => path);
  const primaries = identities.flatMap(({ primary }, index) => (primary === true ? [index] : []));
  return identities.flatMap(({ path, namespace }, index) => {
    const at = jsonPointer(['schema', 'identities', index]);
    if (path !== undefined && paths.indexOf(path) < index)
      return [
        mended('identity-twice', at, `${path} is an identity already`, 'removes it', { op: 'remove', at }),
      ];
    const second = primaries.indexOf(index) > 0;
    return [
      ...namespaceLint(asText(path) ?? '', namespace, `${at}/namespace`),
      ...(second
        ? [
            mended(
              'primary-twice',
              `${at}/primary`,
              `found a second primary identity beside schema.identities.${primaries[0]}; a schema has one`,
              'leaves it out',
              { op: 'remove', at: `${at}/primary` },
            ),
          ]
        : []),
    ];
  });
}

function namespaceLint(path: string, namespace: unknown, at: string): Lint[] {
  const code = asText(namespace) ?? '';
  const standard = NAMESPACES.find((one) => one.toLowerCase() === code.toLowerCase());
  if (code !== '') {
    if (standard === undefined || standard === code) return [];
    const says = `found ${JSON.stringify(code)}; Adobe writes the code ${standard}`;
    return [mended('namespace', at, says, `writes "${standard}"`, { op: 'set', at, value: standard })];
  }
  const likely = namespaceOf(path);
  const says = `found no namespace for ${path}; an identity needs the code of one`;
  if (likely === undefined) return [{ rule: 'namespace', at, says }];
  return [mended('namespace', at, says, `writes "${likely}"`, { op: 'set', at, value: likely })];
}

/** Only where the field of Adobe's own field groups leaves no doubt. */
function namespaceOf(path: string): string | undefined {
  if (/^(personal|work)Email\.address$/.test(path)) return 'Email';
  if (/^(mobile|home|work|fax)Phone\.number$/.test(path)) return 'Phone';
  return undefined;
}

function profileLints(schema: WrittenManifest, dataset: WrittenManifest): Lint[] {
  const asked = dataset.profile === true && schema.profile !== true;
  const upsert = dataset.upsert === true && dataset.profile !== true;
  return [
    ...(upsert
      ? [
          setTrue(
            'upsert',
            '/dataset/profile',
            'dataset.upsert is true: only records in Profile can be updated',
          ),
        ]
      : []),
    ...(asked
      ? [setTrue('profile', '/schema/profile', 'dataset.profile is true: the schema must be enabled as well')]
      : []),
    ...(schema.profile === true && !isIdentified(schema) ? [primaryLint(schema, dataset)] : []),
  ];
}

function setTrue(rule: string, at: string, says: string): Lint {
  return mended(rule, at, says, 'writes true', { op: 'set', at, value: true });
}

/** AEP refuses a schema in Profile that identifies nothing: `XDM-1528-400`. Contract §2.4. */
function primaryLint(schema: WrittenManifest, dataset: WrittenManifest): Lint {
  const [at, rule] = ['/schema/profile', 'profile-without-identity'];
  const says = 'a schema in Profile needs a primary identity, or the field group identitymap';
  const identities = writtenIdentities(schema);
  const [only] = identities;
  // What the dataset asks for is not switched off.
  if (identities.length === 0 && dataset.profile !== true && dataset.upsert !== true)
    return mended(rule, at, says, 'writes false until there is one', { op: 'set', at, value: false });
  if (identities.length > 1 || typeof only?.path !== 'string') return { rule, at, says };
  const primary = '/schema/identities/0/primary';
  return mended(rule, at, says, `makes ${only.path} the primary one`, {
    op: 'set',
    at: primary,
    value: true,
  });
}

function isIdentified(schema: WrittenManifest): boolean {
  return (
    writtenIdentities(schema).some(({ primary }) => primary === true) ||
    idOf(asText(schema.class) ?? '', CLASSES) === CLASSES.experienceevent ||
    writtenGroups(schema).includes(FIELD_GROUPS.identitymap)
  );
}

function repeatedGroups(schema: WrittenManifest): Lint[] {
  const groups = writtenGroups(schema);
  return groups.flatMap((group, index) => {
    const at = jsonPointer(['schema', 'fieldGroups', index]);
    if (group === undefined || groups.indexOf(group) === index) return [];
    return [mended('group-twice', at, `${group} is there already`, 'removes it', { op: 'remove', at })];
  });
}

/** Adobe keeps events for a time, 30 days at least, and nothing else. */
function retentionLints(schema: WrittenManifest, { retention }: WrittenManifest): Lint[] {
  const at = '/dataset/retention';
  if (retention === undefined) return [];
  if (idOf(asText(schema.class) ?? '', CLASSES) === CLASSES.profile)
    return [mended('retention', at, 'AEP keeps only events for a time', 'removes it', { op: 'remove', at })];
  const lake = asText(asObject(retention)?.lake);
  const days = lake === undefined ? undefined : daysIn(lake)?.most;
  if (days === undefined || days >= MIN_LAKE_DAYS) return [];
  const value = `P${MIN_LAKE_DAYS}D`;
  const says = `found ${lake}; AEP keeps events of the lake ${MIN_LAKE_DAYS} days at least`;
  return [
    mended('retention', `${at}/lake`, says, `writes "${value}"`, { op: 'set', at: `${at}/lake`, value }),
  ];
}

function writtenIdentities(schema: WrittenManifest) {
  return asList(schema.identities).map((one) => asObject(one) ?? {});
}

/** The `$id`s; `undefined` for own ones. */
function writtenGroups(schema: WrittenManifest): (string | undefined)[] {
  return asList(schema.fieldGroups).map((one) =>
    typeof one === 'string' ? idOf(one, FIELD_GROUPS) : undefined,
  );
}

function mended(
  rule: string,
  at: string,
  says: string,
  does: string,
  edit: NonNullable<Lint['edits']>[number],
): Lint {
  return { rule, at, says, does, edits: [edit] };
}
