// Issue 15, "In a pull request": against a stand-in of GitHub's API, with the real check, the real state machine and the simulated platform.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { folderOf } from '../../../cli/action/changes.ts';
import { commentOf, MARKER, MAX_COMMENT, type Outcome, tokensIn } from '../../../cli/action/comment.ts';
import { createGitHub } from '../../../cli/action/github.ts';
import { type Ended, runAction } from '../../../cli/action/run-action.ts';
import { withoutCommands } from '../../../cli/action/without-commands.ts';
import { apply } from '../../../cli/commands/apply.ts';
import { plan } from '../../../cli/commands/plan.ts';
import type { Target } from '../../../cli/target.ts';
import { createOutput } from '../../../terminal/create-output.ts';
import { inletManifest, reportOf } from '../../provision/cases.ts';
import { runCli } from '../../support/cli.ts';
import { GITHUB_TOKEN, REPOSITORY, standIn } from '../../support/github.ts';
import { keptStream } from '../../support/kept-stream.ts';
import { world } from '../../support/provisioning.ts';

const ROOT = new URL('../../../', import.meta.url);
const HEAD = 'a'.repeat(40);
const MERGED = 'b'.repeat(40);
const BEFORE = 'c'.repeat(40);
const PULL = 7;
const FILE = 'pipelines/orders.json';
const BOT = { login: 'github-actions[bot]' };
const NOW = Date.parse('2026-11-29T08:00:00Z');
const CHANGED = { filename: FILE, status: 'modified' };

type World = ReturnType<typeof world>;

function targetOf(own: World): Target {
  return {
    name: 'stage prod',
    kind: 'stage',
    words: ['--stage', 'prod'],
    warmUpSeconds: 0,
    outlives: true,
    prepare: async () => undefined,
    invoke: async () => ({ report: await reportOf(own) }),
    async execute(input) {
      const { status, document, error } = await own.run(input as Parameters<World['run']>[0]);
      const { report } = (document ?? {}) as { report?: { execution: { id: string } } };
      const kept = report ?? (await reportOf(own));
      const end = { executionArn: kept.execution.id, status, output: document };
      return error === undefined ? end : { ...end, error };
    },
    async *logs() {},
    records: async () => [],
    executions: async () => ({ executions: [] }),
    execution: async () => undefined,
    metrics: async () => [],
    deadLetters: () => Promise.reject(new Error('no store')),
    close: async () => undefined,
  };
}

async function setUp(manifests: Record<string, object> = { [FILE]: inletManifest() }) {
  const own = world();
  const github = await standIn();
  const workspace = mkdtempSync(join(tmpdir(), 'penstock-action-'));
  mkdirSync(join(workspace, 'pipelines'));
  const write = (file: string, manifest: object) =>
    writeFileSync(join(workspace, file), JSON.stringify(manifest));
  for (const [file, manifest] of Object.entries(manifests)) write(file, manifest);
  const commands: string[] = [];
  const logged: string[] = [];
  const waits: number[] = [];
  const failedPlans: Ended[] = [];
  const pause = async (ms: number) => void waits.push(ms);
  const penstock = async ([command = '', file = '', ...rest]: readonly string[]): Promise<Ended> => {
    commands.push(`${command} ${file}`);
    const path = join(workspace, file);
    if (command === 'check') return runCli(['check', path]);
    const failed = command === 'plan' ? failedPlans.pop() : undefined;
    if (failed !== undefined) return failed;
    return kept(own, command === 'plan' ? plan : apply, path, rest);
  };
  const run = (eventName: string, event: unknown, stage: string | undefined = 'prod', sandbox?: string) =>
    runAction({
      eventName,
      event,
      stage,
      region: undefined,
      sandbox,
      folder: 'pipelines',
      author: BOT.login,
      workspace,
      github: createGitHub({
        url: github.url,
        repository: REPOSITORY,
        token: GITHUB_TOKEN,
        pause,
        now: () => NOW,
      }),
      penstock,
      log: (line) => logged.push(line),
    });
  return {
    own,
    github,
    commands,
    logged,
    waits,
    failedPlans,
    run,
    write,
    remove: (file: string) => rmSync(join(workspace, file)),
    body: () =>
      github.comments
        .get(PULL)
        ?.find(({ body, user }) => user?.login === BOT.login && body.startsWith(MARKER))?.body ?? '',
    async [Symbol.asyncDispose]() {
      await github[Symbol.asyncDispose]();
      rmSync(workspace, { recursive: true });
    },
  };
}

/** Runs a command on the state machine of a world, with what it prints. */
async function kept(own: World, command: typeof plan, path: string, rest: readonly string[]): Promise<Ended> {
  const [out, err] = [keptStream(), keptStream()];
  const output = createOutput({
    isJson: rest.includes('--json'),
    stdout: out.stream,
    stderr: err.stream,
    stdin: {} as NodeJS.ReadStream,
    env: {},
  });
  const options = Object.fromEntries(
    ['token', 'sandbox'].flatMap((name) => {
      const at = rest.indexOf(`--${name}`);
      return at < 0 ? [] : [[name, rest[at + 1]]];
    }),
  );
  const context = {
    target: targetOf(own),
    output,
    folder: '.',
    env: {},
    signal: new AbortController().signal,
  };
  const code = await command.run(context, { arguments: [path], options }).catch((error: unknown) => {
    output.error(error);
    return 1;
  });
  return { code, out: out.text(), err: err.text() };
}

/** As GitHub sends them: https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const pullEvent = (action = 'synchronize', from: string | null = REPOSITORY, login = 'octocat') => ({
  action,
  number: PULL,
  pull_request: {
    number: PULL,
    state: 'open',
    user: { login },
    head: {
      ref: 'orders',
      sha: HEAD,
      repo: from === null ? null : { full_name: from, fork: from !== REPOSITORY },
    },
    base: { ref: 'main', sha: BEFORE, repo: { full_name: REPOSITORY } },
  },
  repository: { full_name: REPOSITORY, default_branch: 'main' },
});

const pushEvent = (more: object = {}) => ({
  ref: 'refs/heads/main',
  before: BEFORE,
  after: MERGED,
  created: false,
  deleted: false,
  forced: false,
  repository: { full_name: REPOSITORY, default_branch: 'main' },
  ...more,
});

const mergedPull = {
  number: PULL,
  merged_at: '2026-11-28T10:00:00Z',
  merge_commit_sha: MERGED,
  base: { ref: 'main', repo: { full_name: REPOSITORY } },
};

const MAPPING = [
  { source: 'id', destination: '_id' },
  { expression: 'upper(${first})', destination: 'person.name.firstName' },
];

const EVENT_MAPPING = [
  { source: 'id', destination: '_id' },
  { source: 'at', destination: 'timestamp' },
];

/** As GitHub tells a limit by the hour that ends so many seconds from now. */
const LIMITED = (seconds: number) => ({
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': String(NOW / 1_000 + seconds),
});

describe('issue 15: a pull request is checked and planned in one comment', () => {
  it('keeps one comment up to date, also behind a hundred others, and leaves those of another bot', async () => {
    await using made = await setUp();
    const quoted = { id: 5, body: `${MARKER}\nof another bot`, user: { login: 'other[bot]' } };
    const others = Array.from({ length: 230 }, (_, id) => ({ id: 10 + id, body: 'Nice.', user: null }));
    made.github.comments.set(PULL, [quoted, ...others]);
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent('opened'))).toBe(0);
    const first = made.body();
    expect(made.commands).toEqual([`check ${FILE}`, `plan ${FILE}`]);
    made.write(FILE, inletManifest({ mapping: MAPPING }));
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    const all = made.github.comments.get(PULL) ?? [];
    expect(all).toHaveLength(232);
    expect(quoted.body).toBe(`${MARKER}\nof another bot`);
    expect(Object.keys(tokensIn(all.at(-1)?.body ?? '') ?? {})).toEqual([FILE]);
    expect(all.at(-1)?.body).toContain('create');
    expect(tokensIn(first)?.[FILE]).not.toBe(tokensIn(made.body())?.[FILE]);
  });

  it.each([
    ['a fork', 'stranger/pipelines', 'octocat'],
    ['a fork that was deleted', null, 'octocat'],
    ['Dependabot', REPOSITORY, 'dependabot[bot]'],
  ])('gives a pull request of %s the check only, and writes nothing', async (_, from, login) => {
    await using made = await setUp();
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent('opened', from, login))).toBe(0);
    expect(made.commands).toEqual([`check ${FILE}`]);
    expect(made.github.asked.every((one) => one.startsWith('GET '))).toBe(true);
  });

  it('refuses pull_request_target before it asks anything', async () => {
    await using made = await setUp();
    await expect(made.run('pull_request_target', pullEvent())).rejects.toMatchObject({ code: 'EVENT_UNFIT' });
    expect(made.github.asked).toEqual([]);
  });

  it('fails for a manifest that is wrong, plans nothing of it, and says so', async () => {
    await using made = await setUp({ [FILE]: { name: 'orders' } });
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent())).toBe(1);
    expect(made.commands).toEqual([`check ${FILE}`]);
    expect(made.body()).toContain('**not well**');
    expect(tokensIn(made.body())).toEqual({});
  });

  it('tells why a plan failed, in words and not in JSON', async () => {
    await using made = await setUp();
    const error = { code: 'NO_STACK', what: 'there is no stack', next: 'Deploy it.' };
    made.failedPlans.push({ code: 1, out: '', err: `Planning\n${JSON.stringify({ error })}\n` });
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent())).toBe(1);
    expect(made.logged).toEqual([
      `${FILE}: wrong`,
      'Planning\nerror NO_STACK  there is no stack\nnext   Deploy it.',
    ]);
  });

  it('fails for a manifest that has the name of another one, and plans nothing of it', async () => {
    await using made = await setUp({ [FILE]: inletManifest(), 'pipelines/copy.json': inletManifest() });
    made.github.files.set(PULL, [{ filename: 'pipelines/copy.json', status: 'added' }]);
    expect(await made.run('pull_request', pullEvent())).toBe(1);
    expect(made.commands).toEqual(['check pipelines/copy.json']);
    expect(made.body()).toContain('It has the name of pipelines/orders.json');
  });

  it('fails for a plan with a conflict, and gives it no token', async () => {
    await using made = await setUp();
    expect((await made.own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    const schema = { class: 'experienceevent', fieldGroups: ['identitymap'] };
    made.write(FILE, inletManifest({ schema, mapping: EVENT_MAPPING }));
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent())).toBe(1);
    expect(made.commands).toEqual([`check ${FILE}`, `plan ${FILE}`]);
    expect(made.body()).toContain('conflict');
    expect(tokensIn(made.body())).toEqual({});
  });

  it('writes nothing where no manifest is changed, and takes back what an older comment says', async () => {
    await using made = await setUp();
    made.github.files.set(PULL, [{ filename: 'pipelines/README.md', status: 'modified' }]);
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    expect(made.github.comments.get(PULL)).toBeUndefined();
    made.github.comments.set(PULL, [{ id: 1, body: `${MARKER}\nold`, user: BOT }]);
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    expect(made.body()).toContain('No manifest is changed.');
  });

  it('tells a deleted and a renamed manifest, and plans one whose samples alone are changed', async () => {
    await using made = await setUp({
      [FILE]: inletManifest(),
      'pipelines/new.json': inletManifest({ name: 'new' }),
    });
    made.github.files.set(PULL, [
      { filename: 'pipelines/gone.json', status: 'removed' },
      { filename: 'pipelines/new.json', status: 'renamed', previous_filename: 'pipelines/old.json' },
      { filename: 'pipelines/orders.samples.json', status: 'removed' },
    ]);
    await made.run('pull_request', pullEvent());
    expect(made.commands.filter((one) => one.startsWith('plan'))).toEqual([
      'plan pipelines/new.json',
      `plan ${FILE}`,
    ]);
    expect(made.body()).toContain('| <code>pipelines/gone.json</code> | deleted');
    expect(made.body()).toContain('<code>pipelines/new.json</code> (was <code>pipelines/old.json</code>)');
  });

  it('goes on after trouble of GitHub, and tells a refusal by its code', async () => {
    await using made = await setUp();
    made.github.files.set(PULL, [CHANGED]);
    made.github.failures.push(502, 429);
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    made.github.failures.push(403);
    await expect(made.run('pull_request', pullEvent())).rejects.toMatchObject({ code: 'GITHUB_REFUSED' });
  });

  // https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
  it.each([
    ['a time in seconds', { status: 403, headers: { 'retry-after': '17' } }, 17_000],
    ['nothing', { status: 429 }, 60_000],
    ['a moment', { status: 403, headers: LIMITED(100) }, 100_000],
    ['a moment that is past', { status: 429, headers: LIMITED(-9) }, 1_000],
  ])('where GitHub limits the rate it waits, by %s', async (_, refusal, wait) => {
    await using made = await setUp();
    made.github.files.set(PULL, [CHANGED]);
    made.github.failures.push(refusal);
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    expect(made.waits).toEqual([wait]);
    expect(made.github.comments.get(PULL)).toHaveLength(1);
  });

  it('fails where its token writes as somebody else, whose comment no merge would look for', async () => {
    await using made = await setUp();
    made.github.login = 'deploys[bot]';
    made.github.files.set(PULL, [CHANGED]);
    const failed = await made.run('pull_request', pullEvent()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'USAGE', next: expect.stringContaining('author: deploys[bot]') });
  });

  it('fails for a changed manifest that is not in the checkout, in a pull request and after the merge', async () => {
    await using made = await setUp({});
    made.github.files.set(PULL, [CHANGED]);
    expect(await made.run('pull_request', pullEvent())).toBe(1);
    expect(made.body()).toContain('no such file');
    made.github.between.set(`${BEFORE}...${MERGED}`, [CHANGED]);
    await expect(made.run('push', pushEvent())).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(made.commands).toEqual([]);
  });

  it('waits for no limit that lasts long, and says how long it does', async () => {
    await using made = await setUp();
    made.github.failures.push({ status: 403, headers: LIMITED(3_000) });
    const failed = await made.run('pull_request', pullEvent()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'GITHUB_REFUSED', next: expect.stringContaining('50 minutes') });
    expect(made.waits).toEqual([]);
  });

  it.each([
    ['was written all the same', { status: 502, isDone: true }],
    ['was not written', { status: 502 }],
    ['was refused for its rate', { status: 403, headers: { 'retry-after': '1' } }],
  ] as const)('writes one comment where the first %s', async (_, refusal) => {
    await using made = await setUp();
    made.github.files.set(PULL, [CHANGED]);
    made.github.onComment.push(refusal);
    expect(await made.run('pull_request', pullEvent())).toBe(0);
    expect(made.github.comments.get(PULL)).toHaveLength(1);
  });
});

it('sends its token to no other server, whatever a list links to', async () => {
  await using made = await setUp();
  await using other = await standIn();
  made.github.links.push(other.url);
  made.github.files.set(
    PULL,
    Array.from({ length: 101 }, () => CHANGED),
  );
  await expect(made.run('pull_request', pullEvent())).rejects.toMatchObject({ code: 'GITHUB_REFUSED' });
  expect(other.asked).toEqual([]);
});

describe('issue 15: the merge applies the plan of the pull request', () => {
  async function planned() {
    const made = await setUp();
    made.github.files.set(PULL, [CHANGED]);
    await made.run('pull_request', pullEvent());
    made.github.pulls.set(MERGED, [mergedPull]);
    made.github.between.set(`${BEFORE}...${MERGED}`, [CHANGED]);
    made.commands.length = 0;
    return made;
  }

  // A merge commit, a squash and a rebase look the same here: the pull request names the last commit.
  it('with its token', async () => {
    await using made = await planned();
    expect(await made.run('push', pushEvent())).toBe(0);
    expect(made.commands).toEqual([`apply ${FILE}`]);
    expect((await reportOf(made.own)).outcome).toBe('succeeded');
  });

  it.each([
    [
      'somebody has applied another manifest',
      (made: Awaited<ReturnType<typeof planned>>) =>
        made.own.run({ manifest: inletManifest({ mapping: MAPPING }) }),
    ],
    [
      'what is merged is not what was planned',
      (made: Awaited<ReturnType<typeof planned>>) => made.write(FILE, inletManifest({ mapping: MAPPING })),
    ],
  ])('and fails where the state has moved: %s', async (_, move) => {
    await using made = await planned();
    await move(made);
    made.own.mutations();
    expect(await made.run('push', pushEvent())).toBe(1);
    expect(made.own.mutations()).toEqual([]);
    expect(made.logged.join('\n')).toContain('PLAN_MOVED');
  });

  it.each([
    ['a direct push', pushEvent(), []],
    ['a force push', pushEvent({ forced: true }), [mergedPull]],
    ['a commit of a pull request that is not merged', pushEvent(), [{ ...mergedPull, merged_at: null }]],
  ])('applies nothing after %s', async (_, event, pulls) => {
    await using made = await planned();
    made.github.pulls.set(MERGED, pulls);
    await expect(made.run('push', event)).rejects.toMatchObject({ code: 'NO_PLAN' });
    expect(made.commands).toEqual([]);
  });

  it('applies nothing where a force push takes manifests back, which GitHub compares from the other end', async () => {
    await using made = await planned();
    made.github.between.set(`${BEFORE}...${MERGED}`, []);
    made.github.between.set(`${MERGED}...${BEFORE}`, [
      CHANGED,
      { filename: 'pipelines/later.json', status: 'added' },
    ]);
    await expect(made.run('push', pushEvent({ forced: true }))).rejects.toMatchObject({ code: 'NO_PLAN' });
    expect(made.logged.at(-1)).toContain('pipelines/later.json is deleted');
    expect(made.commands).toEqual([]);
  });

  it('applies nothing of a branch that was just made', async () => {
    await using made = await planned();
    made.github.pulls.clear();
    const first = pushEvent({ before: '0'.repeat(40), created: true });
    await expect(made.run('push', first)).rejects.toMatchObject({ code: 'NO_PLAN' });
    expect(made.commands).toEqual([]);
  });

  it('applies nothing of a push that holds more than the pull request, as of a merge queue', async () => {
    await using made = await planned();
    made.write('pipelines/shop.json', inletManifest({ name: 'shop' }));
    const more = { filename: 'pipelines/shop.json', status: 'added' };
    made.github.between.set(`${BEFORE}...${MERGED}`, [CHANGED, more]);
    await expect(made.run('push', pushEvent())).rejects.toMatchObject({ code: 'NO_PLAN' });
    expect(made.commands).toEqual([]);
  });

  it('in the production sandbox that the workflow names, and says so before the merge', async () => {
    await using made = await setUp({ [FILE]: inletManifest({ sandbox: 'prod' }) });
    made.github.files.set(PULL, [CHANGED]);
    for (const [named, code] of [
      [undefined, 1],
      ['dev1', 1],
      ['prod', 0],
    ] as const) {
      expect(await made.run('pull_request', pullEvent(), 'prod', named)).toBe(code);
      expect(Object.keys(tokensIn(made.body()) ?? {})).toEqual(code === 0 ? [FILE] : []);
      expect(made.body().includes('It is in the sandbox prod')).toBe(code === 1);
    }
    made.github.between.set(`${BEFORE}...${MERGED}`, [CHANGED]);
    made.github.pulls.set(MERGED, [
      {
        number: PULL,
        merged_at: '2026-11-29T10:00:00Z',
        merge_commit_sha: MERGED,
        base: { ref: 'main', repo: { full_name: REPOSITORY } },
      },
    ]);
    made.own.mutations();
    expect(await made.run('push', pushEvent())).toBe(1);
    expect(made.logged.at(-1)).toContain('error PRODUCTION  prod is a production sandbox');
    expect(made.own.mutations()).toEqual([]);
    expect(await made.run('push', pushEvent(), 'prod', 'prod')).toBe(0);
  });

  it('in the sandbox that is meant, and in no other', async () => {
    await using made = await planned();
    made.own.mutations();
    expect(await made.run('push', pushEvent(), 'prod', 'another')).toBe(1);
    expect(made.own.mutations()).toEqual([]);
    expect(await made.run('push', pushEvent(), 'prod', 'dev1')).toBe(0);
  });

  it('believes no token that somebody else has written', async () => {
    await using made = await planned();
    const body = made.body();
    made.github.comments.set(PULL, [{ id: 1, body, user: { login: 'octocat' } }]);
    await expect(made.run('push', pushEvent())).rejects.toMatchObject({ code: 'NO_PLAN' });
  });

  it('leaves a pipeline whose manifest is deleted, another branch, and a closed pull request', async () => {
    await using made = await planned();
    made.github.between.set(`${BEFORE}...${MERGED}`, [{ filename: FILE, status: 'removed' }]);
    made.remove(FILE);
    expect(await made.run('push', pushEvent())).toBe(0);
    expect(await made.run('push', pushEvent({ ref: 'refs/heads/orders' }))).toBe(0);
    expect(await made.run('pull_request', pullEvent('closed'))).toBe(0);
    expect(made.commands).toEqual([]);
  });
});

describe('issue 15: a merge queue', () => {
  const group = { action: 'checks_requested', merge_group: { base_sha: BEFORE, head_sha: MERGED } };

  it('gets the check of what its group changes, without a plan and without a comment', async () => {
    await using made = await setUp();
    made.github.between.set(`${BEFORE}...${MERGED}`, [CHANGED]);
    expect(await made.run('merge_group', group)).toBe(0);
    expect(made.commands).toEqual([`check ${FILE}`]);
    expect(made.github.asked.every((one) => one.startsWith('GET '))).toBe(true);
    made.write(FILE, inletManifest({ sandbox: 'A B' }));
    expect(await made.run('merge_group', group)).toBe(1);
    expect(made.logged.join('\n')).toContain('sandbox: expected');
  });

  it('refuses an event without a group', async () => {
    await using made = await setUp();
    await expect(made.run('merge_group', {})).rejects.toMatchObject({ code: 'EVENT_UNFIT' });
  });
});

describe('issue 15: the comment', () => {
  const outcome = (more: Partial<Outcome> = {}): Outcome => ({
    file: FILE,
    state: 'changes',
    text: 'x',
    ...more,
  });

  it('is never too long for GitHub, keeps all tokens, and shows first what is wrong', () => {
    const many = Array.from({ length: 100 }, (_, number) =>
      outcome({ file: `pipelines/p${number}.json`, token: `p1.${'t'.repeat(200)}`, text: '<|>'.repeat(900) }),
    );
    const body = commentOf([...many, outcome({ state: 'wrong', text: 'broken here' })], HEAD);
    expect(body.length).toBeLessThanOrEqual(MAX_COMMENT);
    expect(Object.keys(tokensIn(body) ?? {})).toHaveLength(100);
    expect(body).toContain('broken here');
    expect(body).toContain('Not everything fits');
    const long = `first line\n${'a line of a plan\n'.repeat(9_000)}`;
    const cut = commentOf([outcome({ text: long })], HEAD);
    expect(cut.length).toBeGreaterThan(MAX_COMMENT - 300);
    expect(cut).toMatch(/<pre>\nfirst line\n[\s\S]*a line of a plan\n<\/pre>\n<\/details>\n\nNot everything/);
    const far = many.map((one) => ({ ...one, token: 't'.repeat(900) }));
    expect(() => commentOf(far, HEAD)).toThrow(expect.objectContaining({ code: 'TOO_MANY_FILES' }));
  });

  it('shows what others wrote as text: no mention, no link, no end of the hidden part', () => {
    const file = 'pipelines/-->@team|[x](http:é).json';
    const body = commentOf([outcome({ file, token: 'p1.a--b', text: '</pre> @team ![x](http://x)' })], HEAD);
    expect(tokensIn(body)).toEqual({ [file]: 'p1.a--b' });
    expect(body).not.toMatch(/@team|\]\(|<\/pre> /);
    // GitHub reads `&#64;` as `@` and then looks for mentions, but not within an element for code.
    for (const name of body.match(/pipelines\/.*?json/g)?.slice(1) ?? [])
      expect(body).toContain(`<code>${name}</code>`);
    expect(body.split('\n')[1]?.indexOf('-->')).toBe((body.split('\n')[1]?.length ?? 0) - 3);
  });
});

it.each([
  ['a\n\n# title', 'a\\u{a}\\u{a}&#35; title'],
  ['\u202egnp.js', '\\u{202e}gnp.js'],
  ['\u0000\u001b[31m', '\\u{0}\\u{1b}&#91;31m'],
  ['\ud800', '\\u{d800}'],
  ['größe 注文', 'größe 注文'],
])('of a file name, what is not seen is shown: %j', (name, shown) => {
  const file = `pipelines/${name}.json`;
  const body = commentOf([{ file, state: 'gone', text: '' }], HEAD).replaceAll('&#92;', '\\');
  expect(body).toContain(`| <code>pipelines/${shown}.json</code> |`);
});

describe('the input folder', () => {
  it.each([
    ['pipelines', 'pipelines'],
    ['./pipelines/', 'pipelines'],
    [' a//b/../c/ ', 'a/c'],
  ])('%j is %j', (given, folder) => {
    expect(folderOf(given)).toBe(folder);
  });

  it.each(['.', '', './', '/pipelines', '..', '../other', 'a/../..'])('%j is refused', (given) => {
    expect(() => folderOf(given)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('a text in the log of a job is no command to the runner', () => {
  // Each is one: src/Runner.Common/ActionCommand.cs of actions/runner.
  it.each([
    '::error::x',
    ' \t::error::x',
    '\u0085::error::x',
    'a\r::error::x',
    'a\n\n ::error::x',
    'a ##[error]x',
  ])('%j', (text) => {
    const lines = withoutCommands(text).split(/\r\n|\r|\n/);
    for (const line of lines) expect(line).not.toMatch(/^[\s\u0085]*::|##\[/);
  });

  it('and what is none stays', () => {
    const text = 'arn:aws:states:::aws-sdk\n: ::x\n# ##';
    expect(withoutCommands(text)).toBe(text);
  });
});

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Record<string, unknown>;
  readonly env?: Record<string, string>;
}

describe('the workflow of docs/pull-requests.md', () => {
  const page = readFileSync(new URL('docs/pull-requests.md', ROOT), 'utf8');
  const workflow = parse(/```yaml\n(name: Pipelines[\s\S]*?)```/.exec(page)?.[1] ?? '') as {
    on: object;
    permissions: object;
    concurrency: object;
  };

  // https://github.blog/changelog/2026-05-07-github-actions-concurrency-groups-now-allow-larger-queues
  it('drops no merge that waits for the one before it', () => {
    expect(workflow.concurrency).toEqual({ group: expect.stringContaining('github.ref'), queue: 'max' });
  });

  it('runs on what the action runs on, with what it needs', () => {
    expect(Object.keys(workflow.on)).toEqual(['pull_request', 'push']);
    expect(workflow.permissions).toEqual({
      contents: 'read',
      'pull-requests': 'write',
      'id-token': 'write',
    });
  });
});

describe('issue 15: action.yml', () => {
  const text = readFileSync(new URL('action.yml', ROOT), 'utf8');
  const { runs } = parse(text) as {
    runs: { using: string; steps: Step[] };
  };

  it('is composite, and puts no text of an event into a command', () => {
    expect(runs.using).toBe('composite');
    expect(runs.steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  });

  it('pins what others wrote to a commit, and shares no cache with other workflows', () => {
    const others = runs.steps.filter(({ uses }) => uses !== undefined);
    expect(others.length).toBeGreaterThan(0);
    for (const { uses, with: given } of others) {
      expect(uses).toMatch(/@[0-9a-f]{40}$/);
      expect(given).toMatchObject({ 'package-manager-cache': false });
    }
  });

  it('sets every variable of its own that the script reads', () => {
    const script = readFileSync(new URL('cli/action/start.ts', ROOT), 'utf8');
    const read = new Set([...script.matchAll(/'(PENSTOCK_\w+)'/g)].map(([, name]) => name));
    const set = Object.keys(runs.steps.at(-1)?.env ?? {});
    expect([...read].filter((name) => !set.includes(name ?? ''))).toEqual([]);
  });
});
