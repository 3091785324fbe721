// Connects a command with what it asks: not before its first call.
import type { Target } from './target.ts';
import type { TargetOptions } from './targets/options.ts';

/** Connected by its first call: a command that asks nothing starts nothing. */
export function createTarget(options: TargetOptions): Target {
  let connected: Promise<Target> | undefined;
  const connect = () => {
    connected ??= connection(options);
    return connected;
  };
  const { stage } = options;
  let name = stage === undefined ? 'this machine' : `stage ${stage}`;
  const reached = async () => {
    const target = await connect();
    name = target.name;
    return target;
  };
  return {
    get name() {
      return name;
    },
    kind: stage === undefined ? 'local' : 'stage',
    prepare: async (manifest) => (await reached()).prepare(manifest),
    invoke: async (functionName, event) => (await reached()).invoke(functionName, event),
    execute: async (input, watching) => (await reached()).execute(input, watching),
    async *logs(asked) {
      yield* (await reached()).logs(asked);
    },
    close: async () => (await connected?.catch(() => undefined))?.close(),
  };
}

async function connection(options: TargetOptions): Promise<Target> {
  if (options.stage !== undefined) {
    const { connectStage } = await import('./targets/stage.ts');
    return connectStage({ ...options, stage: options.stage });
  }
  const { connectLocal } = await import('./targets/local.ts');
  return connectLocal(options);
}
