// What an event of GitHub asks the action to do.
import { MistakeError } from '../../terminal/mistake.ts';

export type Job =
  | { readonly kind: 'nothing'; readonly why: string }
  /** `isTrusted`: whether there are credentials and a token that may write. */
  | { readonly kind: 'pull'; readonly number: number; readonly head: string; readonly isTrusted: boolean }
  /** Pull requests of a merge queue, as they would be merged. */
  | { readonly kind: 'group'; readonly before: string; readonly after: string }
  | {
      readonly kind: 'push';
      readonly before: string;
      readonly after: string;
      readonly isForced: boolean;
      readonly branch: string;
    };

/** The fields of https://docs.github.com/en/webhooks/webhook-events-and-payloads that decide. */
interface Payload {
  readonly action?: string;
  readonly pull_request?: {
    readonly number: number;
    readonly user?: { readonly login: string } | null;
    readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } | null };
    readonly base: { readonly repo: { readonly full_name: string } };
  };
  readonly merge_group?: { readonly base_sha: string; readonly head_sha: string };
  readonly ref?: string;
  readonly before?: string;
  readonly after?: string;
  readonly forced?: boolean;
  readonly deleted?: boolean;
  readonly repository?: { readonly default_branch?: string };
}

/** Its jobs get no secrets and a token that only reads, as if they came from a fork. */
const DEPENDABOT = 'dependabot[bot]';

/**
 * @param name `GITHUB_EVENT_NAME`
 * @param payload the content of `GITHUB_EVENT_PATH`
 * @throws MistakeError for an event that this action must not run on
 */
export function jobOf(name: string, payload: unknown): Job {
  const event = payload as Payload;
  if (name === 'pull_request') return pullJob(event);
  if (name === 'merge_group') return groupJob(event);
  if (name === 'push') return pushJob(event);
  throw new MistakeError(
    'EVENT_UNFIT',
    `this action does not run on ${name}`,
    name === 'pull_request_target'
      ? 'Use pull_request: what a fork brings must never run beside secrets.'
      : 'Run it on pull_request, on merge_group, and on push to the default branch.',
  );
}

function pullJob({ action, pull_request: pull }: Payload): Job {
  if (pull === undefined) throw new MistakeError('EVENT_UNFIT', 'the event has no pull request');
  if (action === 'closed') return { kind: 'nothing', why: 'the pull request is closed' };
  const { number, head, base, user } = pull;
  // The repository of a fork that was deleted is null.
  const isTrusted = head.repo?.full_name === base.repo.full_name && user?.login !== DEPENDABOT;
  return { kind: 'pull', number, head: head.sha, isTrusted };
}

function groupJob({ merge_group: group }: Payload): Job {
  if (group === undefined) throw new MistakeError('EVENT_UNFIT', 'the event has no merge group');
  return { kind: 'group', before: group.base_sha, after: group.head_sha };
}

function pushJob({ ref = '', before = '', after = '', forced = false, deleted, repository }: Payload): Job {
  const branch = ref.replace(/^refs\/heads\//, '');
  if (branch !== repository?.default_branch || deleted)
    return { kind: 'nothing', why: `${ref} is not the default branch` };
  return { kind: 'push', before, after, isForced: forced, branch };
}
