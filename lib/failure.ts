// The one error class of Penstock, and the table of all failure codes.

interface FailureKind {
  /** Whether the same call may succeed later although nobody changes anything. */
  readonly retryable: boolean;
  /** What the reader can do about it, in one sentence or two. */
  readonly next: string;
}

/** Every failure code: whether a retry can help, and what to do next. Documented in `docs/errors.md`. */
export const FAILURES = {
  MANIFEST_INVALID: {
    retryable: false,
    next: 'Correct the manifest; docs/manifest.schema.json describes it.',
  },
  EVENT_INVALID: { retryable: false, next: 'Send an event of the shape shown in events/.' },
  WRONG_SANDBOX: {
    retryable: false,
    next: 'Name the sandbox of the pipeline, or choose another pipeline.',
  },
  SETTINGS_INVALID: {
    retryable: false,
    next: "Correct the function's environment variables and deploy again.",
  },
  NEWER_VERSION: {
    retryable: false,
    next: 'Deploy the version that wrote it, or a newer one. docs/upgrade.md',
  },
  SECRET_MISSING: { retryable: false, next: 'Create the secret, or point the deployment at the right one.' },
  SECRET_INVALID: { retryable: false, next: 'Correct the named field of the secret.' },
  AWS_UNAVAILABLE: { retryable: true, next: 'Wait; AWS did not answer as expected. Try again.' },
  AWS_REFUSED: { retryable: false, next: "Check the function's role and the name of the AWS resource." },
  IMS_REFUSED: {
    retryable: false,
    next: 'Check client id, client secret and scopes in the credentials secret.',
  },
  AEP_UNREACHABLE: { retryable: true, next: 'Check the network path to Adobe, then try again.' },
  AEP_THROTTLED: { retryable: true, next: 'Wait; Adobe is limiting the rate of requests. Try again.' },
  AEP_UNAVAILABLE: { retryable: true, next: 'Wait; the service reports a problem. Try again.' },
  AEP_BUSY: { retryable: true, next: 'Wait until the resource has settled, then try again.' },
  AEP_CHANGED: { retryable: true, next: 'Somebody changed the resource meanwhile. Try again.' },
  AEP_UNAUTHORIZED: {
    retryable: false,
    // Some services answer 401 "Access Denied" to a valid token.
    next: 'Check the credential and its product profile in Adobe Admin Console. If its tokens work elsewhere, a permission is missing: give the technical account a role with it.',
  },
  AEP_FORBIDDEN: {
    retryable: false,
    next: 'Give the technical account the role permissions it lacks for this sandbox.',
  },
  AEP_NOT_FOUND: { retryable: false, next: 'Check the id or the name, and the sandbox it is looked for in.' },
  AEP_EXISTS: {
    retryable: false,
    next: 'Something with that name or content exists already; look at it first.',
  },
  AEP_REFUSED: { retryable: false, next: 'Correct what the service names, then run again.' },
  AEP_UNEXPECTED: {
    retryable: true,
    next: 'The answer was not what the API promises. Try again; if that does not help, report it.',
  },
  AEP_REDIRECTED: {
    retryable: false,
    next: 'Check the host that is configured: redirects are never followed.',
  },
  INLET_NOT_ALLOWED: {
    retryable: false,
    next: "Add the inlet's host to the allow list at deploy time, if it is Adobe's.",
  },
  CONFLICT: {
    retryable: false,
    next: 'Rename one of the two, or remove the wrong one.',
  },
  PLAN_MOVED: {
    retryable: false,
    next: 'Look at the new plan, and start again with its token.',
  },
  MAPPING_INVALID: {
    retryable: false,
    next: 'Correct the mapping, or the samples beside the manifest; npm run check:pipelines tries both offline.',
  },
  LEASE_LOST: {
    retryable: false,
    next: 'Another execution works on this pipeline: wait for its end, then start again if needed.',
  },
  NOT_READY: { retryable: true, next: 'Wait, then run again: it goes on from here.' },
  NOT_PUBLISHED: {
    retryable: false,
    next: 'Provision a pipeline for this stream, or switch the trigger off.',
  },
  NO_PIPELINES: {
    retryable: false,
    next: 'Put a manifest into pipelines/ (examples/ has samples), build and deploy again.',
  },
  STORE_UNAVAILABLE: {
    retryable: true,
    next: 'Check the dead-letter store and the permission to write to it.',
  },
  TOO_LARGE: {
    retryable: false,
    next: 'Make the manifest smaller, or divide the pipeline into several: the stored size of one is limited.',
  },
  CONSERVATION: {
    retryable: true,
    next: 'Keep the log of this invocation and report it: records were miscounted.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/**
 * Names that Step Functions matches in `states.asl.json`. They are literals so that bundling does not change
 * them.
 */
export const TRANSIENT = 'TransientFailure';
export const PERMANENT = 'PermanentFailure';

export interface FailureDetails {
  readonly cause?: unknown;
  /** Replaces the code's own advice if the caller knows better. */
  readonly next?: string;
  /** Replaces the code's own class, e.g. for an unexpected answer that cannot change. */
  readonly retryable?: boolean;
  /** HTTP status of the answer, if there was one. */
  readonly status?: number;
  /** The service's own error code, such as `FLOW-1404-412`. */
  readonly serviceCode?: string;
  /** AEP's id of the request, for Adobe's support. */
  readonly requestId?: string;
  /** A change was asked for, and it is not known whether it was made. */
  readonly inDoubt?: boolean;
  /** The wait that the service asked for, in milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * Anything that failed in a way we understand. `name` is `TransientFailure` or `PermanentFailure`: Step
 * Functions retries the one and undoes the other. What becomes of a record is a verdict, not a failure.
 * Defects of the program stay a `TypeError` or `RangeError`.
 */
export class Failure extends Error {
  override readonly name: typeof TRANSIENT | typeof PERMANENT;
  readonly code: FailureCode;
  readonly retryable: boolean;
  readonly next: string;
  readonly what: string;
  readonly status: number | undefined;
  readonly serviceCode: string | undefined;
  readonly requestId: string | undefined;
  readonly inDoubt: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, what: string, details: FailureDetails = {}) {
    const next = details.next ?? FAILURES[code].next;
    const trace = details.requestId === undefined ? '' : ` (AEP request ${details.requestId})`;
    super(
      `${code}: ${what}${trace} | Next: ${next}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.code = code;
    this.what = what;
    this.next = next;
    this.retryable = details.retryable ?? FAILURES[code].retryable;
    this.name = this.retryable ? TRANSIENT : PERMANENT;
    this.status = details.status;
    this.serviceCode = details.serviceCode;
    this.requestId = details.requestId;
    this.inDoubt = details.inDoubt ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The same failure; its message begins with where it happened. */
  at(place: string): Failure {
    return this.#saying(`${place}: ${this.what}`);
  }

  /** The same failure; its message ends with what came before. */
  after(more: string): Failure {
    return this.#saying(`${this.what}${more}`);
  }

  /** The same failure, with better advice. */
  advising(next: string): Failure {
    return this.#saying(this.what, next);
  }

  #saying(what: string, next = this.next): Failure {
    return new Failure(this.code, what, {
      cause: this,
      next,
      retryable: this.retryable,
      inDoubt: this.inDoubt,
      ...(this.status !== undefined && { status: this.status }),
      ...(this.serviceCode !== undefined && { serviceCode: this.serviceCode }),
      ...(this.requestId !== undefined && { requestId: this.requestId }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
    });
  }
}

/** Whether an error is a `Failure`, by its shape, so that it works across bundles. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Error && (error.name === TRANSIENT || error.name === PERMANENT) && 'code' in error;
}

/** What happened, as part of a sentence: with AEP's id of the request, without advice. */
export function reasonOf(error: unknown): string {
  if (!isFailure(error)) return String(error);
  return error.requestId === undefined ? error.what : `${error.what}, AEP request ${error.requestId}`;
}

/** What a failed function passes on: a text for people, and fields for code. */
export interface Told {
  readonly text: string;
  /** A `FailureCode`, if it came from a `Failure`. */
  readonly code?: string;
  readonly next?: string;
}

/**
 * The same failure, with its fields in the last line of its trace. Lambda passes on only `errorType`,
 * `errorMessage` and `trace` of an error. Step Functions passes those on as the Cause. AWS: "Lambda function
 * errors in Node.js" (`trace`), "Handling errors in Step Functions workflows" (Cause).
 */
export function withFields(failure: Failure): Failure {
  const { code, next } = failure;
  failure.stack = `${failure.stack ?? String(failure)}\n${JSON.stringify({ code, next })}`;
  return failure;
}

/** For a function's promise: its failure with fields. @throws whatever comes */
export function passOn(error: unknown): never {
  throw isFailure(error) ? withFields(error) : error;
}

/** A Cause of Step Functions: Lambda's JSON of an error, or a text. */
export function readCause(cause: string): Told {
  const { errorMessage, trace } = (objectIn(cause) ?? {}) as { errorMessage?: unknown; trace?: unknown };
  const text = typeof errorMessage === 'string' ? errorMessage : cause;
  const { code, next } = (Array.isArray(trace) ? objectIn(trace.at(-1)) : undefined) ?? {};
  if (typeof code !== 'string' || typeof next !== 'string') return { text };
  return { text, code, next };
}

function objectIn(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The text alone. */
export function messageInCause(cause: string): string {
  return readCause(cause).text;
}

/** The issues of a schema, one a line, each as `path: what was found and what is allowed`. */
export function issuesText(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues
    .map(({ path, message }) => `  ${path.map(String).join('.') || '(top level)'}: ${message}`)
    .join('\n');
}
