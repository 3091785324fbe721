// What a container keeps between invocations: published streams, acknowledged messages, tokens and what it knows of
// each inlet.
import type { PublishedRoute } from '../published.ts';
import type { ForwardRuntime } from '../runtime.ts';
import { type SessionsOf, sessionsOf } from '../sessions.ts';
import { MAX_REQUEST_BYTES } from './frame/body.ts';
import { createInTurn, type InTurn } from './in-turn.ts';
import { createMemory, type Memory } from './memory.ts';
import { createPipelines, type Pipelines } from './pipelines.ts';
import { createSchemas, type Schemas } from './read/formats/by-schema.ts';
import { createLimits, type Limits } from './send/limits.ts';
import { createStanding, type Standing } from './send/standing.ts';

export interface ContainerState {
  readonly runtime: ForwardRuntime;
  readonly pipelines: Pipelines;
  readonly sessions: SessionsOf;
  readonly memory: Memory;
  readonly schemas: Schemas;
  readonly inletOf: (route: PublishedRoute) => KnownInlet;
  readonly spare: SpareMemory;
  readonly inTurn: InTurn;
}

/** Memory for the bodies of requests, used again and again: new memory would have to be mapped page by page. */
export interface SpareMemory {
  /** A request's worth. */
  take(): Buffer;
  /** Call it only for memory that no request can read any more. */
  giveBack(memory: Buffer): void;
}

/** As many as eight events of 6 MB need at a time. */
const MAX_SPARE = 48;

function createSpareMemory(): SpareMemory {
  const spare: Buffer[] = [];
  return {
    take: () => spare.pop() ?? Buffer.allocUnsafeSlow(MAX_REQUEST_BYTES),
    giveBack(memory) {
      if (spare.length < MAX_SPARE) spare.push(memory);
    },
  };
}

/** What is known of an inlet. */
export interface KnownInlet {
  readonly limits: Limits;
  readonly standing: Standing;
}

export function createContainer(runtime: ForwardRuntime): ContainerState {
  return {
    runtime,
    pipelines: createPipelines(runtime),
    memory: createMemory(),
    schemas: createSchemas(runtime.clock, runtime.schemas),
    inletOf: inlets(runtime),
    spare: createSpareMemory(),
    inTurn: createInTurn(),
    sessions: sessionsOf(runtime, {
      onIssued: () => runtime.metrics.count('TokensIssued', 1),
      onFailed: () => runtime.metrics.count('TokenFailures', 1),
      onFallback: () => runtime.metrics.count('CredentialsFallback', 1),
    }),
  };
}

/**
 * The next invocation knows what this one has learnt of an inlet. Its limits stay as long as inlet and rate are the
 * same. Its answers count only as long as the same pipeline is published: after that it may take the same records.
 */
function inlets({ clock }: ForwardRuntime): (route: PublishedRoute) => KnownInlet {
  const limitsOf = new Map<string, Limits>();
  const standingOf = new Map<string, { readonly published: string; readonly standing: Standing }>();
  return (route) => {
    const { inletUrl, rate, streamArn, pipeline } = route;
    const key = JSON.stringify([inletUrl, rate]);
    const limits = limitsOf.get(key) ?? createLimits(clock, rate);
    limitsOf.set(key, limits);
    const published = JSON.stringify(route);
    const name = `${streamArn} ${pipeline}`;
    const held = standingOf.get(name);
    if (held?.published === published) return { limits, standing: held.standing };
    const standing = createStanding(clock);
    standingOf.set(name, { published, standing });
    return { limits, standing };
  };
}
