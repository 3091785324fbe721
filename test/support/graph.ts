// What a sandbox holds, and what was published, as a graph without ids and times: to compare one end with another.

import type { Trigger } from '../../lib/runtime.ts';
import type { Platform } from '../../local/aep/platform.ts';

/** The part of a `world()` that is looked at. */
export interface Seen {
  readonly platform: Platform;
  readonly routes?: { readonly lists: ReadonlyMap<string, { readonly text: string }> };
  readonly secrets: { readonly values: ReadonlyMap<string, string> };
  readonly executions?: readonly { readonly name: string }[];
  readonly triggers: {
    readonly all: ReadonlyMap<string, Trigger & { readonly startAt?: 'earliest' | Date }>;
  };
}

interface Node {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  /** Ids and the like that others know it by. */
  readonly aliases: readonly string[];
  /** What was sent to make it, as JSON. */
  readonly text: string;
  readonly state: string | undefined;
}

type Body = Readonly<Record<string, unknown>>;

const SHELVES = [
  'descriptors',
  'namespaces',
  'dataSets',
  'connections',
  'sourceConnections',
  'targetConnections',
  'mappingSets',
  'flows',
] as const;

/** What AEP writes into a resource by itself and what differs between any two runs. */
const ITS_OWN = new Set([
  'meta:registryMetadata',
  'meta:sandboxId',
  'meta:altId',
  'publishedAt',
  'etag',
  '@id',
  'adobe/pqs/table',
]);

function nodesOf({ platform }: Seen, sandboxName: string): Node[] {
  const sandbox = platform.state.sandboxes.get(sandboxName);
  if (sandbox === undefined) throw new Error(`There is no sandbox ${sandboxName}.`);
  const registry = Object.entries(sandbox.registry).flatMap(([kind, shelf]) =>
    shelf.values().map((one) => node(kind, String(one.$id), one, one)),
  );
  const others = SHELVES.flatMap((kind) =>
    (sandbox[kind].values() as unknown[]).map((one) => {
      const whole = one as Body;
      return node(kind, String(whole.id ?? whole['@id'] ?? whole.code), (whole.body ?? whole) as Body, whole);
    }),
  );
  return [...registry, ...others];
}

function node(kind: string, id: string, body: Body, { state }: Body): Node {
  const { auth } = body as { auth?: { params?: { inletId?: string } } };
  const inlet = auth?.params?.inletId;
  return {
    kind,
    id,
    name: String(body.name ?? body.title ?? body['xdm:sourceProperty'] ?? body['@type'] ?? id),
    aliases: inlet === undefined ? [id] : [id, inlet],
    text: JSON.stringify(body),
    state: typeof state === 'string' ? state : undefined,
  };
}

/**
 * The end of it all, comparable with `toEqual`: every resource under a label of its own with what it was made of, other
 * resources by their labels, executions as `*`; what is published; which streams are read.
 */
export function canonical(own: Seen, sandbox = 'dev1') {
  const nodes = nodesOf(own, sandbox);
  const mask = masking(nodes, own.executions?.map(({ name }) => name) ?? []);
  const resources = nodes.map((one) => [
    mask(one.id),
    { state: one.state, ...(clean(one.text, mask) as Body) },
  ]);
  const published = [...own.secrets.values]
    .filter(([id]) => id.includes('/streams/'))
    .map(([id, text]) => [id, clean(text, mask)]);
  const routes = [...(own.routes?.lists ?? [])].map(([stream, { text }]) => {
    const list = JSON.parse(text) as { routes: Record<string, { from?: number }>; closing?: object };
    const joined = Object.entries(list.routes).map(([name, { from }]) => [
      name,
      from === undefined ? 'first' : 'joined',
    ]);
    const settings = { ...list, closing: list.closing !== undefined, routes: Object.fromEntries(joined) };
    return [stream, settings];
  });
  const triggers = [...own.triggers.all.values()].map(({ streamArn, state, startAt }) => ({
    streamArn,
    state,
    startAt: startAt instanceof Date ? 'a time' : startAt,
  }));
  return {
    resources: Object.fromEntries(resources.sort(byText)) as Record<string, Body>,
    routes: Object.fromEntries(routes.sort(byText)) as Record<string, unknown>,
    published: Object.fromEntries(published.sort(byText)) as Record<string, unknown>,
    triggers: triggers.sort((a, b) => byText(a.streamArn, b.streamArn)),
  };
}

const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);

/**
 * Replaces every id by a label: kind and name, with a number where there are more of them; and the name of an execution
 * that a name ends in.
 */
function masking(nodes: readonly Node[], executions: readonly string[]): (text: string) => string {
  const made = (text: string) => {
    const by = executions.find((name) => text.endsWith(`-${name}`));
    return unmarked(by === undefined ? text : `${text.slice(0, -by.length)}*`);
  };
  const used = new Map<string, number>();
  const labels: [string, string][] = [];
  for (const { kind, name, aliases } of nodes) {
    const plain = `${kind} ${made(name)}`;
    const count = (used.get(plain) ?? 0) + 1;
    used.set(plain, count);
    for (const alias of aliases) labels.push([alias, count === 1 ? plain : `${plain} #${count}`]);
  }
  labels.sort(([a], [b]) => b.length - a.length);
  return (text) => made(labels.reduce((so, [id, label]) => so.replaceAll(id, `<${label}>`), text));
}

/** Ownership tags without who made it, and when Profile was switched on: both are what a fault may change. */
function unmarked(text: string): string {
  return text
    .replace(/\bexecution=[^\s\]]+/g, 'execution=*')
    .replace(/^execution:.+/, 'execution:*')
    .replace(/^enabledAt:.+/, 'enabledAt:*')
    .replace(/(\[penstock \S+) [0-9a-f]{12}\]/g, '$1 *]');
}

function clean(text: string, mask: (text: string) => string): unknown {
  return JSON.parse(text, function reviver(this: unknown, key, value: unknown) {
    if (ITS_OWN.has(key)) return undefined;
    if (key === 'execution') return '*';
    // The ids of single mappings, not of anything else.
    if (key === 'id' && (this as Body).sourceType !== undefined) return undefined;
    return typeof value === 'string' ? mask(value) : value;
  });
}

/** All that there is, with what it was made of as JSON. */
export function held(own: Seen, sandbox = 'dev1'): Pick<Node, 'kind' | 'id' | 'text' | 'state'>[] {
  return nodesOf(own, sandbox);
}

/** What the ledger knows of each pipeline, by which the next execution goes on: without its report and its numbers. */
export function remembered(
  own: Seen & { ledger: { items: ReadonlyMap<string, object> } },
  sandbox = 'dev1',
): string {
  const mask = masking(nodesOf(own, sandbox), own.executions?.map(({ name }) => name) ?? []);
  const items = [...own.ledger.items].map(([pipeline, item]) => {
    const { report: _, updatedAt: __, since: ___, entered: ____, ...rest } = item as Record<string, unknown>;
    return [pipeline, rest];
  });
  return mask(JSON.stringify(items));
}

/** By kind, how many there are that no published pipeline leads to: copies, and what was left behind. */
export function surplus(own: Seen, sandbox = 'dev1'): Record<string, number> {
  const nodes = nodesOf(own, sandbox);
  const reached = new Set<Node>();
  const visit = (text: string) => {
    for (const one of nodes) {
      if (reached.has(one) || !one.aliases.some((alias) => text.includes(alias))) continue;
      reached.add(one);
      visit(one.text);
    }
  };
  for (const [id, text] of own.secrets.values) if (id.includes('/streams/')) visit(text);
  // A descriptor is not led to: it says something about a schema, and stays as long as that.
  for (const one of nodes) {
    const about = nodes.some((other) => reached.has(other) && one.text.includes(other.id));
    if (one.kind === 'descriptors' && about) reached.add(one);
  }
  const counts: Record<string, number> = {};
  for (const { kind } of nodes.filter((one) => !reached.has(one))) counts[kind] = (counts[kind] ?? 0) + 1;
  const extra =
    own.triggers.all.size - new Set([...own.triggers.all.values()].map(({ streamArn }) => streamArn)).size;
  return extra > 0 ? { ...counts, triggers: extra } : counts;
}
