// What a plan has read: all that decides what is done, part by part, for the plan's token.
import type { Manifest } from '../../manifest.ts';
import type { Pipeline, Planned, ResourceKey } from '../../pipeline.ts';
import { readRoute } from '../../published.ts';
import type { LedgerRecord, ProvisionRuntime } from '../../runtime.ts';
import type { Decision, Found, StreamContext } from '../resources/resource.ts';
import { othersIn, readRouteList } from '../routes.ts';
import type { PlanState } from './token.ts';

/** Of each resource, noted while the plan looks at it. */
export type ResourcesRead = Map<ResourceKey | 'flow-state', unknown>;

export function noteDecision(
  read: ResourcesRead,
  key: ResourceKey,
  { action, found, others }: Decision,
): void {
  read.set(key, { action, found: found && partOf(found), others: others.map(partOf).sort(byId) });
  if (key === 'flow') read.set('flow-state', { state: found?.state });
}

/** AEP's lists have no order of their own. */
function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

/** Without times: some of them are the moment of looking. */
function partOf({ id, name, ownershipTag, differences, running, refers, revision, details }: Found) {
  const { version, union } = details ?? {};
  return { id, name, ownershipTag, differences, running, refers, revision, version, union };
}

/** The whole state that a planned pipeline was planned from. */
export async function stateRead(
  { manifest, samples, plan, old, streamArn, execution }: Pipeline,
  record: LedgerRecord | undefined,
  read: ResourcesRead,
  { aep, runtime }: StreamContext,
): Promise<PlanState> {
  const plannedOf = (name: Planned['resource'] | 'flow-state') => {
    const { action, id } = plan.find(({ resource }) => resource === name) ?? {};
    return { action, id };
  };
  return {
    // Another action follows from what was found: what AEP does not allow, and the manifest neither.
    ...Object.fromEntries([...read].map(([part, found]) => [part, { found, ...plannedOf(part) }])),
    stage: { name: runtime.settings.stage, stateMachine: stateMachineOf(execution.id) },
    organization: (await aep.sessions.current()).organizationId,
    sandbox: manifest.sandbox,
    pipeline: manifest.name,
    stream: streamArn,
    manifest,
    samples,
    execution: succeededId(record?.succeeded),
    applied: record?.manifest,
    old: old.map(({ resource, id }) => `${resource} ${id}`).sort(),
    routes: await routesRead(manifest, streamArn, runtime),
    publish: { ...plannedOf('publish'), published: await publishedRead(manifest, streamArn, runtime) },
    trigger: { ...plannedOf('trigger'), trigger: await triggerRead(streamArn, runtime) },
  };
}

/** Without the execution's own name. Two accounts may have a stage of one name. */
function stateMachineOf(executionArn: string): string {
  return executionArn.split(':').slice(0, -1).join(':');
}

function succeededId(succeeded: unknown): unknown {
  return (succeeded as { readonly id?: unknown } | undefined)?.id;
}

/** The other pipelines of the stream, by name: what they publish does not matter to this one. */
async function routesRead({ name }: Manifest, streamArn: string | undefined, runtime: ProvisionRuntime) {
  if (streamArn === undefined) return undefined;
  const list = await readRouteList(runtime, streamArn);
  if (list === undefined) return undefined;
  const { streamArn: of, settings, closing, routes } = list;
  return { of, settings, closing, others: othersIn(list, name), own: routes[name] };
}

/** Without the inlet's URL, which may be a secret. The flow and its connections are parts of their own. */
async function publishedRead({ name }: Manifest, streamArn: string | undefined, runtime: ProvisionRuntime) {
  if (streamArn === undefined) return undefined;
  const { inletUrl: _, ...published } = { ...(await readRoute(runtime, streamArn, name)) };
  return published;
}

/** Without the result of its last read, and without times. */
async function triggerRead(streamArn: string | undefined, { triggers }: ProvisionRuntime) {
  if (streamArn === undefined) return undefined;
  const { id, state, consumerArn, maximumRecordAgeSeconds } = { ...(await triggers.find(streamArn)) };
  return { id, state, consumerArn, maximumRecordAgeSeconds };
}

/** The same runtime, which asks once for a list of routes or a trigger. So a plan and its token speak of the same. */
export function readingOnce<R extends ProvisionRuntime>(runtime: R): R {
  const { routes, triggers } = runtime;
  return {
    ...runtime,
    routes: { ...routes, read: askedOnce(routes.read) },
    triggers: { ...triggers, find: askedOnce(triggers.find) },
  };
}

function askedOnce<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return (key) => {
    const answer = asked.get(key) ?? ask(key);
    asked.set(key, answer);
    return answer;
  };
}
