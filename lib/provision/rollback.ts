// After a failure: undo what this execution made, backwards, or keep it for the next one; and say which, and why.
import { isFailure, messageInCause, TRANSIENT } from '../failure.ts';
import type { Made, Pipeline, ResourceKind } from '../pipeline.ts';
import { publishedSecret, readPublished } from '../published.ts';
import type { Context, Resource, StreamContext } from './resource.ts';
import { RESOURCES } from './resources.ts';

/** Errors that pass: ours, and Lambda's and Step Functions' own. What was made is worth keeping. */
const RESUMABLE = new RegExp(
  `^(${TRANSIENT}|States\\.Timeout|States\\.HeartbeatTimeout|Lambda\\..*|Sandbox\\..*)$`,
);

interface Undone {
  readonly removed: string[];
  readonly left: string[];
  /** Kinds that something left in place refers to: removed now, they would make it unfindable. */
  readonly needed: Set<ResourceKind>;
}

/** What each resource refers to. */
const REFERS_TO: Readonly<Record<ResourceKind, readonly ResourceKind[]>> = {
  schema: [],
  dataset: ['schema'],
  'base-connection': [],
  'source-connection': ['base-connection'],
  'target-connection': ['dataset', 'schema'],
  mapping: ['schema'],
  flow: ['source-connection', 'target-connection', 'mapping', 'base-connection', 'dataset', 'schema'],
};

/** The pipeline with its `failure` rewritten for a reader: what went wrong, what was undone, what is left, what to do. */
export async function rollback(pipeline: Pipeline, context: StreamContext): Promise<Pipeline> {
  const { Error: name = 'Unknown', Cause = '' } = pipeline.failure ?? {};
  const what = messageInCause(Cause) || name;
  if (RESUMABLE.test(name)) {
    return failed(
      pipeline,
      'Penstock.Resumable',
      `${what} | ${keptText(pipeline)} Start it again: it goes on from here.`,
    );
  }
  if (await isInService(pipeline, context)) {
    const text =
      'Nothing is undone: the forwarder uses what is there. Correct the fault, then start it again.';
    return failed(pipeline, 'Penstock.Resumable', `${what} | ${text}`);
  }
  const undone: Undone = { removed: [], left: [], needed: new Set() };
  await undo(undone, 'intake', () => removeIntake(pipeline, context));
  await undo(undone, 'published pipeline', () => unpublish(pipeline, context));
  for (const resource of [...RESOURCES].reverse()) await undoResource(resource, pipeline, context, undone);
  return failed(pipeline, 'Penstock.RolledBack', `${what} | ${undoneText(undone, pipeline)}`);
}

/** Whether this execution has changed what an earlier one had published: then records already take the new way. */
async function isInService({ plan, streamArn, execution }: Pipeline, { runtime }: Context): Promise<boolean> {
  const planned = plan.find(({ resource }) => resource === 'publish')?.action;
  if (planned === 'create') return false;
  const published = await readPublished(runtime.secrets, runtime.settings, streamArn);
  return published?.execution === execution.name;
}

function keptText({ resources }: Pipeline): string {
  const made = listed(resources);
  return made === '' ? 'Nothing had been made.' : `Kept: ${made}.`;
}

/** `kind id` of each, or of those that came into the document in one way. */
function listed(resources: Pipeline['resources'], how?: Made['how']): string {
  return Object.entries(resources)
    .filter(([, one]) => how === undefined || one?.how === how)
    .map(([kind, one]) => `${kind} ${one?.id}`)
    .join(', ');
}

function undoneText({ removed, left }: Undone, { resources }: Pipeline): string {
  const earlier = listed(resources, 'kept');
  return [
    ...(removed.length > 0 ? [`Undone: ${removed.join(', ')}.`] : []),
    ...(left.length > 0 ? [`Left in place: ${[...new Set(left)].join('; ')}.`] : []),
    ...(removed.length + left.length === 0 ? ['Nothing had to be undone.'] : []),
    ...(earlier === '' ? [] : [`Earlier executions made, and it stays: ${earlier}.`]),
  ].join(' ');
}

async function undoResource(resource: Resource, pipeline: Pipeline, context: StreamContext, undone: Undone) {
  for (const id of await own(resource, pipeline, context, undone)) {
    const before = undone.left.length;
    await undo(undone, `${resource.kind} ${id}`, () =>
      undone.needed.has(resource.kind)
        ? Promise.resolve('what is left in place refers to it')
        : removeResource(resource, id, context),
    );
    if (undone.left.length > before) for (const kind of REFERS_TO[resource.kind]) undone.needed.add(kind);
  }
}

function failed(pipeline: Pipeline, error: string, cause: string): Pipeline {
  // The next reader is Step Functions, which cuts a Cause at 32,768 characters.
  return { ...pipeline, failure: { Error: error, Cause: cause.slice(0, 8_000) } };
}

/** Runs one removal; whatever stops it is written down, and the rest goes on. `false` says there was nothing to do. */
async function undo(
  undone: Undone,
  what: string,
  removal: () => Promise<true | false | string>,
): Promise<void> {
  try {
    const result = await removal();
    if (result === true) undone.removed.push(what);
    else if (result !== false) undone.left.push(`${what} (${result})`);
  } catch (error) {
    undone.left.push(`${what} (${isFailure(error) ? error.what : String(error)})`);
  }
}

/** Ids of what this execution made: from the document, and from AEP, where a step died before it could say. */
async function own(
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
  undone: Undone,
): Promise<Set<string>> {
  const ids = new Set<string>();
  if (!resource.needed(pipeline.manifest) || resource.given?.(pipeline.manifest) !== undefined) return ids;
  const made = pipeline.resources[resource.kind];
  if (made?.how === 'created') ids.add(made.id);
  try {
    for (const found of await resource.find(context, pipeline)) {
      const ours =
        found.mark?.pipeline === pipeline.manifest.name && found.mark.execution === pipeline.execution.name;
      if (ours) ids.add(found.id);
    }
  } catch (error) {
    undone.left.push(`perhaps a ${resource.kind} (${isFailure(error) ? error.what : String(error)})`);
  }
  return ids;
}

async function removeResource(resource: Resource, id: string, context: Context): Promise<true | string> {
  const reason = await resource.keepBecause?.(context, id);
  if (reason !== undefined) return reason;
  try {
    await resource.remove(context, id);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'AEP_NOT_FOUND') throw error;
  }
  return true;
}

async function removeIntake(
  { intake, plan, streamArn }: Pipeline,
  { runtime }: StreamContext,
): Promise<boolean> {
  // A step that died before it could say so may have made it: the plan knows that there was none before.
  const planned = plan.some(({ resource, action }) => resource === 'intake' && action === 'create');
  const id = intake?.id ?? (planned ? (await runtime.intakes.find(streamArn))?.id : undefined);
  if (id === undefined || intake?.how === 'kept') return false;
  await runtime.intakes.remove(id);
  return true;
}

async function unpublish({ streamArn, execution }: Pipeline, { runtime }: Context): Promise<boolean> {
  const published = await readPublished(runtime.secrets, runtime.settings, streamArn);
  if (published?.execution !== execution.name) return false;
  await runtime.secrets.remove(publishedSecret(runtime.settings, streamArn));
  return true;
}
