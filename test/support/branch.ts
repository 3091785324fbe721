// A world as another one was left, with a life of its own: what a sweep begins each of its runs with, made only once.
import type { PlatformOptions } from '../../local/aep/options.ts';
import type { Platform } from '../../local/aep/platform.ts';
import { world } from './provisioning.ts';

export type World = ReturnType<typeof world>;

/** Ids that are given from now on must not be those that were given already. */
const SEED = 7_919;

/** Lists are as old as asked for: what was there at the branching is in every one of them that is not older than this. */
const SETTLED_MS = 3_600_000;

/** All that is remembered, and none of the history: executions are over, and nothing is on its way. */
export function branch(from: World, options: PlatformOptions = {}): World {
  const own = world({ ...options, seed: SEED + from.executions.length });
  own.time.now = from.time.now;
  copySandboxes(from.platform, own.platform);
  for (const [id, value] of from.secrets.values) own.secrets.values.set(id, value);
  for (const [id, intake] of from.intakes.all) own.intakes.all.set(id, intake);
  for (const [id, item] of from.ledger.items) own.ledger.items.set(id, structuredClone(item));
  own.executions.push(...from.executions);
  own.time.now += SETTLED_MS;
  return own;
}

function copySandboxes(from: Platform, to: Platform): void {
  for (const [name, { registry, ...sandbox }] of from.state.sandboxes) {
    const own = to.state.sandboxes.get(name);
    if (own === undefined) continue;
    for (const kind of Object.keys(registry) as (keyof typeof registry)[])
      for (const one of registry[kind].values()) own.registry[kind].put(String(one.$id), one);
    for (const one of sandbox.descriptors.values()) own.descriptors.put(String(one['@id']), one);
    for (const one of sandbox.namespaces.values()) own.namespaces.put(String(one.code), one);
    for (const one of sandbox.dataSets.values()) own.dataSets.put(one.id, one);
    for (const one of sandbox.mappingSets.values()) own.mappingSets.put(one.id, one);
    for (const one of sandbox.flows.values()) own.flows.put(one.id, one);
    for (const kind of ['connections', 'sourceConnections', 'targetConnections'] as const)
      for (const one of sandbox[kind].values()) own[kind].put(one.id, one);
    for (const [id, inlet] of from.state.inlets)
      if (inlet.sandbox.name === name) to.state.inlets.set(id, { ...inlet, sandbox: own });
  }
}
