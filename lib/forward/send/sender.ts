// What a pipeline's lanes are sent with: its inlet, its sessions, the time that is left.
import { type BatchReply, inletAddress, postBatch } from '../../aep/inlet.ts';
import type { Sessions } from '../../aep/token.ts';
import type { Transport } from '../../aep/transport.ts';
import type { Log, LogFields } from '../../log.ts';
import type { PublishedPipeline } from '../../published.ts';
import type { Settings } from '../../settings.ts';
import type { Framer } from '../frame/frame.ts';
import { isBlock, type SentBatch } from './batch.ts';
import type { Limits } from './limits.ts';
import type { Sender } from './run.ts';
import type { Standing } from './standing.ts';

export interface SenderOptions {
  readonly runtime: Transport & { readonly settings: Settings; readonly log: Log };
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly standing: Standing;
  readonly pipeline: PublishedPipeline;
  readonly framer: Pick<Framer, 'body'>;
  /** The time left for sending, in ms. */
  readonly budgetMs: () => number;
  /** Part of every log line about a request that was not taken whole. */
  readonly about: LogFields;
  /** Called with every request; times in ms since the epoch. */
  readonly onReply?: (
    batch: SentBatch,
    reply: BatchReply,
    times: { startedAt: number; endedAt: number },
  ) => void;
}

/** @throws Failure `INLET_NOT_ALLOWED` */
export function createSender(options: SenderOptions): Sender {
  const { runtime, sessions, limits, standing, pipeline, framer, budgetMs, about, onReply } = options;
  const { clock } = runtime;
  const address = inletAddress(pipeline.inletUrl, runtime.settings.inletOrigins);
  return {
    async post(messages, session, timeoutMs) {
      const startedAt = clock.now();
      const reply = await postBatch(runtime, {
        address,
        body: isBlock(messages) ? messages.body : framer.body(messages),
        messages: messages.length,
        sandbox: pipeline.sandbox,
        flowId: pipeline.data === 'raw' ? pipeline.flowId : undefined,
        session,
        timeoutMs,
      });
      onReply?.(messages, reply, { startedAt, endedAt: clock.now() });
      return reply;
    },
    sessions: pipeline.authenticationRequired ? sessions : undefined,
    limits,
    standing,
    strict: pipeline.order === 'strict',
    budgetMs,
    clock,
    random: runtime.random,
    warn: (message, fields) => runtime.log.warn(message, { ...about, ...fields }),
  };
}
