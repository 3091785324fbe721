// Which flows have a source that Experience Platform reads by itself, and how each of them fares.
import type { Flow, Sandbox, World } from '../state.ts';
import { type PulledSource, sourceOf } from './source.ts';

/** A flow with a source of its own. */
export interface Reader {
  readonly sandbox: Sandbox;
  readonly flow: Flow;
  readonly source: PulledSource;
}

export interface SourceState {
  readonly sandbox: string;
  readonly flowId: string;
  readonly flow: string;
  readonly sourceConnectionId: string;
  readonly kind: PulledSource['kind'];
  readonly place: string;
  readonly state: 'reading' | 'idle' | 'failing';
  /** Why it is idle or failing. */
  readonly why?: string;
  readonly read: number;
  readonly dropped: number;
  readonly reads: number;
  readonly throttled: number;
  /** The last round of reading that found nothing more; below zero before there was one. */
  readonly caughtUpBy: number;
}

/** Every flow whose source the platform reads by itself. */
export function readersOf({ state }: World): Reader[] {
  return [...state.sandboxes.values()].flatMap((sandbox) =>
    sandbox.flows.values().flatMap((flow) => {
      const source = sourceOf(sandbox, flow);
      return source === undefined ? [] : [{ sandbox, flow, source }];
    }),
  );
}

export function sourceStates(world: World): SourceState[] {
  return readersOf(world).map((one) => {
    const { sandbox, flow, source } = one;
    const progress = world.state.pulled.progress.get(flow.id);
    const { read = 0, dropped = 0, reads = 0, throttled = 0, caughtUpBy = -1 } = progress ?? {};
    const idle = whyIdle(world, one);
    const why = idle ?? progress?.failure?.message;
    return {
      sandbox: sandbox.name,
      flowId: flow.id,
      flow: String(flow.body.name ?? ''),
      sourceConnectionId: source.connection.id,
      kind: source.kind,
      place: source.place,
      state: idle !== undefined ? 'idle' : why === undefined ? 'reading' : 'failing',
      ...(why !== undefined && { why }),
      read,
      dropped,
      reads,
      throttled,
      caughtUpBy,
    };
  });
}

/** Why nothing is read for the flow now. */
export function whyIdle({ kinesis, clock }: World, { flow, source }: Reader): string | undefined {
  if (flow.state !== 'enabled') return `the flow is ${flow.state}`;
  if (source.base?.state !== 'enabled') return `the connection is ${source.base?.state ?? 'gone'}`;
  if (source.kind === 'kinesis' && kinesis === '')
    return 'no Kinesis is named that could be read: start the simulator with --kinesis URL';
  return clock.now() < flow.acceptsFrom ? 'the flow is not warm yet' : undefined;
}

/** A consumer group serves one flow at a time (contract §4.4). Adobe does not say which of two it serves: here the older one. */
export function whyRefused(world: World, { flow, source }: Reader): string | undefined {
  if (source.kind !== 'event-hubs') return undefined;
  const group = (other: PulledSource) => other.params.consumerGroup ?? '$Default';
  const other = readersOf(world).find(
    (one) =>
      one.source.place === source.place &&
      group(one.source) === group(source) &&
      one.flow.state === 'enabled',
  );
  return other === undefined || other.flow.id === flow.id
    ? undefined
    : `the consumer group ${String(group(source))} serves the flow ${other.flow.id}`;
}
