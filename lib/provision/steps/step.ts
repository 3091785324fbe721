// Makes a Lambda handler of a function `Pipeline → Pipeline`: checks the document, fences changes, names
// failures.
import { notAccepted } from '../../accepted.ts';
import { type Aep, createAep } from '../../aep/client.ts';
import { Failure, isFailure, passOn } from '../../failure.ts';
import { checkVersion } from '../../kept.ts';
import { DOCUMENT_VERSION, fromVersion1, Pipeline, type Trail } from '../../pipeline.ts';
import type {
  Consumers,
  Ledger,
  LedgerRuntime,
  ProvisionRuntime,
  Routes,
  Runtime,
  Secrets,
  Triggers,
} from '../../runtime.ts';
import { type SessionsOf, sessionsOf } from '../../sessions.ts';
import { remember } from '../known.ts';
import { ensure } from '../resources/ensure.ts';
import type { Context } from '../resources/resource.ts';
import { type ResourceStep, resourcesOf, STEPS } from '../resources/resources.ts';
import { fittingDocument } from './fit.ts';
import { waitSeconds } from './verify.ts';

type Handler = (event: unknown) => Promise<unknown>;

/** Most calls that the trail names; a step makes a handful. */
const MAX_CHANGES = 30;

/**
 * The handler of a state that takes the document and passes it on. `makeRuntime` is called on the first
 * event.
 */
export function step<R extends LedgerRuntime>(
  name: string,
  makeRuntime: () => R,
  work: (pipeline: Pipeline, context: Context<R>) => Promise<Pipeline>,
): Handler {
  return handler(name, makeRuntime, async (event, runtime, sessions) => {
    const pipeline = parseDocument(event);
    const { fencingToken, guard } = await takeFencingToken(pipeline, runtime);
    const trail = startTrail(name, runtime);
    const first = fencingToken - 1 === pipeline.entered;
    const context = contextFor(pipeline, guarded(runtime, guard), sessions, guard, trail.note, first);
    const done = await work(pipeline, context).catch((error: unknown) => {
      throw telling(error, trail.end());
    });
    return fittingDocument({ ...done, entered: fencingToken, trail: [...done.trail, trail.end()] });
  });
}

/** The failure tells what the step did before it failed, because the step's document is lost. */
function telling(error: unknown, { changes }: Trail): unknown {
  if (!isFailure(error) || changes.length === 0) return error;
  const done = changes.map(
    ({ call, requestId }) => `${call}${requestId === undefined ? '' : ` (AEP request ${requestId})`}`,
  );
  return error.after(`; before that it did ${done.join(', ')}`.slice(0, 2_000));
}

/** The handler of a state that only reads: another execution may hold the pipeline at the same time. */
export function readingStep<R extends Runtime>(
  name: string,
  makeRuntime: () => R,
  work: (pipeline: Pipeline, context: Context<R>) => Promise<Pipeline>,
): Handler {
  return handler(name, makeRuntime, async (event, runtime, sessions) => {
    const pipeline = parseDocument(event);
    const trail = startTrail(name, runtime);
    const context = contextFor(pipeline, runtime, sessions, refuseChange, trail.note);
    const done = await work(pipeline, context);
    return fittingDocument({ ...done, trail: [...done.trail, trail.end()] });
  });
}

/** The guard of a step that only reads. */
const refuseChange: Guard = () =>
  Promise.reject(
    new Failure('LEASE_LOST', 'a call that only reads tried to change something', {
      next: 'Keep the log and report it.',
    }),
  );

/** The handler of a state that makes resources: those of its name, one after the other. */
export function resourceStep<R extends LedgerRuntime>(name: ResourceStep, makeRuntime: () => R): Handler {
  return step(name, makeRuntime, async (pipeline, context) => {
    if (name === 'schema') await remember(pipeline, context.runtime);
    let done = pipeline;
    for (const resource of resourcesOf(pipeline)) {
      if (STEPS[name](resource.key)) done = await ensure(resource, done, context);
    }
    return name === 'flow' ? { ...done, waitSeconds: waitSeconds(done, context.runtime.clock.now()) } : done;
  });
}

/** The handler of a function that gets the raw event. Its contexts only read. */
export function plainStep<R extends Runtime>(
  name: string,
  makeRuntime: () => R,
  work: (event: unknown, runtime: R, contextOf: (of: InSandbox) => Context<R>) => Promise<unknown>,
): Handler {
  return handler(name, makeRuntime, (event, runtime, sessions) =>
    work(event, runtime, (of) => contextFor(of, runtime, sessions, refuseChange, () => undefined)),
  );
}

type Guard = () => Promise<void>;

/** A step's time in Lambda (serverless.yml). An execution that takes over waits longer. */
const FUNCTION_MS = 120_000;

/**
 * Takes the fencing token: from now on only this invocation may change the pipeline. Each change checks the
 * token first. The token is stored as `entered`, both in DynamoDB and in the pipeline document.
 * @throws Failure `LEASE_LOST`
 */
async function takeFencingToken(
  { manifest, execution }: Pipeline,
  { ledger, clock }: LedgerRuntime,
): Promise<{ fencingToken: number; guard: Guard }> {
  const fencingToken = await ledger.takeFencingToken(manifest.name, execution.id);
  const until = clock.now() + FUNCTION_MS;
  const guard = async () => {
    await ledger.check(manifest.name, execution.id, fencingToken);
    if (clock.now() > until)
      throw new Failure('LEASE_LOST', 'this step has run for longer than its time limit');
  };
  return { fencingToken, guard };
}

/** The runtime, with its changes fenced like those in AEP. */
function guarded<R extends Runtime>(runtime: R, guard: Guard): R {
  const { triggers, consumers } = runtime as Partial<ProvisionRuntime>;
  return {
    ...runtime,
    ledger: fenced<Ledger>((runtime as unknown as LedgerRuntime).ledger, ['write'], guard),
    secrets: fenced<Secrets>(runtime.secrets, ['create', 'put', 'remove'], guard),
    routes: fenced<Routes>((runtime as unknown as LedgerRuntime).routes, ['write', 'remove'], guard),
    ...(triggers && {
      triggers: fenced<Triggers>(triggers, ['create', 'switchOn', 'switchOff', 'remove'], guard),
    }),
    ...(consumers && { consumers: fenced<Consumers>(consumers, ['register', 'remove'], guard) }),
  };
}

function fenced<T extends object>(port: T, changes: readonly (keyof T)[], guard: Guard): T {
  const wrapped = changes.map((name) => {
    const change = port[name] as (...given: unknown[]) => Promise<unknown>;
    return [name, async (...given: unknown[]) => guard().then(() => change(...given))];
  });
  return { ...port, ...Object.fromEntries(wrapped) };
}

/** Where a context works, and with which credentials. */
export interface InSandbox {
  readonly manifest: Pick<Pipeline['manifest'], 'sandbox' | 'credentials'>;
}

type NoteCall = (seen: {
  label: string;
  change: boolean;
  status: number;
  requestId: string | undefined;
}) => void;

/** Counts what a step does, for the report. */
function startTrail(name: string, { clock }: Runtime): { note: NoteCall; end: () => Trail } {
  const started = clock.now();
  let calls = 0;
  const changes: Trail['changes'] = [];
  return {
    note({ label, change, status, requestId }) {
      calls++;
      if (change && status < 300 && changes.length < MAX_CHANGES)
        changes.push({
          call: label.slice(0, 200),
          ...(requestId !== undefined && { requestId: requestId.slice(0, 100) }),
        });
    },
    end: () => ({ step: name, ms: Math.max(0, Math.round(clock.now() - started)), calls, changes }),
  };
}

function handler<R extends Runtime>(
  name: string,
  makeRuntime: () => R,
  run: (event: unknown, runtime: R, sessions: SessionsOf) => Promise<unknown>,
): Handler {
  let warm: { runtime: R; sessions: SessionsOf } | undefined;
  return async (event) => {
    try {
      warm ??= startRuntime(makeRuntime());
      return await run(event, warm.runtime, warm.sessions);
    } catch (error) {
      // A defect keeps its own name and trace; a failure names the step.
      const failure = isFailure(error) ? error.at(name) : error;
      warm?.runtime.log.error('step failed', {
        step: name,
        code: isFailure(failure) ? failure.code : 'DEFECT',
        reason: isFailure(failure)
          ? failure.what
          : failure instanceof Error
            ? failure.message
            : String(failure),
        next: isFailure(failure) ? failure.next : undefined,
        requestId: isFailure(failure) ? failure.requestId : undefined,
      });
      return passOn(failure);
    }
  };
}

function startRuntime<R extends Runtime>(runtime: R): { runtime: R; sessions: SessionsOf } {
  return { runtime, sessions: sessionsOf(runtime) };
}

function contextFor<R extends Runtime>(
  { manifest: { sandbox, credentials } }: InSandbox,
  runtime: R,
  sessions: SessionsOf,
  beforeChange: Guard,
  note: NoteCall,
  first = false,
): Context<R> {
  const aep: Aep = createAep({
    sandbox,
    platformUrl: runtime.settings.platformUrl,
    transport: runtime,
    sessions: sessions(credentials),
    beforeChange,
    onAnswer: (seen) => {
      note(seen);
      const { label, status, ms, requestId } = seen;
      runtime.log.debug('aep answered', { request: label, status, ms, requestId });
    },
  });
  return { aep, runtime, first };
}

function parseDocument(event: unknown): Pipeline {
  checkVersion('the pipeline document', event, DOCUMENT_VERSION);
  const result = Pipeline.safeParse(fromVersion1(event));
  if (result.success) return result.data;
  throw notAccepted('step', 'this is not a pipeline document', result.error.issues);
}
