// GitHub: `X-Hub-Signature-256` over the body. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
import { parseRequest } from '../asked.ts';
import type { Asked, WebhookSender } from '../sender.ts';
import { digestOf, isSigned } from '../signature.ts';

export const github: WebhookSender = {
  name: 'github',
  field: 'github',
  header: 'x-hub-signature-256',

  /**
   * GitHub signs only the body, not the delivery's id in a header. So the body's hash is the delivery's id.
   */
  verify(headers, body, keys) {
    const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(headers['x-hub-signature-256'] ?? '') ?? [];
    const given = hex === undefined ? [] : [Buffer.from(hex, 'hex')];
    return isSigned([body], keys, given) ? { id: digestOf(body) } : { refused: 'signature' };
  },

  /** From the body alone, because the event's name is in a header too. */
  asked(body) {
    if (!isEvent(body)) return { kind: 'request', request: parseRequest(body) };
    return eventAsked(body);
  },
};

/** The fields of GitHub's events that are read. Each may be missing, or hold anything. */
interface GithubEvent {
  readonly action?: unknown;
  readonly ref?: unknown;
  readonly deleted?: unknown;
  readonly repository?: Repository & { readonly default_branch?: unknown };
  readonly deployment?: { readonly payload?: unknown; readonly environment?: unknown } | null;
  readonly deployment_status?: { readonly state?: unknown; readonly environment?: unknown } | null;
  readonly workflow_run?: WorkflowRun | null;
}

interface Repository {
  readonly id?: unknown;
}

/** https://docs.github.com/webhooks/webhook-events-and-payloads#workflow_run */
interface WorkflowRun {
  readonly conclusion?: unknown;
  /** The name alone: a branch of a fork can have the same. */
  readonly head_branch?: unknown;
  /** The repository of the commit that ran: a fork, or nothing if that was deleted. */
  readonly head_repository?: Repository | null;
  /** What triggered the workflow. */
  readonly event?: unknown;
}

/** Every event of GitHub's names its sender or its repository; a ping has a `zen` as well. */
function isEvent(body: unknown): body is GithubEvent {
  if (!isObject(body)) return false;
  return ['sender', 'repository', 'organization', 'hook'].some((name) => isObject(own(body, name)));
}

function eventAsked(event: GithubEvent): Asked {
  if (isObject(own(event, 'pull_request'))) return { kind: 'nothing', why: OF_PULL_REQUEST };
  if (isObject(event.deployment_status)) return deploymentAsked(event);
  if (isObject(event.workflow_run)) return workflowAsked(event);
  if (typeof event.ref === 'string' && own(event, 'pusher') !== undefined) return pushAsked(event);
  return { kind: 'nothing', why: 'this event is about no deployment' };
}

/** A deployment's payload may say what it wants: `"payload": {"penstock": {"pipeline": "…"}}`. */
function deploymentAsked({ deployment, deployment_status, workflow_run, repository }: GithubEvent): Asked {
  if (deployment_status?.state !== 'success')
    return { kind: 'nothing', why: 'the deployment has not succeeded' };
  // The workflow that deployed, if there is one. A pull request's preview is no deployment of the repository.
  const strange = isObject(workflow_run) ? strangeIn(workflow_run, repository) : undefined;
  if (strange !== undefined) return { kind: 'nothing', why: strange };
  const payload = parsedPayload(deployment?.payload);
  const wanted = isObject(payload) ? own(payload, 'penstock') : undefined;
  const environment = textMember(deployment_status.environment) ?? textMember(deployment?.environment) ?? '';
  return wanted === undefined
    ? { kind: 'deployed', environment }
    : { kind: 'request', request: parseRequest(wanted), environment };
}

function workflowAsked({ action, repository, workflow_run }: GithubEvent): Asked {
  if (action !== 'completed' || workflow_run?.conclusion !== 'success')
    return { kind: 'nothing', why: 'the workflow has not succeeded' };
  // If the event does not name the commit's repository, it may be anybody's.
  const strange = workflow_run.head_repository === undefined ? OF_FORK : strangeIn(workflow_run, repository);
  if (strange !== undefined) return { kind: 'nothing', why: strange };
  return ofDefaultBranch(workflow_run.head_branch, repository);
}

const OF_FORK = 'this is not of the repository itself, but of a fork';
const OF_PULL_REQUEST = 'this is of a pull request';

/**
 * Triggers of a workflow that may run anybody's code. Either a pull request (`pull_request`,
 * `pull_request_target` and its reviews), or a commit of a fork, whose branch may be called `main` too.
 */
function strangeIn({ event, head_repository }: WorkflowRun, repository: Repository = {}): string | undefined {
  if (typeof event === 'string' && event.startsWith('pull_request')) return OF_PULL_REQUEST;
  if (head_repository === undefined) return undefined;
  return typeof repository.id === 'number' && head_repository?.id === repository.id ? undefined : OF_FORK;
}

function pushAsked({ ref, deleted, repository }: GithubEvent): Asked {
  if (deleted === true) return { kind: 'nothing', why: 'the branch was deleted' };
  return ofDefaultBranch(String(ref).replace(/^refs\/heads\//, ''), repository);
}

function ofDefaultBranch(branch: unknown, repository: GithubEvent['repository']): Asked {
  if (typeof branch === 'string' && branch === repository?.default_branch) return { kind: 'deployed' };
  return { kind: 'nothing', why: 'this is not the default branch' };
}

/** A deployment's payload is JSON, or a text with JSON in it. */
function parsedPayload(payload: unknown): unknown {
  if (typeof payload !== 'string') return payload;
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function textMember(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
