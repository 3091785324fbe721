// The schema of a dataset as a tree: the type of each field, where it comes from, and what fills it.
import { mappingsOf } from '../../../lib/provision/resources/mapping.ts';
import { type JsonObject, objectAt, textAt } from '../../aep/json.ts';
import { fieldAt, resolved } from '../../aep/registry/resolve.ts';
import { lookUp, referenced, refsOf } from '../../aep/registry/resources.ts';
import type { Sandbox } from '../../aep/state.ts';
import type { Field } from '../../aep/xdm/field.ts';
import { knownPipelines } from '../known.ts';
import type { SchemaDetail, SchemaField } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';

/** `undefined` where there is no such dataset, or no schema of it. */
export function schemaDetail({ watched }: Looked, datasetId: string): SchemaDetail | undefined {
  for (const sandbox of watched.platform.platform.state.sandboxes.values()) {
    const dataset = sandbox.dataSets.get(datasetId);
    const id = textAt(objectAt(dataset?.body ?? {}, 'schemaRef'), 'id');
    const schema = id === undefined ? undefined : lookUp(sandbox, 'schemas', id);
    if (schema === undefined) continue;
    const tree: Tree = { parts: partsOf(sandbox, schema), fills: fillsOf(watched, datasetId) };
    return { title: String(schema.title ?? id), fields: fieldsOf(tree, resolved(sandbox, schema), []) };
  }
  return undefined;
}

interface Tree {
  /** In the order of the schema: the first that has a field is where it comes from. */
  readonly parts: readonly { readonly name: string; readonly field: Field }[];
  /** Sources by the path that they are mapped to. */
  readonly fills: ReadonlyMap<string, readonly string[]>;
}

const WORDS: Readonly<Record<string, string>> = { classes: 'class', mixins: 'field group' };

function partsOf(sandbox: Sandbox, schema: JsonObject): Tree['parts'] {
  return refsOf(schema).flatMap((ref) => {
    const found = referenced(sandbox, ref);
    if (found === undefined) return [];
    const { kind, resource } = found;
    const isOwn = sandbox.registry[kind as 'mixins']?.get(ref) !== undefined;
    const name = `${isOwn ? 'own ' : ''}${WORDS[kind] ?? kind} ${String(resource.title ?? ref)}`;
    return [{ name, field: resolved(sandbox, resource) }];
  });
}

/** By all pipelines that write into the dataset. */
function fillsOf({ platform, executions }: Watched, datasetId: string): Tree['fills'] {
  const { tenant } = platform.platform.settings;
  const rows = [...knownPipelines(executions.all).values()].flatMap(({ manifest, made }) =>
    manifest === undefined || made?.dataset?.id !== datasetId ? [] : mappingsOf({ manifest, tenant }),
  );
  const paths = Map.groupBy(rows, ({ destination }) => destination.replace(/\[[^\]]*\]/g, ''));
  return new Map([...paths].map(([path, those]) => [path, those.map(({ source }) => source)]));
}

function fieldsOf(tree: Tree, within: Field, path: readonly string[]): SchemaField[] {
  const { properties = {}, required = [] } = itemsOf(within);
  return Object.entries(properties).map(([name, field]) => {
    const here = [...path, name];
    return {
      name,
      type: typeOf(field),
      isRequired: required.includes(name),
      from: tree.parts.find((part) => fieldAt(part.field, here) !== undefined)?.name ?? 'the schema itself',
      filledBy: tree.fills.get(here.join('.')) ?? [],
      fields: fieldsOf(tree, field, here),
    };
  });
}

/** The fields of a list are those of its items. */
function itemsOf(field: Field): Field {
  return field.items === undefined ? field : itemsOf(field.items);
}

function typeOf(field: Field): string {
  if (field.items !== undefined) return `list of ${typeOf(field.items)}`;
  return field['meta:xdmType'] ?? field.type ?? 'object';
}
