// The pipelines that somebody has asked for on this machine, as the executions of the state machine tell them.
import { Manifest } from '../../lib/manifest.ts';
import { Pipeline } from '../../lib/pipeline.ts';
import { streamNameOf } from '../../lib/published.ts';
import type { Execution } from '../aws/executions.ts';

export interface KnownPipeline {
  readonly name: string;
  /** What it reads: the stream's name, or that of another source. */
  readonly source: string;
  readonly sandbox: string;
  /** The manifest in force; before the first execution has succeeded, the one that was asked for. */
  readonly manifest: Manifest | undefined;
  /** What the last execution that succeeded has made; `undefined` before the first, and after it was retired. */
  readonly made: Pipeline['resources'] | undefined;
  readonly isRetired: boolean;
  /** The last that was to change something. */
  readonly last: Execution;
}

/** By name, in the order in which they were first asked for. */
export function knownPipelines(executions: readonly Execution[]): Map<string, KnownPipeline> {
  const found = new Map<string, KnownPipeline>();
  for (const last of executions) {
    const { mode, manifest } = askedOf(last);
    const name = manifest?.name;
    if (mode === 'plan' || name === undefined) continue;
    const before = found.get(name);
    const done = last.status === 'SUCCEEDED' ? outputOf(last) : undefined;
    const isRetired = done === undefined ? (before?.isRetired ?? false) : mode === 'retire';
    found.set(name, {
      name,
      source: sourceOf(manifest),
      sandbox: manifest?.sandbox ?? '',
      manifest: done?.manifest ?? before?.manifest ?? manifest,
      made: done === undefined ? before?.made : isRetired ? undefined : done.resources,
      isRetired,
      last,
    });
  }
  return found;
}

export interface Asked {
  readonly mode: unknown;
  /** As the manifest says, also where the rest of that is wrong; else empty. */
  readonly name: string;
  readonly sandbox: string;
  readonly manifest: Manifest | undefined;
}

// An execution's input and output never change: each is read once.
const asked = new WeakMap<Execution, Asked>();
const outputs = new WeakMap<Execution, Pipeline>();

/** What an execution was started for. */
export function askedOf(execution: Execution): Asked {
  const known = asked.get(execution);
  if (known !== undefined) return known;
  const input = (execution.input ?? {}) as { readonly mode?: unknown; readonly manifest?: unknown };
  const manifest = Manifest.safeParse(input.manifest);
  const { name, sandbox } = {
    ...(input.manifest as { readonly name?: unknown; readonly sandbox?: unknown }),
  };
  const one = {
    mode: input.mode ?? 'apply',
    name: textIn(name),
    sandbox: textIn(sandbox),
    manifest: manifest.success ? manifest.data : undefined,
  };
  asked.set(execution, one);
  return one;
}

const textIn = (value: unknown) => (typeof value === 'string' ? value : '');

function outputOf(execution: Execution): Pipeline | undefined {
  const known = outputs.get(execution);
  if (known !== undefined) return known;
  const found = Pipeline.safeParse(execution.output);
  if (found.success) outputs.set(execution, found.data);
  return found.success ? found.data : undefined;
}

function sourceOf(manifest: Manifest | undefined): string {
  const source = manifest?.source;
  switch (source?.kind) {
    case 'inlet':
    case 'kinesis':
      return streamNameOf(source.stream);
    case 'event-hubs':
      return source.eventHub;
    case 'pubsub':
      return source.subscription;
    default:
      return '';
  }
}

/** The state that an execution is in: the last that was entered. */
export function stateOf({ events }: Pick<Execution, 'events'>): string {
  return events.findLast(({ type }) => type === 'entered')?.state ?? '';
}
