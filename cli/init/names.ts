// Names of fields: how Data Prep is told of one in a record, and what it is called in a schema.

/** Adobe's page "Data Prep mapping functions": what is not such a name, or a reserved word, stands in `${…}`. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reserved words of the same page. */
const RESERVED = new Set(
  [
    'new mod or break var lt for false while eq gt div not null continue else and ne true le if ge return',
    '_errors do function empty size',
  ].flatMap((words) => words.split(' ')),
);

/** Functions of Data Prep, by the same page: in a calculated field their names are reserved as well. */
const FUNCTIONS = new Set(
  [
    'concat explode split join instr replacestr substr lower lcase upper ucase ltrim rtrim trim lpad rpad',
    'left right equals equalsIgnoreCase extract_regex matches_regex md5 sha1 sha256 sha512 crc32 now',
    'timestamp date format dformat date_part set_date_part make_date_time make_timestamp zone_date_to_utc',
    'zone_date_to_zone size_of is_empty to_object arrays_to_objects arrays_to_object str_to_object get_values',
    'contains_key is_set nullify get_keys map_get_values map_has_keys add_to_map object_to_map to_map',
    'array_to_map coalesce first last to_array add_to_array join_arrays upsert_array_append',
    'upsert_array_replace min max to_bigint to_decimal to_float to_integer json_to_object get_url_protocol',
    'get_url_host get_url_port get_url_path get_url_query_str get_url_encoded get_url_decoded iif nvl decode',
    'uuid guid fpid_to_ecid ua_os_name ua_os_version ua_os_version_major ua_os_name_version ua_agent_name',
    'ua_agent_version ua_agent_version_major ua_device_class array_to_string filterArray transformArray',
    'flattenArray',
  ].flatMap((words) => words.split(' ')),
);

/**
 * The path of a field, for a row that only copies it. A name that Data Prep cannot be told of makes it `undefined`.
 */
export function sourcePath(steps: readonly string[]): string | undefined {
  if (steps.some(isBeyond)) return undefined;
  return steps
    .map((step) => (PLAIN.test(step) && !RESERVED.has(step) ? step : `\${${escaped(step)}}`))
    .join('.');
}

/** The empty name has no path. A sample's reader drops the other one, so that nothing could prove its row. */
function isBeyond(step: string): boolean {
  return step === '' || step === '__proto__';
}

/** The same within a calculated field. A name with a brace cannot be written there. */
export function expressionPath(steps: readonly string[]): string | undefined {
  if (steps.some((step) => isBeyond(step) || /[{}]/.test(step))) return undefined;
  return steps
    .map((step) =>
      PLAIN.test(step) && !RESERVED.has(step) && !FUNCTIONS.has(step) ? step : `\${${escaped(step)}}`,
    )
    .join('.');
}

function escaped(step: string): string {
  return step.replace(/[\\.{}[\]]/g, '\\$&');
}

/** A JSON Pointer (RFC 6901). */
export function pointerOf(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** As a reader knows a path: names with dots between them. */
export function shownPath(steps: readonly string[]): string {
  return steps.map((step) => (/^[^\s."]+$/u.test(step) ? step : JSON.stringify(step))).join('.');
}

const MAX_FIELD_NAME = 60;
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  ø: 'o',
  Ø: 'O',
  œ: 'oe',
  Œ: 'OE',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/**
 * The name of a field in a schema: letters, digits and "_", a letter first. Accents are left off. A letter of another
 * script becomes `u` and the number of its code point, so that a name depends on nothing but itself.
 */
export function fieldName(name: string): string {
  const letters = Array.from(name.normalize('NFKD'), (one) => {
    if (/[A-Za-z0-9_]/.test(one)) return one;
    if (Object.hasOwn(LETTERS, one)) return LETTERS[one] ?? '';
    if (/\p{M}/u.test(one)) return '';
    return /[\p{L}\p{N}]/u.test(one) ? `u${one.codePointAt(0)?.toString(16)}` : '_';
  }).join('');
  const plain = letters
    .replace(/_{2,}/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MAX_FIELD_NAME);
  if (plain === '') return 'field';
  // A checker in JavaScript finds a member of such a name in every object.
  if (plain in Object.prototype) return `field_${plain}`;
  return /^[A-Za-z]/.test(plain) ? plain : `n${plain}`;
}

/** Whether a schema can have a field of just this name. */
export function isFieldName(name: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9_]{0,99}$/.test(name) && !(name in Object.prototype);
}

/** A name that none of its neighbours has. AEP's tables do not tell capitals from small letters. */
export function createFieldNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const plain = fieldName(name);
    let found = plain;
    for (let next = 2; taken.has(found.toLowerCase()); next++) found = `${plain}_${next}`;
    taken.add(found.toLowerCase());
    return found;
  };
}

/** A name of a pipeline: small letters, digits and "-". */
export function pipelineName(text: string): string {
  const plain = fieldName(text)
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/_/g, '-')
    .replace(/-{2,}/g, '-')
    .slice(0, 40)
    .replace(/-+$/, '');
  return plain === '' ? 'records' : plain;
}
