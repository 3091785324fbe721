// Starts the functions that the state machine will call next, while it is still busy with the one before.
import type { FunctionHost } from '../aws/function-host.ts';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Resource?: unknown;
}

export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Ahead {
  /** A state calls this function: the next one of the way is made ready. */
  called(name: string): void;
  /** A state waits: all the rest of the way is made ready. */
  waiting(): void;
}

/**
 * The functions on the usual way through a state machine, by their keys in `states.asl.json`: where there is a
 * choice, the default.
 */
export function functionsOnWay({ StartAt, States }: Definition): string[] {
  const keys: string[] = [];
  const seen = new Set<string>();
  for (let name: string | undefined = StartAt; name !== undefined && !seen.has(name); ) {
    seen.add(name);
    const state: State | undefined = States[name];
    const key = keyIn(state?.Resource);
    if (key !== undefined) keys.push(key);
    name = state?.Next ?? state?.Default;
  }
  return keys;
}

function keyIn(resource: unknown): string | undefined {
  const { 'Fn::GetAtt': reference } = {
    ...(resource as { readonly 'Fn::GetAtt'?: readonly string[] } | null),
  };
  return reference?.[0];
}

/**
 * A process takes a third of a second to be ready, and a second processor is idle meanwhile. In the cloud Lambda may
 * initialise functions ahead as well ("proactive initialization").
 * @param way names of functions, in order
 */
export function startAhead(way: readonly string[], functions: Pick<FunctionHost, 'prepare'>): Ahead {
  let at = 0;
  const prepare = (names: readonly string[]) => {
    for (const name of names) functions.prepare(name);
  };
  return {
    called(name) {
      const found = way.indexOf(name, at);
      if (found === -1) return;
      at = found + 1;
      prepare(way.slice(at, at + 1));
    },
    waiting: () => prepare(way.slice(at)),
  };
}
