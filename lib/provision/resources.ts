// The resources of a pipeline in dependency order: ensured forwards, undone backwards.
import { RESOURCE_KINDS, type ResourceKind } from '../pipeline.ts';
import { baseConnection } from './base-connection.ts';
import { dataset } from './dataset.ts';
import { flow } from './flow.ts';
import { mapping } from './mapping.ts';
import type { Resource } from './resource.ts';
import { schema } from './schema.ts';
import { sourceConnection } from './source-connection.ts';
import { targetConnection } from './target-connection.ts';

const BY_KIND: Readonly<Record<ResourceKind, Resource>> = {
  schema,
  dataset,
  'base-connection': baseConnection,
  'source-connection': sourceConnection,
  'target-connection': targetConnection,
  mapping,
  flow,
};

export const RESOURCES: readonly Resource[] = RESOURCE_KINDS.map((kind) => BY_KIND[kind]);
