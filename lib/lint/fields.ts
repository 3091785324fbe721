// Rules of own fields: their names, and that an enum holds values of the field's type.
import { type Edit, jsonPointer } from './json-edit.ts';
import { asList, asObject, asText, type Lint, type WrittenManifest } from './written.ts';

/** As lib/manifest.ts takes the name of a field. */
const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,99}$/;

/** A field with where it stands in the manifest, and in XDM. */
interface PlacedField {
  readonly at: readonly PropertyKey[];
  readonly name: string;
  /** `{tenant}.loyalty.tier` */
  readonly path: string;
  readonly siblings: readonly string[];
  readonly field: WrittenManifest;
}

export function fieldLints(written: WrittenManifest): Lint[] {
  const groups = asList(asObject(written.schema)?.fieldGroups);
  const fields = groups.flatMap((group, index) =>
    fieldsBelow(asObject(group)?.fields, ['schema', 'fieldGroups', index, 'fields'], '{tenant}'),
  );
  return fields.flatMap((one) => [...fieldNameLints(one, written), ...enumLints(one)]);
}

function fieldsBelow(value: unknown, at: readonly PropertyKey[], path: string): PlacedField[] {
  const all = Object.entries(asObject(value) ?? {});
  const siblings = all.map(([name]) => name);
  return all.flatMap(([name, inner]) => {
    const field = asObject(inner) ?? {};
    const here = { at: [...at, name], name, path: `${path}.${name}`, siblings, field };
    const items = asObject(field.items) ?? {};
    return [
      here,
      ...fieldsBelow(field.properties, [...here.at, 'properties'], here.path),
      ...fieldsBelow(items.properties, [...here.at, 'items', 'properties'], here.path),
    ];
  });
}

/** A field's name, with all that refers to it in this manifest. */
function fieldNameLints({ at, name, path, siblings }: PlacedField, written: WrittenManifest): Lint[] {
  if (NAME.test(name)) return [];
  const to = name
    .trim()
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^[^A-Za-z]+/, '')
    .slice(0, 100);
  const says = `found ${JSON.stringify(name)}; expected letters, digits and "_", the first a letter`;
  const lint = { rule: 'field-name', at: jsonPointer(at), says };
  if (to === '' || siblings.includes(to)) return [lint];
  const edits: Edit[] = [...references(path, to, written), { op: 'rename', at: jsonPointer(at), to }];
  return [{ ...lint, does: `writes ${JSON.stringify(to)}, also where the manifest refers to it`, edits }];
}

function references(path: string, to: string, written: WrittenManifest): Edit[] {
  const moved = `${path.slice(0, path.lastIndexOf('.'))}.${to}`;
  const places = [
    ...textsBelow(written.mapping, ['mapping'], 'destination'),
    ...textsBelow(asObject(written.schema)?.identities, ['schema', 'identities'], 'path'),
  ];
  return places.flatMap(({ at, text }): Edit[] => {
    const rest = text.slice(path.length);
    if (!text.startsWith(path) || !/^([.[]|$)/.test(rest)) return [];
    return [{ op: 'set', at, value: `${moved}${rest}` }];
  });
}

function textsBelow(list: unknown, at: readonly PropertyKey[], key: string): { at: string; text: string }[] {
  return asList(list).flatMap((one, index) => {
    const text = asText(asObject(one)?.[key]);
    return text === undefined ? [] : [{ at: jsonPointer([...at, index, key]), text }];
  });
}

/** JSON Schema: a value is in the enum and of the type, so one of another type is never valid. */
function enumLints({ at, field }: PlacedField): Lint[] {
  const values = asList(field.enum);
  const mend = MENDERS[asText(field.type) ?? ''];
  if (values.length === 0 || mend === undefined) return [];
  const mended = [...new Set(values.map(mend))];
  if (mended.length === values.length && mended.every((one, index) => one === values[index])) return [];
  const place = jsonPointer([...at, 'enum']);
  const says = `found ${JSON.stringify(values).slice(0, 200)}; expected each value once, and of the type ${field.type}`;
  if (mended.includes(undefined)) return [{ rule: 'enum', at: place, says }];
  const edits: Edit[] = [{ op: 'set', at: place, value: mended }];
  return [{ rule: 'enum', at: place, says, does: `writes ${JSON.stringify(mended).slice(0, 200)}`, edits }];
}

/** The same value in the type; `undefined` where there is none. */
const MENDERS: Readonly<Record<string, (value: unknown) => unknown>> = {
  string: (value) =>
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : asText(value),
  integer: (value) => numberIn(value, Number.isSafeInteger),
  number: (value) => numberIn(value, Number.isFinite),
};

function numberIn(value: unknown, isFit: (number: number) => boolean): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && isFit(number) ? number : undefined;
}
