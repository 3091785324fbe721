// Connects a command with what it asks: not before its first call.
import type { Target } from './target.ts';
import { type TargetOptions, targetWords } from './targets/options.ts';

/** Connected by its first call: a command that asks nothing starts nothing. */
export function createTarget(options: TargetOptions): Target {
  let connected: Promise<Target> | undefined;
  const connect = () => {
    connected ??= connection(options);
    return connected;
  };
  const { stage } = options;
  let reachedTarget: Target | undefined;
  const reached = async () => {
    reachedTarget = await connect();
    return reachedTarget;
  };
  return {
    get name() {
      return reachedTarget?.name ?? (stage === undefined ? 'this machine' : `stage ${stage}`);
    },
    get warmUpSeconds() {
      return reachedTarget?.warmUpSeconds ?? 0;
    },
    get outlives() {
      return reachedTarget?.outlives ?? false;
    },
    kind: stage === undefined ? 'local' : 'stage',
    words: targetWords(options),
    prepare: async (manifest) => (await reached()).prepare(manifest),
    invoke: async (functionName, event) => (await reached()).invoke(functionName, event),
    execute: async (input, watching) => (await reached()).execute(input, watching),
    executions: async (next) => (await reached()).executions(next),
    execution: async (name) => (await reached()).execution(name),
    deadLetters: async () => (await reached()).deadLetters(),
    metrics: async (asked) => (await reached()).metrics(asked),
    records: async (stream, most, signal) => (await reached()).records(stream, most, signal),
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
