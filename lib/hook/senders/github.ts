// GitHub: `X-Hub-Signature-256` over the body. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
import { parseRequest } from '../asked.ts';
import type { Asked, WebhookSender } from '../sender.ts';
import { digestOf, isSigned } from '../signature.ts';

export const github: WebhookSender = {
  name: 'github',
  field: 'github',
  header: 'x-hub-signature-256',

  /** No header but the signature is signed, the delivery's id neither: a delivery is known by its body. */
  verify(headers, body, keys) {
    const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(headers['x-hub-signature-256'] ?? '') ?? [];
    const given = hex === undefined ? [] : [Buffer.from(hex, 'hex')];
    return isSigned([body], keys, given) ? { id: digestOf(body) } : { refused: 'signature' };
  },

  /** By the body alone, for the name of the event is in a header too. */
  asked(body) {
    if (!isEvent(body)) return { kind: 'request', request: parseRequest(body) };
    return eventAsked(body);
  },
};

/** What is looked at of GitHub's events. All of it may be missing, or be something else. */
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
  /** Where the commit is that was run: a fork, or nothing where that is gone. */
  readonly head_repository?: Repository | null;
  /** What set the workflow going. */
  readonly event?: unknown;
}

/** Every event of GitHub's says who has sent it, or where; a ping has a word of Zen besides. */
function isEvent(body: unknown): body is GithubEvent {
  if (!isObject(body)) return false;
  return ['sender', 'repository', 'organization', 'hook'].some((name) => isObject(own(body, name)));
}

function eventAsked(event: GithubEvent): Asked {
  if (isObject(own(event, 'pull_request'))) return { kind: 'nothing', why: OF_PULL_REQUEST };
  if (isObject(event.deployment_status)) return deploymentAsked(event);
  if (isObject(event.workflow_run)) return workflowAsked(event);
  if (typeof event.ref === 'string' && own(event, 'pusher') !== undefined) return pushAsked(event);
  return { kind: 'nothing', why: 'this event says of no deployment' };
}

/** What was deployed may say what it wants: `"payload": {"penstock": {"pipeline": "…"}}` of the deployment. */
function deploymentAsked({ deployment, deployment_status, workflow_run, repository }: GithubEvent): Asked {
  if (deployment_status?.state !== 'success')
    return { kind: 'nothing', why: 'the deployment has not succeeded' };
  // The workflow that has deployed, where one has: a pull request's preview is no deployment of the repository.
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
  // Where it does not say whose commit was run, nobody has said that it is ours.
  const strange = workflow_run.head_repository === undefined ? OF_FORK : strangeIn(workflow_run, repository);
  if (strange !== undefined) return { kind: 'nothing', why: strange };
  return ofDefaultBranch(workflow_run.head_branch, repository);
}

const OF_FORK = 'this is not of the repository itself, but of a fork';
const OF_PULL_REQUEST = 'this is of a pull request';

/**
 * Why a workflow ran what anybody may have written: for a pull request (`pull_request`, `pull_request_target` and those of its
 * reviews), or a commit of a fork, whose branch may be called `main` as well.
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
