// GitHub's REST API, as far as the action needs it: changed files, pull requests of a commit, and comments.
import { setTimeout as sleep } from 'node:timers/promises';
import { createFetch } from '../../lib/aws/http.ts';
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
  writeComment(pull: number, body: string): Promise<void>;
  /** @returns false where it is gone */
  changeComment(id: number, body: string): Promise<boolean>;
}

export interface GitHubOptions {
  /** `GITHUB_API_URL`: https://api.github.com, or that of an own server. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  /** Between two tries, in ms. */
  readonly pauseMs?: number;
}

const ANSWER_MS = 30_000;
const TRIES = 4;
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

  constructor(status: number, asked: string) {
    super(
      'GITHUB_REFUSED',
      `GitHub answered ${asked} with ${status}`,
      status === 401 || status === 403
        ? 'Give the job the permissions contents: read and pull-requests: write.'
        : "Run the job again; GitHub's status page says whether it is well.",
    );
    this.status = status;
  }
}

export function createGitHub({ url, repository, token, pauseMs = 1_000 }: GitHubOptions): GitHub {
  const base = `${url.replace(/\/$/, '')}/repos/${repository}`;
  const fetch = createFetch();
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
    if (answer.status >= 300) throw new GitHubError(answer.status, `${method} ${new URL(address).pathname}`);
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
        const isFinal = error instanceof GitHubError && error.status < 500 && error.status !== 429;
        if (isFinal || tries === TRIES) throw error;
        await sleep(pauseMs * tries);
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
    // Not sent again by itself: a comment whose answer was lost would stand there twice.
    writeComment: async (pull, body) =>
      void (await once('POST', `${base}/issues/${pull}/comments`, { body })),
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
