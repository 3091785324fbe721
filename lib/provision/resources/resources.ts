// The one list: what a pipeline needs, in dependency order. What AEP cannot undo comes after what it can
// refuse.
import { keyOfGroup, ownGroups, type Pipeline, type ResourceKey } from '../../pipeline.ts';
import { baseConnection } from './base-connection.ts';
import { dataset } from './dataset.ts';
import { fieldGroup } from './field-group.ts';
import { flow } from './flow.ts';
import { identity } from './identity.ts';
import { forgottenIdentityDataset, identityDataset } from './identity-dataset.ts';
import { mapping } from './mapping.ts';
import { profile } from './profile.ts';
import type { Resource } from './resource.ts';
import { schema } from './schema.ts';
import { sourceConnection } from './source-connection.ts';
import { targetConnection } from './target-connection.ts';

type Which = Pick<Pipeline, 'manifest' | 'hints' | 'mode'>;

/**
 * For a pipeline to be retired, also what its manifest no longer names: field groups, and the identity
 * dataset.
 */
export function resourcesOf(pipeline: Which): Resource[] {
  return [
    ...ownGroups(pipeline.manifest).map(fieldGroup),
    ...forgottenGroups(pipeline).map((name) => fieldGroup({ name, fields: {} })),
    schema,
    baseConnection,
    mapping,
    identity,
    profile,
    dataset,
    identityDatasetOf(pipeline),
    sourceConnection,
    targetConnection,
    flow,
  ];
}

function identityDatasetOf({ mode, hints }: Which): Resource {
  return mode === 'retire'
    ? forgottenIdentityDataset(hints['identity-dataset'] !== undefined)
    : identityDataset;
}

function forgottenGroups({ manifest, hints, mode }: Which): string[] {
  if (mode !== 'retire') return [];
  const known = new Set<string>(ownGroups(manifest).map(keyOfGroup));
  return Object.keys(hints)
    .filter((key) => key.startsWith('field-group:') && !known.has(key))
    .map((key) => key.slice('field-group:'.length));
}

/**
 * The order of removal: backwards, but a mapping set comes right before the source connection. That
 * connection's ownership tag names the mapping set, should removal be interrupted.
 */
export function backwards(pipeline: Which): Resource[] {
  const all = resourcesOf(pipeline)
    .reverse()
    .filter(({ key }) => key !== 'mapping');
  return all.flatMap((one) => (one.key === 'source-connection' ? [mapping, one] : [one]));
}

/** What each state of the state machine makes. */
export const STEPS = {
  schema: (key: ResourceKey) => key === 'schema' || key.startsWith('field-group:'),
  'base-connection': (key: ResourceKey) => key === 'base-connection',
  mapping: (key: ResourceKey) => key === 'mapping',
  identity: (key: ResourceKey) => key === 'identity' || key === 'profile',
  dataset: (key: ResourceKey) => key === 'dataset',
  'identity-dataset': (key: ResourceKey) => key === 'identity-dataset',
  'source-connection': (key: ResourceKey) => key === 'source-connection',
  'target-connection': (key: ResourceKey) => key === 'target-connection',
  flow: (key: ResourceKey) => key === 'flow',
} as const satisfies Record<string, (key: ResourceKey) => boolean>;

export type ResourceStep = keyof typeof STEPS;

/** What each resource refers to. */
export function refersTo(key: ResourceKey, pipeline: Which): readonly ResourceKey[] {
  const groups = resourcesOf(pipeline)
    .map((one) => one.key)
    .filter((one) => one.startsWith('field-group:'));
  switch (key) {
    case 'schema':
      return groups;
    case 'identity':
    case 'profile':
    case 'dataset':
    case 'identity-dataset':
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
