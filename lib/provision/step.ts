// From a function `Pipeline → Pipeline` to a Lambda handler: the document checked on its way in, failures named on their way out.
import { createAep } from '../aep/client.ts';
import { createSessions, type Sessions } from '../aep/token.ts';
import { readCredentials } from '../credentials.ts';
import { Failure, isFailure, issuesText } from '../failure.ts';
import { parseManifest } from '../manifest.ts';
import { Pipeline, ProvisionRequest } from '../pipeline.ts';
import type { ProvisionRuntime, Runtime } from '../runtime.ts';
import { plan } from './plan.ts';
import type { Context, StreamContext } from './resource.ts';

type Handler = (event: unknown) => Promise<Pipeline>;

/** The handler of a state that takes the document and gives it on. `makeRuntime` is called on the first event. */
export function step<R extends Runtime>(
  name: string,
  makeRuntime: () => R,
  work: (pipeline: Pipeline, context: Context<R>) => Promise<Pipeline>,
): Handler {
  return handler(name, makeRuntime, async (event, runtime, sessions) => {
    const pipeline = parseDocument(event);
    return work(pipeline, contextFor(pipeline, runtime, sessions));
  });
}

/** The handler of the first state, which makes the document from a request. */
export function planStep(
  makeRuntime: () => ProvisionRuntime,
  start: (event: unknown, runtime: ProvisionRuntime) => Promise<Pipeline>,
): Handler {
  return handler('plan', makeRuntime, async (event, runtime, sessions) => {
    const pipeline = await start(event, runtime);
    const context: StreamContext = contextFor(pipeline, runtime, sessions);
    return plan(pipeline, context);
  });
}

/**
 * A request as the document it asks for, nothing planned yet.
 * @throws Failure `EVENT_INVALID`, `MANIFEST_INVALID`, `AEP_NOT_FOUND`… of the stream: `AWS_REFUSED`
 */
export async function begin(event: unknown, runtime: ProvisionRuntime): Promise<Pipeline> {
  const request = ProvisionRequest.safeParse(event);
  if (!request.success) {
    throw new Failure(
      'EVENT_INVALID',
      `this is not a request to provision:\n${issuesText(request.error.issues)}\n`,
      {
        next: 'Send {"manifest": {…}}, and "mode": "plan" to change nothing; events/provision.json is an example.',
      },
    );
  }
  const { manifest: asked, mode, warmUpSeconds, execution } = request.data;
  const manifest = parseManifest(asked);
  const streamArn = await runtime.streams.arn(manifest.source.stream);
  if (streamArn === undefined) {
    throw new Failure(
      'MANIFEST_INVALID',
      `source.stream: there is no Kinesis stream ${manifest.source.stream}`,
      {
        next: 'Create the stream, or correct its name in the manifest.',
      },
    );
  }
  const now = new Date(runtime.clock.now()).toISOString();
  if (Date.parse(manifest.source.startAt) > runtime.clock.now()) {
    throw new Failure('MANIFEST_INVALID', `source.startAt: ${manifest.source.startAt} is in the future`, {
      next: 'Kinesis starts at "now", "earliest" or a time that has passed.',
    });
  }
  return {
    version: 1,
    mode,
    manifest,
    execution: execution ?? { id: 'by-hand', name: `by-hand-${now.replace(/\D/g, '')}`, startedAt: now },
    warmUpSeconds,
    streamArn,
    plan: [],
    resources: {},
    waitSeconds: 0,
    verified: [],
  };
}

function handler<R extends Runtime>(
  name: string,
  makeRuntime: () => R,
  run: (event: unknown, runtime: R, sessions: Sessions) => Promise<Pipeline>,
): Handler {
  let warm: { runtime: R; sessions: Sessions } | undefined;
  return async (event) => {
    try {
      warm ??= start(makeRuntime());
      return await run(event, warm.runtime, warm.sessions);
    } catch (error) {
      // A defect keeps its own name and trace; a failure says which step it was.
      const failure = isFailure(error) ? error.at(name) : error;
      warm?.runtime.log.error('step failed', {
        step: name,
        code: isFailure(failure) ? failure.code : 'DEFECT',
        reason: failure instanceof Error ? failure.message : String(failure),
      });
      throw failure;
    }
  };
}

function start<R extends Runtime>(runtime: R): { runtime: R; sessions: Sessions } {
  const { settings } = runtime;
  const sessions = createSessions({
    imsUrl: settings.imsUrl,
    credentials: () => readCredentials(runtime.secrets, settings.credentialsSecret),
    transport: runtime,
  });
  return { runtime, sessions };
}

function contextFor<R extends Runtime>(pipeline: Pipeline, runtime: R, sessions: Sessions): Context<R> {
  const aep = createAep({
    sandbox: pipeline.manifest.sandbox,
    platformUrl: runtime.settings.platformUrl,
    transport: runtime,
    sessions,
    onAnswer: ({ label, status, ms, requestId }) =>
      runtime.log.debug('aep answered', { request: label, status, ms, requestId }),
  });
  return { aep, runtime };
}

function parseDocument(event: unknown): Pipeline {
  const result = Pipeline.safeParse(event);
  if (result.success) return result.data;
  throw new Failure(
    'EVENT_INVALID',
    `this is not a pipeline document:\n${issuesText(result.error.issues)}\n`,
    {
      next: 'Start the state machine; or send a step the document that the step before it returned.',
    },
  );
}
