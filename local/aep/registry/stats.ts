// Who the tenant is and what it has (contract §2.3).

import { type Answer, json } from '../answer.ts';
import type { AdmittedCall } from '../http.ts';
import { type JsonObject, objectAt } from '../json.ts';
import type { World } from '../state.ts';
import { lookUp, tenantResources } from './resources.ts';
import { inUnion } from './rules.ts';

export function stats(world: World, call: AdmittedCall): Answer {
  const { registry } = call.sandbox;
  const recent = (date: string) =>
    tenantResources(call.sandbox)
      .map((resource) => ({ resource, at: Number(objectAt(resource, 'meta:registryMetadata')?.[date] ?? 0) }))
      .sort((a, b) => b.at - a.at)
      .slice(0, 5)
      .map(({ resource, at }) => brief(resource, at));
  // CONFLICT: Adobe's page has lists below the class's `$id`; its OpenAPI file has a list of classes (quirk `class-usage`).
  const classUsage: { [classId: string]: JsonObject[] } = {};
  for (const { $id = null, title = null, description = null, ...rest } of registry.schemas.values()) {
    const id = String(rest['meta:class']);
    classUsage[id] ??= [];
    classUsage[id].push({ $id, title, description });
  }
  return json(200, {
    imsOrg: world.settings.organization,
    tenantId: world.settings.tenant,
    counts: {
      schemas: registry.schemas.size,
      mixins: registry.mixins.size,
      datatypes: registry.datatypes.size,
      classes: registry.classes.size,
      unions: new Set(
        registry.schemas
          .values()
          .filter(inUnion)
          .map((schema) => schema['meta:class']),
      ).size,
    },
    recentlyCreatedResources: recent('repo:createdDate'),
    recentlyUpdatedResources: recent('repo:lastModifiedDate'),
    classUsage: world.settings.quirks['class-usage'] === 'array' ? asList(call, classUsage) : classUsage,
  });
}

/** As the OpenAPI file has it: a class, how many schemas build on it, and which. */
function asList(
  { sandbox }: AdmittedCall,
  usage: { readonly [classId: string]: JsonObject[] },
): JsonObject[] {
  return Object.entries(usage).map(([$id, schemas]) => ({
    $id,
    title: lookUp(sandbox, 'classes', $id)?.title ?? null,
    numberOfSchemas: schemas.length,
    schemas,
  }));
}

function brief(resource: JsonObject, at: number): JsonObject {
  return {
    title: resource.title ?? null,
    description: resource.description ?? null,
    'meta:resourceType': resource['meta:resourceType'] ?? null,
    'meta:created': new Date(at).toUTCString(),
    'meta:altId': resource['meta:altId'] ?? null,
    version: resource.version ?? null,
  };
}
