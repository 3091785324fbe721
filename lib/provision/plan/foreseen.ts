// Tells from the manifest alone what AEP will refuse of every record, and what is likely a mistake.
import { CLASSES, idOf, type Manifest, type OwnSchema } from '../../manifest.ts';

export interface Foreseen {
  /** Why AEP will refuse every record. */
  readonly refused: readonly string[];
  /** What may be intended, but rarely is. */
  readonly doubtful: readonly string[];
}

/** Each line names the path in the manifest, what was found there, and what was expected. */
export function foreseenOf(manifest: Manifest): Foreseen {
  return {
    refused: firstLines(unmappedOf(manifest)),
    doubtful: firstLines([...sourcesOf(manifest), ...tenantsOf(manifest)]),
  };
}

/** Most lines of each kind. */
const MAX_LINES = 20;

function firstLines(lines: readonly string[]): string[] {
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `… and ${more} more of this kind`] : [...lines];
}

/**
 * What every record of a class must have. Contract §2.2; for the other classes the public XDM components
 * (github.com/adobe/xdm). Only AEP knows what an organization's own class demands.
 */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  [CLASSES.experienceevent]: ['_id', 'timestamp'],
  'https://ns.adobe.com/xdm/classes/summarymetrics': ['timestamp'],
  'https://ns.adobe.com/xdm/context/segmentdefinition': ['segmentName'],
  'https://ns.adobe.com/xdm/classes/weather': ['weatherID'],
  'https://ns.adobe.com/xdm/classes/consentpolicy': ['name'],
  'https://ns.adobe.com/xdm/context/opportunity-contact-role': [
    'opportunityContactID',
    'opportunityID',
    'contactID',
  ],
};

/** Required fields without a mapping. If the manifest maps nothing, the producer has to send them. */
function unmappedOf({ source, schema, mapping }: Manifest): string[] {
  if (mapping === undefined || 'id' in schema) return [];
  const destinations = mapping.map(({ destination }) => plain(destination));
  const demands = [...ofClass(schema), ...ofIdentities(schema), ...ofOwnFields(schema, destinations)];
  return untold(demands, destinations, source);
}

/**
 * Required fields of an Adobe object of which a part is mapped, if the schema's fields are known.
 * `foreseenOf` tells what every record and own fields require.
 */
export function unmappedWithin(fields: Fields, { source, mapping }: Manifest): string[] {
  const destinations = (mapping ?? []).map(({ destination }) => plain(destination));
  const demands = Object.entries(fields).flatMap(([name, field]) =>
    isWrittenOut(name) ? [] : requiredWithin(field, name, destinations, (path) => `${path} requires it`),
  );
  return firstLines(untold(demands, destinations, source));
}

function untold(
  demands: readonly Demand[],
  destinations: readonly string[],
  source: Manifest['source'],
): string[] {
  return demands
    .filter(({ path }) => !destinations.some((one) => isMappedBy(one, plain(path))))
    .map(
      ({ path, why }) =>
        `mapping: found no mapping to ${path}; expected one, because ${why}. AEP refuses every record without it${derived(path, source)}`,
    );
}

interface Demand {
  readonly path: string;
  readonly why: string;
}

function ofClass(schema: OwnSchema): Demand[] {
  const id = idOf(schema.class, CLASSES);
  const paths = Object.hasOwn(REQUIRED, id) ? (REQUIRED[id] ?? []) : [];
  return paths.map((path) => ({ path, why: `the class ${schema.class} requires it` }));
}

/** A primary identity is mandatory. Contract §2.7. */
function ofIdentities({ identities }: OwnSchema): Demand[] {
  return identities.flatMap(({ path, primary }, index) =>
    primary ? [{ path, why: `schema.identities.${index} makes it the primary identity` }] : [],
  );
}

/** What is read of a field. */
interface Field {
  readonly required?: unknown;
  readonly properties?: Fields | undefined;
  readonly items?: Field | undefined;
}
type Fields = Readonly<Record<string, Field>>;

/**
 * Required fields of an object of which a part is mapped; also of an object in a list. `why` gets the
 * object's path and its place in the field.
 */
function requiredWithin(
  field: Field,
  path: string,
  destinations: readonly string[],
  why: (path: string, place: string) => string,
  place = '',
): Demand[] {
  if (!destinations.some((one) => one.startsWith(`${path}.`))) return [];
  if (field.items !== undefined)
    return requiredWithin(field.items, path, destinations, why, `${place}.items`);
  const { required, properties = {} } = field;
  const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
  return [
    ...names.map((name) => ({ path: `${path}.${name}`, why: why(path, place) })),
    ...Object.entries(properties).flatMap(([name, inner]) =>
      requiredWithin(inner, `${path}.${name}`, destinations, why, `${place}.properties.${name}`),
    ),
  ];
}

/** Required fields of an object in an own field group. */
function ofOwnFields({ fieldGroups }: OwnSchema, destinations: readonly string[]): Demand[] {
  return fieldGroups.flatMap((group, index) =>
    typeof group === 'string'
      ? []
      : Object.entries(group.fields).flatMap(([name, field]) => {
          const at = `schema.fieldGroups.${index}.fields.${name}`;
          const why = (_path: string, place: string) => `${at}${place}.required names it`;
          return requiredWithin(field, `{tenant}.${name}`, destinations, why);
        }),
  );
}

/** Whether a mapping writes the path, what holds it, or a part of it. */
function isMappedBy(destination: string, path: string): boolean {
  return destination === path || path.startsWith(`${destination}.`) || destination.startsWith(`${path}.`);
}

/** A destination without positions, the namespace as `{tenant}`. */
function plain(path: string): string {
  const [first = '', ...rest] = path.replace(/\[[^\]]*\]/g, '').split('.');
  return [isWrittenOut(first) ? '{tenant}' : first, ...rest].join('.');
}

/** What Penstock itself can add. */
function derived(path: string, source: Manifest['source']): string {
  if (source.kind !== 'inlet' || (path !== '_id' && path !== 'timestamp')) return '';
  const from = path === '_id' ? 'its place in the stream' : 'the time of its arrival';
  return `. With "derive": ["${path}"] in source.records, and a mapping from ${path} to ${path}, it is ${from}`;
}

/** Sources in another syntax than Data Prep's paths. */
function sourcesOf({ mapping = [] }: Manifest): string[] {
  return mapping.flatMap((one, index) => {
    if (!('source' in one)) return [];
    const expected = expectedFor(one.source.trim());
    const found = JSON.stringify(one.source);
    return expected === undefined ? [] : [`mapping.${index}.source: found ${found}, ${expected}`];
  });
}

function expectedFor(source: string): string | undefined {
  const meant = meantSource(source);
  if (meant === undefined) return undefined;
  if ('path' in meant) return `${meant.kind}; ${aPath(meant.path)}`;
  return `${meant.kind}; expected a path in the record, or {"expression": ${JSON.stringify(meant.expression)}}`;
}

/** What a source in another syntax says, and what that is in ours. */
export type MeantSource = { readonly kind: string } & (
  | { readonly path: string }
  | { readonly expression: string }
);

/** `undefined` for a source in Data Prep's syntax. */
export function meantSource(source: string): MeantSource | undefined {
  if (/^\$([.[]|$)/.test(source)) return { kind: 'a JSONPath', path: source.replace(/^\$\.?/, '') };
  if (source.startsWith('/')) return { kind: 'a JSON Pointer', path: source.slice(1).replaceAll('/', '.') };
  if (/^(["']).*\1$/s.test(source)) return { kind: 'a constant', expression: `"${source.slice(1, -1)}"` };
  if (/^\w+\(.*\)$/s.test(source)) return { kind: 'a calculated field', expression: source };
  return undefined;
}

function aPath(path: string): string {
  return `expected the names of the record's fields with dots between them: ${path || 'customer.email'}`;
}

/**
 * Names with "_" in XDM that belong to Adobe or to a partner in Adobe's repository. Every other such name
 * belongs to an organization (github.com/adobe/xdm).
 */
const ADOBE_FIELD =
  /^_(id|repo|experience|dc|id3|iptc4xmpExt|schema|xmpDM|adcloud|adobecloudplatform|airship|bizible|braze|dsp|marketo|pathfactory|searchads|workfront)$/;

/** Whether a name at the top of a path is an organization's own namespace. */
export function isWrittenOut(name: string): boolean {
  return /^_[A-Za-z0-9]+$/.test(name) && !ADOBE_FIELD.test(name);
}

/** An organization's namespace, written out. Every other organization refuses the manifest. */
function tenantsOf({ schema, mapping = [] }: Manifest): string[] {
  const identities = 'id' in schema ? [] : schema.identities;
  const paths = [
    ...identities.map(({ path }, index) => ({ at: `schema.identities.${index}.path`, path })),
    ...mapping.map(({ destination }, index) => ({ at: `mapping.${index}.destination`, path: destination })),
  ];
  return paths
    .filter(({ path }) => isWrittenOut(path.split(/[.[]/)[0] ?? ''))
    .map(
      ({ at, path }) =>
        `${at}: found ${JSON.stringify(path)}, a namespace written out; expected ${JSON.stringify(path.replace(/^_[A-Za-z0-9]+/, '{tenant}'))}, which stands for the organization's own in each`,
    );
}
