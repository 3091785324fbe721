// The pipeline under test: what is kept of it, and what several checks need, each read once.
import { type Aep, createAep } from '../aep/client.ts';
import type { Flow } from '../aep/flow-service.ts';
import { CONTROL_PLANE } from '../aep/retry.ts';
import type { Sessions } from '../aep/token.ts';
import { Failure } from '../failure.ts';
import { credentialsIn } from '../kept-manifest.ts';
import { type Manifest, parseManifest } from '../manifest.ts';
import { type PublishedPipeline, readRoute } from '../published.ts';
import type { DoctorRuntime, LedgerRecord, Trigger } from '../runtime.ts';
import { credentialsSecretOf, sessionsOf } from '../sessions.ts';
import * as z from '../zod.ts';

/** Each promise here is made once, by the check that needs it first. */
export interface Patient {
  readonly runtime: DoctorRuntime;
  readonly record: LedgerRecord;
  /** Of the pipeline's credentials. It asks for a token whatever this container has. */
  readonly sessions: Sessions;
  /** The name of the secret with them. */
  readonly credentialsSecret: string;
  /** How IMS refused the new client secret, if the previous one was used. */
  readonly fallback: () => boolean;
  /** @throws Failure `NOT_READY` if no manifest is in force; `MANIFEST_INVALID` */
  readonly manifest: () => Manifest;
  readonly aep: () => Aep;
  /** @throws Failure `MANIFEST_INVALID` if there is no such stream */
  readonly streamArn: () => Promise<string>;
  /** @throws Failure `NOT_PUBLISHED`, `SECRET_INVALID`, `SECRET_MISSING` */
  readonly published: () => Promise<PublishedPipeline>;
  readonly flow: () => Promise<Flow>;
  readonly trigger: () => Promise<Trigger | undefined>;
  /** The id of a resource as the last execution knew it. */
  readonly known: (resource: string) => string | undefined;
}

/** Fewer tries than elsewhere: somebody waits for the answer, and can ask again. */
const IMPATIENT = { ...CONTROL_PLANE, attempts: 2, baseMs: 200, patienceMs: 2_000 };
/** Of one call, in ms. */
const CALL_MS = 6_000;

export function patientOf(record: LedgerRecord, runtime: DoctorRuntime): Patient {
  const { settings, streams, triggers } = runtime;
  let fellBack = false;
  const credentials = credentialsIn(record.manifest);
  const sessions = sessionsOf(runtime, { onFallback: () => (fellBack = true) })(credentials);
  const manifest = once(() => manifestOf(record));
  const aep = once(() =>
    createAep({
      sandbox: manifest().sandbox,
      platformUrl: settings.platformUrl,
      transport: runtime,
      sessions,
      retry: IMPATIENT,
      timeoutMs: CALL_MS,
      beforeChange: forbidChange,
    }),
  );
  const known = (resource: string) => idsIn(record.known)[resource];
  const streamArn = once(async () => {
    const { source } = manifest();
    const name = source.kind === 'inlet' ? source.stream : '';
    const arn = await streams.arn(name);
    if (arn !== undefined) return arn;
    throw new Failure('MANIFEST_INVALID', `there is no Kinesis stream ${name}`, {
      next: 'Create the stream again, or retire the pipeline.',
    });
  });
  const published = once(async () => {
    const found = await readRoute(runtime, await streamArn(), record.pipeline);
    return checked(found, record.pipeline);
  });
  const flow = once(async () => {
    const id = manifest().source.kind === 'inlet' ? (await published()).flowId : known('flow');
    if (id !== undefined) return aep().flowService.getFlow(id);
    throw new Failure('NOT_READY', 'no execution has made a flow yet', {
      next: 'Provision the pipeline: the plan says what is missing.',
    });
  });
  const trigger = once(async () => triggers.find(await streamArn()));
  return {
    runtime,
    record,
    sessions,
    credentialsSecret: credentialsSecretOf(settings, credentials),
    fallback: () => fellBack,
    manifest,
    aep,
    streamArn,
    published,
    flow,
    trigger,
    known,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The guard: a health check changes nothing. */
function forbidChange(): Promise<void> {
  return Promise.reject(
    new Failure('LEASE_LOST', 'a call that only reads tried to change something', {
      next: 'Keep the log and report it.',
    }),
  );
}

function manifestOf({ manifest }: LedgerRecord): Manifest {
  if (manifest !== undefined) return parseManifest(manifest);
  throw new Failure('NOT_READY', 'no manifest is in force: it was never applied, or has been retired', {
    next: 'Provision the pipeline.',
    retryable: false,
  });
}

function checked(found: PublishedPipeline | undefined, pipeline: string): PublishedPipeline {
  if (found !== undefined) return found;
  throw new Failure('NOT_PUBLISHED', `the pipeline ${pipeline} is not published for its stream`, {
    next: 'Provision the pipeline again, which writes it.',
  });
}

const KnownIds = z.catch(z.object({ ids: z.record(z.string(), z.string()) }), { ids: {} });

function idsIn(known: unknown): Readonly<Record<string, string | undefined>> {
  return KnownIds.parse(known ?? {}).ids;
}
