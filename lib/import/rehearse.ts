// Looks for everything of an imported manifest as the plan does, and tells where the plan would want a change.
import type { Manifest } from '../manifest.ts';
import { DOCUMENT_VERSION, type Made, nothingYet, type Pipeline, type ResourceKey } from '../pipeline.ts';
import { asMade, inventory } from '../provision/resources/ensure.ts';
import {
  type Context,
  type Difference,
  givenIn,
  inFull,
  isConsequence,
  type Resource,
} from '../provision/resources/resource.ts';
import { resourcesOf } from '../provision/resources/resources.ts';
import { type ImportFinding, prevents } from './finding.ts';
import { mappingIn, type WalkedFlow } from './walked.ts';

/** What the plan would do besides adopting or keeping; empty if the next plan says that nothing changes. */
export async function rehearse(
  manifest: Manifest,
  walked: WalkedFlow,
  context: Context,
): Promise<ImportFinding[]> {
  const findings: ImportFinding[] = [];
  const ids = walkedIds(walked);
  let pipeline = rehearsalOf(manifest, walked.tenant);
  for (const resource of resourcesOf(pipeline)) {
    const { key } = resource;
    if (!resource.needed(manifest)) continue;
    const { made, why } = await lookAt(resource, pipeline, lookingWithoutSecrets(context));
    const expected = ids[key];
    if (why !== undefined) findings.push(prevents(key, why));
    else if (expected !== undefined && made !== undefined && made.id !== expected)
      findings.push(prevents(key, `the plan finds ${made.id}; the flow leads to ${expected}`));
    if (made !== undefined) pipeline = { ...pipeline, resources: { ...pipeline.resources, [key]: made } };
  }
  return findings;
}

interface Look {
  readonly made?: Made;
  /** Why the plan would change something. */
  readonly why?: string;
}

async function lookAt(resource: Resource, pipeline: Pipeline, context: Context): Promise<Look> {
  const given = givenIn(pipeline.manifest, resource);
  if (given !== undefined) {
    const made: Made = { id: given.id, name: given.id, how: 'given' };
    const { differences } = await given.check(context, pipeline);
    return { made, ...whyChanged('it does not fit', differences) };
  }
  const { action, reason, found } = await inventory(resource, pipeline, context);
  const made = found === undefined ? {} : { made: asMade(resource, pipeline, found) };
  if (action === 'keep') return made;
  if (action === 'adopt') return { ...made, ...(await whyImpossible(resource, pipeline, context)) };
  if (found === undefined) return { ...made, why: reason };
  return { ...made, ...whyChanged(reason, found.differences, reason) };
}

/** The plan asks this of all that it does not simply keep. */
async function whyImpossible(
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Pick<Look, 'why'>> {
  if (resource.kind !== 'changeable' && resource.kind !== 'entries') return {};
  const why = await resource.impossible?.(context, pipeline);
  return why === undefined ? {} : { why };
}

/** Nothing where all of it only follows from another resource, of which it is told already. */
function whyChanged(reason: string, differences: readonly Difference[], alone?: string): Pick<Look, 'why'> {
  const own = differences.filter((one) => !isConsequence(one));
  if (own.length > 0) return { why: inFull(reason, own) };
  return differences.length === 0 && alone !== undefined ? { why: alone } : {};
}

/** AEP shows no secret of a connection, so that there is nothing to compare one with. */
function lookingWithoutSecrets(context: Context): Context {
  const secrets = { ...context.runtime.secrets, get: async () => undefined };
  return { ...context, runtime: { ...context.runtime, secrets } };
}

/** What the flow leads to, by the resource that it has to be. */
function walkedIds(walked: WalkedFlow): Partial<Record<ResourceKey, string>> {
  const { flow, source, base, target, dataset, schema } = walked;
  const mapping = mappingIn(flow)?.params?.mappingId;
  return {
    flow: flow.id,
    'source-connection': source.id,
    'base-connection': base.id,
    'target-connection': target.id,
    dataset: dataset.id,
    schema: schema.$id,
    ...(mapping !== undefined && { mapping }),
  };
}

/** The document that a plan would begin with. */
function rehearsalOf(manifest: Manifest, tenant: string): Pipeline {
  return {
    version: DOCUMENT_VERSION,
    mode: 'plan',
    manifest,
    tenant,
    execution: { id: 'import', name: 'import', startedAt: new Date(0).toISOString() },
    deleteData: false,
    warmUpSeconds: 0,
    drainSeconds: 0,
    ...nothingYet(),
  };
}
