// GitHub's REST API, as far as the action needs it: changed files, pull requests of a commit, and comments.
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfterMs } from '../../lib/aep/retry.ts';
import { createFetch } from '../../lib/aws/http.ts';
import type { ProxySettings } from '../../lib/aws/http-proxied.ts';
import { MistakeError } from '../../terminal/mistake.ts';

/** https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files */
export interface ChangedFile {
  readonly filename: string;
  readonly status: string;
  readonly previous_filename?: string;
}

/** https://docs.github.com/en/rest/issues/comments#list-issue-comments */
export interface IssueComment {
  readonly id: number;
  readonly body?: string;
  readonly user: { readonly login: string } | null;
}

/** https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit */
export interface PullOfCommit {
  readonly number: number;
  readonly merged_at: string | null;
  readonly merge_commit_sha: string | null;
  readonly base: { readonly ref: string; readonly repo: { readonly full_name: string } };
}

export interface GitHub {
  filesOf(pull: number): Promise<readonly ChangedFile[]>;
  filesBetween(before: string, after: string): Promise<readonly ChangedFile[]>;
  pullsOf(commit: string): Promise<readonly PullOfCommit[]>;
  commentsOf(pull: number): Promise<readonly IssueComment[]>;
  /** @returns who wrote it, as GitHub sees the token; `undefined` where GitHub does not say */
  writeComment(pull: number, body: string): Promise<string | undefined>;
  /** @returns false where it is gone */
  changeComment(id: number, body: string): Promise<boolean>;
}

export interface GitHubOptions {
  /** `GITHUB_API_URL`: https://api.github.com, or that of an own server. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  readonly proxy?: ProxySettings | undefined;
  /** Waits so many ms. */
  readonly pause?: (ms: number) => Promise<void>;
  /** In ms since 1970. */
  readonly now?: () => number;
}

const ANSWER_MS = 30_000;
const TRIES = 4;
const PAUSE_MS = 1_000;
/** "Otherwise, wait for at least one minute before retrying." */
const LIMITED_MS = 60_000;
/** Of one call: a job is paid by the minute, and a limit by the hour may last for one. */
const MAX_WAIT_MS = 5 * 60_000;
const PER_PAGE = 100;
/** GitHub lists 3,000 files of a pull request at most, and 300 of a comparison. */
const MAX_PAGES = 100;
const MAX_LISTED = 3_000;
const MAX_COMPARED = 300;

interface Answer {
  readonly status: number;
  readonly value: unknown;
  readonly link: string | null;
}

/** An answer of GitHub that is no success. */
export class GitHubError extends MistakeError {
  readonly status: number;
  /** Where GitHub limits the rate: how long it wants nothing. Then nothing was done. */
  readonly waitMs: number | undefined;

  constructor(status: number, asked: string, waitMs?: number) {
    super('GITHUB_REFUSED', `GitHub answered ${asked} with ${status}`, adviceOn(status, waitMs));
    this.status = status;
    this.waitMs = waitMs;
  }
}

function adviceOn(status: number, waitMs: number | undefined): string {
  if (waitMs !== undefined)
    return `GitHub limits how often it may be asked: run the job again in ${Math.ceil(waitMs / 60_000)} minutes.`;
  if (status === 401 || status === 403)
    return 'Give the job the permissions contents: read and pull-requests: write.';
  return "Run the job again; GitHub's status page says whether it is well.";
}

/**
 * How long GitHub wants nothing more, in ms; `undefined` where it is not a matter of the rate. A 403 may be either.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
function waitAsked(
  status: number,
  headers: { get(name: string): string | null },
  now: number,
): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const asked = retryAfterMs(headers.get('retry-after'), now);
  if (asked !== undefined) return asked;
  const reset = numberIn(headers.get('x-ratelimit-reset'));
  if (headers.get('x-ratelimit-remaining') === '0' && reset !== undefined)
    return Math.max(1_000, reset * 1_000 - now);
  return status === 429 ? LIMITED_MS : undefined;
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

export function createGitHub({
  url,
  repository,
  token,
  proxy,
  pause = sleep,
  now = Date.now,
}: GitHubOptions): GitHub {
  const base = `${url.replace(/\/$/, '')}/repos/${repository}`;
  const fetch = createFetch(proxy);
  const once = async (method: string, address: string, body?: object): Promise<Answer> => {
    const answer = await fetch(address, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'penstock',
        'x-github-api-version': '2022-11-28',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body ?? []) chunks.push(chunk as Uint8Array);
    const text = Buffer.concat(chunks).toString('utf8');
    if (answer.status >= 300)
      throw new GitHubError(
        answer.status,
        `${method} ${new URL(address).pathname}`,
        waitAsked(answer.status, answer.headers, now()),
      );
    return {
      status: answer.status,
      value: text === '' ? null : (JSON.parse(text) as unknown),
      link: answer.headers.get('link'),
    };
  };
  const again = async (method: string, address: string, body?: object): Promise<Answer> => {
    for (let tries = 1; ; tries++)
      try {
        return await once(method, address, body);
      } catch (error) {
        const isPost = method === 'POST';
        const waitMs = waitBefore(error, isPost, tries);
        if (waitMs === undefined || tries === TRIES) throw error;
        await pause(waitMs);
      }
  };
  const all = async <T>(path: string): Promise<T[]> => {
    const found: T[] = [];
    let next: string | undefined = `${base}${path}?per_page=${PER_PAGE}`;
    for (let page = 0; next !== undefined && page < MAX_PAGES; page++) {
      const answer: Answer = await again('GET', next);
      found.push(...(answer.value as T[]));
      next = nextOf(answer.link, base);
    }
    return found;
  };
  return {
    async filesOf(pull) {
      const files = await all<ChangedFile>(`/pulls/${pull}/files`);
      return whole(files, MAX_LISTED);
    },
    pullsOf: (commit) => all(`/commits/${commit}/pulls`),
    commentsOf: (pull) => all(`/issues/${pull}/comments`),
    async filesBetween(before, after) {
      const { value } = await again('GET', `${base}/compare/${before}...${after}`);
      const { files = [] } = value as { files?: ChangedFile[] };
      return whole(files, MAX_COMPARED);
    },
    async writeComment(pull, body) {
      const { value } = await again('POST', `${base}/issues/${pull}/comments`, { body });
      return (value as IssueComment | null)?.user?.login;
    },
    async changeComment(id, body) {
      try {
        await again('PATCH', `${base}/issues/comments/${id}`, { body });
        return true;
      } catch (error) {
        if (error instanceof GitHubError && error.status === 404) return false;
        throw error;
      }
    },
  };
}

/**
 * How long to wait before the next try, in ms; `undefined` where there is none. A comment whose answer was lost may
 * stand there: it is written again only where GitHub has refused it.
 */
function waitBefore(error: unknown, isPost: boolean, tries: number): number | undefined {
  const limited = error instanceof GitHubError ? error.waitMs : undefined;
  if (limited !== undefined) return limited <= MAX_WAIT_MS ? limited : undefined;
  const isFinal = error instanceof GitHubError && error.status < 500;
  return isFinal || isPost ? undefined : PAUSE_MS * tries;
}

/** @throws MistakeError where GitHub may have left some out */
function whole(files: readonly ChangedFile[], max: number): readonly ChangedFile[] {
  if (files.length < max) return files;
  throw new MistakeError(
    'TOO_MANY_FILES',
    `${max} files or more are changed, and GitHub lists no more`,
    'Split the change, or apply by hand: penstock apply FILE.',
  );
}

/**
 * The next page.
 * @throws MistakeError where it is on another server: the token goes nowhere else
 */
function nextOf(link: string | null, base: string): string | undefined {
  const found = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  if (found === undefined) return undefined;
  if (new URL(found).origin !== new URL(base).origin)
    throw new MistakeError(
      'GITHUB_REFUSED',
      'the next page of a list is on another server',
      'Look at GITHUB_API_URL: it has to name the server that the lists name.',
    );
  return found;
}
