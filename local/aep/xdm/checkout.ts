// Reads a checkout of Adobe's public XDM repository (github.com/adobe/xdm): its classes, field groups and data types as the platform has them.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { arrayAt, isObject, type Json, type JsonObject, textAt } from '../json.ts';
import { compatible, JSON_LD, type Sources } from './compat.ts';
import type { StandardKind, StandardResource } from './facts.ts';
import { BEHAVIORS } from './names.ts';
import { builtInResources, type Standard, standardOf } from './standard.ts';

/**
 * What of a checkout holds resources; of two with one `$id`, the first counts. What Adobe has archived is in no new organization, and stays in
 * those that have it. `docs/` repeats all.
 */
const FOLDERS = ['components', 'extensions', 'schemas', 'archived'];
const FILE = /\.schema\.json$/;

/** A file that is no checkout of XDM, or no XDM. */
export class CheckoutError extends Error {
  override readonly name = 'CheckoutError';
}

/** The built-in resources and those of a checkout, which win where both have one. @throws CheckoutError */
export function standardWith(folder: string): Standard {
  return standardOf([...builtInResources(), ...readCheckout(folder)]);
}

/** All resources below `folder`, texts included: they are the reader's own copy. @throws CheckoutError */
export function readCheckout(folder: string): StandardResource[] {
  const sources = new Map<string, JsonObject>();
  const files = new Map<string, string>();
  for (const file of FOLDERS.flatMap((name) => schemaFiles(folder, name))) {
    const schema = read(join(folder, file));
    const id = textAt(schema, '$id');
    if (id === undefined || sources.has(id)) continue;
    sources.set(id, schema);
    files.set(id, file);
  }
  if (sources.size === 0)
    throw new CheckoutError(
      `${folder} is no checkout of github.com/adobe/xdm: there are no *.schema.json files in its folder "components"`,
    );
  return [...files].flatMap(([id, file]) => resourceOf(id, file, sources));
}

/** With `/` between the names, from `folder` on. */
function schemaFiles(folder: string, name: string): string[] {
  if (!statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
    .filter((file) => FILE.test(file))
    .map((file) => `${name}/${file.replaceAll('\\', '/')}`)
    .sort();
}

function read(file: string): JsonObject {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(value as Json)) return value as JsonObject;
  } catch (error) {
    throw new CheckoutError(`${file} is not JSON: ${(error as Error).message}`);
  }
  throw new CheckoutError(`${file} is no XDM: expected an object`);
}

function resourceOf(id: string, file: string, sources: Sources): StandardResource[] {
  const schema = sources.get(id) ?? {};
  const kind = kindOf(id, schema, file);
  if (kind === undefined) return [];
  const { title, description, ...content } = compatible(id, sources);
  return [
    {
      kind,
      id,
      title: typeof title === 'string' ? title : id,
      ...(typeof description === 'string' && { description }),
      extends: arrayAt(schema, 'meta:extends').map(String),
      intendedToExtend: arrayAt(schema, 'meta:intendedToExtend').map(String),
      content,
    },
  ];
}

/** Nothing in a file says it outright: where it lies does, and what it extends. Whole schemas and descriptors are none of them. */
function kindOf(id: string, schema: JsonObject, file: string): StandardKind | undefined {
  const behaviors: readonly string[] = BEHAVIORS;
  if (id === JSON_LD) return undefined;
  if (behaviors.includes(id)) return 'behaviors';
  if (/\/(fieldgroups|mixins)\//.test(file) || arrayAt(schema, 'meta:intendedToExtend').length > 0)
    return 'mixins';
  if (arrayAt(schema, 'meta:extends').some((one) => behaviors.includes(String(one)))) return 'classes';
  return file.startsWith('schemas/') ? undefined : 'datatypes';
}
