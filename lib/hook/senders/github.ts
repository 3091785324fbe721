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
  readonly repository?: { readonly default_branch?: unknown };
  readonly deployment?: { readonly payload?: unknown } | null;
  readonly deployment_status?: { readonly state?: unknown } | null;
  readonly workflow_run?: { readonly conclusion?: unknown; readonly head_branch?: unknown } | null;
}

/** Every event of GitHub's says who has sent it, or where; a ping has a word of Zen besides. */
function isEvent(body: unknown): body is GithubEvent {
  if (!isObject(body)) return false;
  return ['sender', 'repository', 'organization', 'hook'].some((name) => isObject(own(body, name)));
}

function eventAsked(event: GithubEvent): Asked {
  if (isObject(event.deployment_status)) return deploymentAsked(event);
  if (isObject(event.workflow_run)) return workflowAsked(event);
  if (typeof event.ref === 'string' && own(event, 'pusher') !== undefined) return pushAsked(event);
  return { kind: 'nothing', why: 'this event says of no deployment' };
}

/** What was deployed may say what it wants: `"payload": {"penstock": {"pipeline": "…"}}` of the deployment. */
function deploymentAsked({ deployment, deployment_status }: GithubEvent): Asked {
  if (deployment_status?.state !== 'success')
    return { kind: 'nothing', why: 'the deployment has not succeeded' };
  const payload = parsed(deployment?.payload);
  const wanted = isObject(payload) ? own(payload, 'penstock') : undefined;
  return wanted === undefined ? { kind: 'deployed' } : { kind: 'request', request: parseRequest(wanted) };
}

function workflowAsked({ action, repository, workflow_run }: GithubEvent): Asked {
  if (action !== 'completed' || workflow_run?.conclusion !== 'success')
    return { kind: 'nothing', why: 'the workflow has not succeeded' };
  return ofDefaultBranch(workflow_run.head_branch, repository);
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
function parsed(payload: unknown): unknown {
  if (typeof payload !== 'string') return payload;
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
