// Names the differences between two answers to one call, without their values: status, code, content type, and fields with their types.

export interface Seen {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** Keys below these are a customer's own words. */
const OWN_NAMES = new Set([
  'properties',
  'definitions',
  'tags',
  'identityMap',
  'extensions',
  'body',
  'values',
  'meta:enum',
  'default',
  'examples',
  'sample',
  'sampleData',
]);
/** A word of an API. It has no digit, and no character that only ids, addresses and file names have. */
const WORD = /^[@$]?[A-Za-z][A-Za-z:_-]{0,39}$/;
const UNDERSCORED = new Set(['_id', '_page', '_links', '_embedded', '_errors', '_refId', '_metadata']);
/** Codes are the service's own constants, in these shapes only. */
const CODE = /^(\d{6}|[A-Z]{2,12}-\d{3,5}(-\d{3})?|[A-Z][A-Za-z]{2,30}Error)$/;
const ERROR_TYPE = /^https?:\/\/ns\.adobe\.com\/[a-z/-]*\/([A-Z0-9-]{3,40})$/;

/** What `here`, the simulated platform, answers otherwise than `there`; no value of either is in it. */
export function differencesOf(here: Seen, there: Seen): string[] {
  const found: string[] = [];
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) found.push(`${what}: ${one} here, ${other} there`);
  };
  differ('status', String(here.status), String(there.status));
  // A refusal has other fields than an answer: they are not compared.
  if (here.status >= 400 !== there.status >= 400) return found;
  differ('code', codeOf(here.body), codeOf(there.body));
  differ('content type', mediaType(here), mediaType(there));
  return [...found, ...fieldsOf(shapeOf(here.body), shapeOf(there.body))];
}

function mediaType({ contentType = 'none' }: Seen): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9.+-]+(\/[a-z0-9.+-]+)?$/.test(type) ? type : 'another';
}

function codeOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return 'none';
  const { error_code, type, title } = body as Record<string, unknown>;
  for (const each of [error_code, type, title]) {
    if (typeof each !== 'string') continue;
    const code = ERROR_TYPE.exec(each)?.[1] ?? each;
    if (CODE.test(code)) return code;
  }
  return 'none';
}

/** Types that were found at each place; `*` is any position, and any name that is not the API's own. */
type Shape = ReadonlyMap<string, ReadonlySet<string>>;

/** Deeper than any answer of Adobe's. */
const DEEPEST = 40;

function shapeOf(body: unknown): Shape {
  const shape = new Map<string, Set<string>>();
  const visit = (value: unknown, place: string, ownNames: boolean, depth: number): void => {
    const types = shape.get(place) ?? new Set();
    shape.set(place, types.add(typeOf(value)));
    if (typeof value !== 'object' || value === null || depth >= DEEPEST) return;
    if (Array.isArray(value)) {
      for (const each of value) visit(each, `${place}/*`, ownNames, depth + 1);
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      const name = ownNames || !isWord(key) ? '*' : key;
      visit(inner, `${place}/${name}`, ownNames || holdsOwnNames(key), depth + 1);
    }
  };
  visit(body, '', false, 0);
  return shape;
}

/** Below `_acmelab` there are a tenant's own field names, too. */
function holdsOwnNames(key: string): boolean {
  return OWN_NAMES.has(key) || (key.startsWith('_') && !UNDERSCORED.has(key));
}

function isWord(key: string): boolean {
  return key.startsWith('_') ? UNDERSCORED.has(key) : WORD.test(key);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function fieldsOf(here: Shape, there: Shape): string[] {
  const places = [...new Set([...here.keys(), ...there.keys()])].sort();
  return places.flatMap((place) => {
    const [one, other] = [here.get(place), there.get(place)];
    if (one !== undefined && other !== undefined) return typesOf(place, one, other);
    // Where the parent is missing on one side, only the parent is named. An empty list says nothing of its items.
    if (place.endsWith('/*') || !(here.has(parentOf(place)) && there.has(parentOf(place)))) return [];
    return [one === undefined ? `${place}: only there` : `${place}: only here`];
  });
}

function typesOf(place: string, one: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  if ([...one].some((type) => other.has(type))) return [];
  return [`${place || '/'}: ${[...one].sort().join(' or ')} here, ${[...other].sort().join(' or ')} there`];
}

function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/'));
}
