// Makes of a request the executions that it wants: one for each pipeline, with its input.
import { Failure, isFailure } from '../failure.ts';
import { ALL } from '../shared-rules.ts';
import type { HookRequest } from './asked.ts';
import type { Bundle } from './bundle.ts';

/** An execution's input, in the shape of `ProvisionRequest`. */
export interface Input {
  readonly manifest: unknown;
  readonly samples?: unknown;
  readonly mode?: 'plan';
  readonly warmUpSeconds?: number;
  readonly drainSeconds?: number;
}

export interface WantedPipeline {
  readonly pipeline: string;
  readonly input: Input;
}

export interface Deployed {
  readonly bundle: Bundle;
  /** What a deployment event starts: a pipeline of the bundle, or `all`. */
  readonly starts: string;
  /** Whether a hook may bring a manifest. */
  readonly manifests: boolean;
}

/**
 * @throws Failure `EVENT_INVALID` if there is no such pipeline, or a manifest is not allowed; `NO_PIPELINES`;
 * `MANIFEST_INVALID`
 */
export async function wantedBy(request: HookRequest, deployed: Deployed): Promise<readonly WantedPipeline[]> {
  const { pipeline, manifest, samples } = request;
  const how = howOf(request);
  if (manifest === undefined)
    return namedPipelines(pipeline ?? ALL, deployed).map((one) => ({
      ...one,
      input: { ...one.input, ...how },
    }));
  if (!deployed.manifests)
    throw new Failure('EVENT_INVALID', 'a hook may not bring a manifest of its own here', {
      next: 'Name a pipeline of the bundle, or deploy with hookManifests=yes.',
    });
  // Imported late: few deliveries bring a manifest, and checking it takes most of this function's code.
  const { parseManifest } = await import('../manifest.ts');
  const { name } = parseManifest(manifest);
  return [{ pipeline: name, input: { manifest, ...(samples && { samples }), ...how } }];
}

function howOf({ mode, warmUpSeconds, drainSeconds }: HookRequest): Omit<Input, 'manifest' | 'samples'> {
  return {
    ...(mode === 'plan' && { mode }),
    ...(warmUpSeconds !== undefined && { warmUpSeconds }),
    ...(drainSeconds !== undefined && { drainSeconds }),
  };
}

/**
 * What a deployment event starts.
 * @throws Failure `SETTINGS_INVALID`, `NO_PIPELINES`
 */
export function wantedByDeployment(deployed: Deployed): readonly WantedPipeline[] {
  try {
    return namedPipelines(deployed.starts, deployed);
  } catch (error) {
    if (isFailure(error) && error.code === 'NO_PIPELINES') throw error;
    throw new Failure('SETTINGS_INVALID', `PENSTOCK_HOOK_STARTS: ${(error as Failure).what}`, {
      cause: error,
    });
  }
}

function namedPipelines(pipeline: string, { bundle }: Deployed): WantedPipeline[] {
  const all = Object.keys(bundle);
  if (all.length === 0)
    throw new Failure('NO_PIPELINES', 'nothing was started: this deployment has no pipelines');
  return (pipeline === ALL ? all : [pipeline]).map((name) => {
    if (!Object.hasOwn(bundle, name))
      throw new Failure('EVENT_INVALID', `the bundle has no pipeline ${name}`, { next: NEXT });
    return { pipeline: name, input: { ...bundle[name] } as Input };
  });
}

const NEXT = 'Name one that has a file in pipelines/, or put it there and deploy again.';
