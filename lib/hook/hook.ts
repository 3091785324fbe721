// Deploy hooks: verifies a delivery, starts its executions once, and answers the sender.
import { randomBytes } from 'node:crypto';
import { notAccepted } from '../accepted.ts';
import { Failure, type FailureCode, isFailure } from '../failure.ts';
import { repeatedMembers } from '../json-members.ts';
import type { LogFields } from '../log.ts';
import type { Ledger, Runtime } from '../runtime.ts';
import { checkWaits } from '../waits.ts';
import type { Bundle } from './bundle.ts';
import { type Keys, keptKeys, readKeys } from './keys.ts';
import { newerIn } from './newer.ts';
import type { Asked, BusEvent, Headers, WebhookSender } from './sender.ts';
import { EVENT_SENDERS, WEBHOOK_SENDERS } from './senders.ts';
import { digestOf } from './signature.ts';
import { checkInput, type Delivery, type Executions, type Started, startOnce } from './start.ts';
import { admit, answer, isUrlRequest, type UrlAnswer, type UrlRequest } from './url.ts';
import { type Deployed, wantedBy, wantedByDeployment } from './wanted.ts';

export interface HookRuntime extends Pick<Runtime, 'clock' | 'log' | 'secrets' | 'settings'> {
  readonly executions: Executions;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly bundle: Bundle;
}

/** What was started, each with how to see its result. */
interface StartReport {
  readonly executions: readonly (Started & { readonly status: string })[];
  /** Why nothing was started. */
  readonly nothing?: string;
}

/** Lambda's invocation: its retries have the same id. */
interface HookInvocation {
  readonly awsRequestId: string;
}

/**
 * Answers a request to the URL, a request by hand, or an event of the bus. Fails on an event so that Lambda
 * retries it.
 */
export function createHook(
  makeRuntime: () => HookRuntime,
): (event: unknown, invocation?: HookInvocation) => Promise<UrlAnswer | StartReport> {
  let made: { runtime: HookRuntime; keys: () => Promise<Keys> } | undefined;
  const ready = () => {
    if (made !== undefined) return made;
    const runtime = makeRuntime();
    const keys = keptKeys(() => readKeys(runtime.secrets, runtime.settings.hookSecret), runtime.clock);
    made = { runtime, keys };
    return made;
  };
  return async (given, invocation) => {
    if (isUrlRequest(given)) {
      const { runtime, keys } = ready();
      return answerTo(given, runtime, keys);
    }
    const event = byHand(given, invocation) ?? given;
    const sender = isBusEvent(event) ? EVENT_SENDERS.find((one) => one.sent(event)) : undefined;
    if (sender === undefined) throw notAccepted('deployHook', 'this is not a request to a deploy hook');
    return takeDelivery(event as BusEvent, sender, ready().runtime);
  };
}

/** A request of a person, as an event. It counts once for an invocation, which Lambda may retry. */
function byHand(event: unknown, invocation: HookInvocation | undefined): BusEvent | undefined {
  if (invocation === undefined || typeof event !== 'object' || event === null) return undefined;
  if ('detail-type' in event || !('pipeline' in event || 'manifest' in event)) return undefined;
  return { id: invocation.awsRequestId, source: 'by-hand', 'detail-type': 'penstock', detail: { ...event } };
}

/** A sender without a key is compared too: the time does not reveal which senders are configured. */
const NOBODYS_KEY = randomBytes(32);

/** A request: admitted, verified, parsed, started. */
async function answerTo(
  request: UrlRequest,
  runtime: HookRuntime,
  keys: () => Promise<Keys>,
): Promise<UrlAnswer> {
  const said: { sender?: string } = {};
  try {
    const admitted = admit(request);
    if ('statusCode' in admitted) return logged(admitted, runtime, { why: 'not admitted' });
    const sender = senderOf(admitted.headers);
    if (sender === undefined) return logged(unauthorized(), runtime, { why: 'no sender' });
    said.sender = sender.name;
    const own = (await keys())[sender.field];
    const tried = own.length === 0 ? [NOBODYS_KEY] : own;
    const verified = sender.verify(admitted.headers, admitted.body, tried, runtime.clock.now());
    if ('refused' in verified)
      return logged(unauthorized(), runtime, {
        ...said,
        why: own.length === 0 ? 'no key' : verified.refused,
      });
    const delivery = { sender: sender.name, id: verified.id, digest: digestOf(admitted.body) };
    const report = await startPipelines(sender.asked(bodyJson(admitted.body)), delivery, runtime);
    return logged(
      answer(report.nothing === undefined ? 202 : 200, report),
      runtime,
      startedFields(delivery, report),
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    return failedAnswer(error, runtime, said);
  }
}

/** An event: every failure is thrown, so that Lambda retries it, and in the end puts it into the queue. */
async function takeDelivery(
  event: BusEvent,
  sender: (typeof EVENT_SENDERS)[number],
  runtime: HookRuntime,
): Promise<StartReport> {
  const delivery = {
    sender: sender.name,
    id: sender.id(event),
    digest: digestOf(JSON.stringify(event.detail)),
  };
  try {
    const report = await startPipelines(sender.asked(event), delivery, runtime);
    runtime.log.info('hook', { event: 'hook', ...startedFields(delivery, report) });
    return report;
  } catch (error) {
    if (!isFailure(error)) throw error;
    runtime.log.error('hook', { event: 'hook', sender: sender.name, code: error.code, ...ours(error) });
    throw error.code === 'MANIFEST_INVALID' ? silent(error) : error;
  }
}

/** Lambda logs what is thrown, and a manifest's mistakes quote the manifest. */
function silent({ code }: Failure): Failure {
  return new Failure(code, 'the manifest in this event has mistakes', {
    next: 'Start the state machine with it in mode plan, or try it with npm run check:pipelines: both say which.',
  });
}

async function startPipelines(asked: Asked, delivery: Delivery, runtime: HookRuntime): Promise<StartReport> {
  if (asked.kind === 'nothing') return { executions: [], nothing: asked.why };
  const { settings, bundle, executions, ledger } = runtime;
  if (!isWanted(asked.environment, settings.hookEnvironments))
    return { executions: [], nothing: 'the hook is not deployed for this environment' };
  if (asked.kind === 'request') checkWaits(asked.request, settings);
  const deployed: Deployed = { bundle, starts: settings.hookStarts, manifests: settings.hookManifests };
  const wanted =
    asked.kind === 'request' ? await wantedBy(asked.request, deployed) : wantedByDeployment(deployed);
  for (const one of wanted) checkInput(one, delivery);
  const started: Started[] = [];
  // One after the other: so a repeated delivery always finds the first ones of the list started.
  for (const one of wanted) started.push(await startOnce(one, delivery, executions, newerIn(ledger)));
  return {
    executions: started.map((one) => ({ ...one, status: statusCommand(one) })),
    ...(started.every(isSuperseded) && {
      nothing:
        'the run of this delivery had failed, and a newer one has succeeded since: send a new delivery',
    }),
  };
}

/**
 * Only deployments are limited, because they go to an environment. GitHub compares environment names without
 * case.
 */
function isWanted(environment: string | undefined, wanted: readonly string[] | undefined): boolean {
  if (environment === undefined || wanted === undefined) return true;
  return wanted.includes(environment.toLowerCase());
}

function isSuperseded({ supersededBy }: Started): boolean {
  return supersededBy !== undefined;
}

function statusCommand({ executionArn }: Started): string {
  return `aws stepfunctions describe-execution --execution-arn ${executionArn}`;
}

/** The one sender whose signature is there. With two it would not be clear which one is meant. */
function senderOf(headers: Headers): WebhookSender | undefined {
  const possible = WEBHOOK_SENDERS.filter(({ header }) => Object.hasOwn(headers, header));
  return possible.length === 1 ? possible[0] : undefined;
}

function isBusEvent(event: unknown): event is BusEvent {
  const { id, source, detail, 'detail-type': type } = (event ?? {}) as Record<string, unknown>;
  return (
    [id, source, type].every((text) => typeof text === 'string') &&
    typeof detail === 'object' &&
    detail !== null &&
    !Array.isArray(detail)
  );
}

/** @throws Failure `EVENT_INVALID`. The parser's message quotes the text, so it is not repeated. */
function bodyJson(body: Buffer): unknown {
  const { text, value } = parsedBody(body);
  const [twice] = repeatedMembers(text);
  if (twice === undefined) return value;
  throw new Failure(
    'EVENT_INVALID',
    `the body has a member twice: ${twice.path}, in line ${twice.first} and in line ${twice.again}`,
  );
}

function parsedBody(body: Buffer): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { text, value: JSON.parse(text) };
  } catch {
    throw new Failure('EVENT_INVALID', 'the body is not JSON in UTF-8');
  }
}

/** The same answer for no key, no signature, an old one or a wrong one. The log has the reason. */
function unauthorized(): UrlAnswer {
  return answer(401, { error: 'unauthorized' });
}

/** Failures that the sender, once verified, can correct. It is not told about others. */
const TOLD: Partial<Record<FailureCode, number>> = {
  EVENT_INVALID: 400,
  MANIFEST_INVALID: 400,
  CONFLICT: 409,
  NO_PIPELINES: 409,
};
const RETRY_AFTER_SECONDS = '30';

function failedAnswer(failure: Failure, runtime: HookRuntime, said: LogFields): UrlAnswer {
  const status = TOLD[failure.code];
  if (status !== undefined)
    return logged(answer(status, { error: failure.what, next: failure.next }), runtime, {
      ...said,
      why: failure.code,
      ...ours(failure),
    });
  runtime.log.error('hook', {
    event: 'hook',
    ...said,
    code: failure.code,
    what: failure.what,
    next: failure.next,
  });
  return failure.retryable
    ? answer(503, { error: 'try again' }, { 'retry-after': RETRY_AFTER_SECONDS })
    : answer(500, { error: 'not set up' });
}

/** For the log. The message of a refused request may quote it. That there are no pipelines may be told. */
function ours({ code, what, next }: Failure): LogFields {
  return code === 'NO_PIPELINES' ? { what, next } : {};
}

function logged(given: UrlAnswer, { log }: HookRuntime, fields: LogFields): UrlAnswer {
  const write = given.statusCode < 400 ? log.info : log.warn;
  write('hook', { event: 'hook', status: given.statusCode, ...fields });
  return given;
}

/** Names only, and nothing of what was sent. */
function startedFields({ sender }: Delivery, { executions, nothing }: StartReport): LogFields {
  const names = (of: StartReport['executions']) => of.map(({ name }) => name).join(' ');
  const superseded = executions.filter(isSuperseded);
  return {
    sender,
    nothing,
    executions: names(executions.filter((one) => !isSuperseded(one))),
    ...(superseded.length > 0 && { superseded: names(superseded) }),
  };
}
