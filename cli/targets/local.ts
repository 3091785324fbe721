// The simulated platform and local AWS: the running `penstock dev` of this folder, else ones that start for the command.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Address, readAddress } from '../../local/start/address.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Target } from '../target.ts';
import { awsTarget } from './aws.ts';
import type { TargetOptions } from './options.ts';

const POLL_MS = 250;
/** A laptop does not wait for five minutes. */
const WARM_UP_SECONDS = 5;

export async function connectLocal({ folder, note }: TargetOptions): Promise<Target> {
  const running = await readAddress(folder);
  if (running !== undefined)
    return targetAt(running, { what: `penstock dev on ${running.awsUrl}`, outlives: true });
  return startedFor(folder, note);
}

interface Kind {
  readonly what: string;
  readonly outlives: boolean;
  close?(): Promise<void>;
}

function targetAt(address: Address, { what, outlives, close }: Kind): Target {
  return awsTarget({
    name: `this machine (${what})`,
    kind: 'local',
    words: [],
    stage: address.stage,
    where: {
      endpoint: address.awsUrl,
      region: address.region,
      credentials: { accessKeyId: address.accessKeyId, secretAccessKey: address.secretAccessKey },
    },
    pollMs: POLL_MS,
    warmUpSeconds: address.warmUpSeconds,
    outlives,
    async prepare(manifest) {
      const { ensureStreamOf } = await import('./local-stream.ts');
      await ensureStreamOf(address, manifest);
    },
    close: close ?? (() => Promise.resolve()),
  });
}

/** Starts when a manifest comes: without one there is nothing to ask. */
function startedFor(folder: string, note: (text: string) => void): Target {
  let started: Promise<Target> | undefined;
  const target = () => {
    if (started === undefined)
      throw new MistakeError(
        'NO_STACK',
        'no simulated platform runs for this folder',
        'Start one with: penstock dev. Or name a deployed stage: --stage STAGE',
      );
    return started;
  };
  return {
    name: 'this machine (started for this command)',
    kind: 'local',
    words: [],
    warmUpSeconds: WARM_UP_SECONDS,
    outlives: false,
    async prepare(manifest) {
      started ??= start(folder, manifest, note);
      await (await started).prepare(manifest);
    },
    invoke: async (functionName, event) => (await target()).invoke(functionName, event),
    execute: async (input, watching) => (await target()).execute(input, watching),
    executions: async (next) => (await target()).executions(next),
    execution: async (name) => (await target()).execution(name),
    deadLetters: async () => (await target()).deadLetters(),
    metrics: async (asked) => (await target()).metrics(asked),
    records: async (stream, most, signal) => (await target()).records(stream, most, signal),
    async *logs(asked) {
      yield* (await target()).logs(asked);
    },
    close: async () => (await started?.catch(() => undefined))?.close(),
  };
}

async function start(folder: string, manifest: unknown, note: (text: string) => void): Promise<Target> {
  note(
    'Nothing runs here: a simulated platform starts for this command, and ends with it. (penstock dev keeps one.)',
  );
  const [{ startStack }, { addressOf }] = await Promise.all([
    import('../../local/start/stack.ts'),
    import('../../local/start/address.ts'),
  ]);
  const { sandbox } = manifest as { sandbox?: unknown };
  const stack = await startStack({
    warmUpSeconds: WARM_UP_SECONDS,
    seed: 1,
    sandboxes: typeof sandbox === 'string' ? [sandbox] : [],
    folder: join(folder, '.penstock', 'dead-letters', randomUUID()),
  });
  return targetAt(addressOf(stack, WARM_UP_SECONDS), {
    what: 'started for this command',
    outlives: false,
    close: () => stack.close(),
  });
}
