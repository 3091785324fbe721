// The schema a mapping set writes to, in the current and in the legacy form.

import { type JsonObject, objectAt, textAt } from '../json.ts';

/** The schema a mapping set is for, from its current or its legacy form (contract §5.1). */
export function mappingSchema(body: JsonObject): { id: string; version: number } {
  const ref = objectAt(objectAt(body, 'outputSchema'), 'schemaRef');
  if (ref) return { id: textAt(ref, 'id') ?? '', version: majorVersion(textAt(ref, 'contentType')) };
  return {
    id: textAt(body, 'xdmSchema') ?? '',
    version: Number.parseInt(String(body.xdmVersion ?? '1'), 10) || 1,
  };
}

/** The major version in a content type; 1 when it names none. */
export function majorVersion(contentType: string | undefined): number {
  return Number(/version=(\d+)/.exec(contentType ?? '')?.[1] ?? 1);
}
