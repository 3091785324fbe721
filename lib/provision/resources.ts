// The one list: what a pipeline needs, in dependency order. Ensuring walks it forwards, undoing backwards.
import type { Manifest } from '../manifest.ts';
import { ownGroups, type ResourceKey } from '../pipeline.ts';
import { baseConnection } from './base-connection.ts';
import { dataset } from './dataset.ts';
import { sourceConnection, targetConnection } from './ends.ts';
import { fieldGroup } from './field-group.ts';
import { flow } from './flow.ts';
import { identity } from './identity.ts';
import { mapping } from './mapping.ts';
import { profile } from './profile.ts';
import type { Resource } from './resource.ts';
import { schema } from './schema.ts';

export function resourcesOf(manifest: Manifest): Resource[] {
  return [
    ...ownGroups(manifest).map(fieldGroup),
    schema,
    identity,
    profile,
    dataset,
    baseConnection,
    mapping,
    sourceConnection,
    targetConnection,
    flow,
  ];
}

/**
 * The order in which they are undone: backwards, but a mapping set before the source connection, by whose mark it is found
 * again should undoing be interrupted.
 */
export function backwards(manifest: Manifest): Resource[] {
  const all = resourcesOf(manifest)
    .reverse()
    .filter(({ key }) => key !== 'mapping');
  return all.flatMap((one) => (one.key === 'source-connection' ? [mapping, one] : [one]));
}

/** What each state of the state machine makes. */
export const STEPS = {
  schema: (key: ResourceKey) => key === 'schema' || key.startsWith('field-group:'),
  identity: (key: ResourceKey) => key === 'identity' || key === 'profile',
  dataset: (key: ResourceKey) => key === 'dataset',
  'base-connection': (key: ResourceKey) => key === 'base-connection',
  mapping: (key: ResourceKey) => key === 'mapping',
  'source-connection': (key: ResourceKey) => key === 'source-connection',
  'target-connection': (key: ResourceKey) => key === 'target-connection',
  flow: (key: ResourceKey) => key === 'flow',
} as const satisfies Record<string, (key: ResourceKey) => boolean>;

export type ResourceStep = keyof typeof STEPS;

/** What each resource refers to. */
export function refersTo(key: ResourceKey, manifest: Manifest): readonly ResourceKey[] {
  const groups = resourcesOf(manifest)
    .map((one) => one.key)
    .filter((one) => one.startsWith('field-group:'));
  switch (key) {
    case 'schema':
      return groups;
    case 'identity':
    case 'profile':
    case 'dataset':
    case 'mapping':
      return ['schema', ...groups];
    case 'source-connection':
      return ['base-connection', 'mapping'];
    case 'target-connection':
      return ['dataset', 'mapping', 'schema', ...groups];
    case 'flow':
      return [
        'source-connection',
        'target-connection',
        'mapping',
        'base-connection',
        'dataset',
        'schema',
        ...groups,
      ];
    default:
      return [];
  }
}
