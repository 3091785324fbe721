// All that a sandbox of the simulated platform holds, to the last field: what a run of the contract suite must not change.
import type { Platform } from '../../local/aep/platform.ts';

/** A list for each kind of resource. */
export function holdings({ state }: Platform): unknown[][] {
  const sandbox = state.sandboxes.get('dev1');
  if (sandbox === undefined) return [];
  const { registry, dataSets, connections, sourceConnections, targetConnections, flows, mappingSets } =
    sandbox;
  const shelves = [
    registry.schemas,
    registry.mixins,
    sandbox.descriptors,
    dataSets,
    connections,
    sourceConnections,
    targetConnections,
    flows,
    mappingSets,
  ];
  return shelves.map((shelf) => [...shelf.values()]);
}
