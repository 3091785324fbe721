// The action: checks and plans in a pull request, and applies what was planned after the merge.
import { readdirSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Report } from '../../lib/pipeline.ts';
import { createOutput } from '../../terminal/create-output.ts';
import { MistakeError, type Told } from '../../terminal/mistake.ts';
import { conflictsIn, showPlan } from '../../terminal/report.ts';
import { isManifestName } from '../manifest-names.ts';
import { type Change, changedManifests, reversed } from './changes.ts';
import { commentOf, type Outcome, tokensIn } from './comment.ts';
import { type Job, jobOf } from './event.ts';
import { type ChangedFile, type GitHub, GitHubError } from './github.ts';

/** How a command of `penstock` has ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Action {
  readonly eventName: string;
  readonly event: unknown;
  readonly stage: string | undefined;
  readonly region: string | undefined;
  /** The one that is meant: no other is taken. */
  readonly sandbox: string | undefined;
  readonly folder: string;
  /** Who writes the comment. */
  readonly author: string;
  /** The top of the repository. */
  readonly workspace: string;
  readonly github: GitHub;
  /** Runs a command in the workspace. */
  penstock(args: readonly string[]): Promise<Ended>;
  /** A line of the job's log. */
  log(line: string): void;
}

type Pull = Extract<Job, { kind: 'pull' }>;
type Group = Extract<Job, { kind: 'group' }>;
type Push = Extract<Job, { kind: 'push' }>;

/** @returns the exit code: 0 well, 1 not */
export async function runAction(action: Action): Promise<0 | 1> {
  const job = jobOf(action.eventName, action.event);
  if (job.kind === 'pull') return inPull(action, job);
  if (job.kind === 'group') return inQueue(action, job);
  if (job.kind === 'push') return afterMerge(action, job);
  action.log(`Nothing to do: ${job.why}.`);
  return 0;
}

async function inPull(action: Action, job: Pull): Promise<0 | 1> {
  const { github, log, stage } = action;
  const changes = manifestsOf(action, await github.filesOf(job.number));
  const outcomes = await outcomesOf(action, changes, job.isTrusted && stage !== undefined);
  // The token of a fork's job only reads.
  if (job.isTrusted) await keepComment(action, job, outcomes);
  else log('A pull request from outside: checked, and neither planned nor commented.');
  return exitCodeOf(outcomes);
}

/** Checks alone: what the queue puts together may be a fork's, and nobody looks at a plan of it. */
async function inQueue(action: Action, { before, after }: Group): Promise<0 | 1> {
  const changes = manifestsOf(action, await action.github.filesBetween(before, after));
  return exitCodeOf(await outcomesOf(action, changes, false));
}

async function outcomesOf(
  action: Action,
  changes: readonly Change[],
  isPlanned: boolean,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const change of changes) {
    const outcome = await outcomeOf(action, change, isPlanned);
    action.log(`${outcome.file}: ${outcome.state}`);
    if (outcome.text !== '') action.log(outcome.text);
    outcomes.push(outcome);
  }
  return outcomes;
}

function exitCodeOf(outcomes: readonly Outcome[]): 0 | 1 {
  return outcomes.some(({ state }) => state === 'wrong') ? 1 : 0;
}

function manifestsOf(action: Action, files: readonly ChangedFile[]): readonly Change[] {
  return changedManifests(files, action.folder, manifestsIn(action));
}

/** From the top of the repository; none where the folder is not there. */
function manifestsIn({ folder, workspace }: Action): readonly string[] {
  try {
    const names = readdirSync(`${workspace}/${folder}`).filter(isManifestName);
    return names.map((name) => `${folder}/${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const NOT_CHECKED_OUT = 'GitHub lists it as changed, and the checkout has no such file';
const CHECK_OUT =
  'Run actions/checkout before, without a path. If somebody has pushed meanwhile, the next run says more.';

async function outcomeOf(action: Action, change: Change, isPlanned: boolean): Promise<Outcome> {
  const { file, isGone, isMissing, before } = change;
  const own = { file, ...(before !== undefined && { before }) };
  if (isGone) return { ...own, state: 'gone', text: '' };
  if (isMissing) return { ...own, state: 'wrong', text: `${NOT_CHECKED_OUT}. ${CHECK_OUT}` };
  const checked = await action.penstock(['check', file]);
  if (checked.code !== 0) return { ...own, state: 'wrong', text: checked.out + checked.err };
  const like = namesakeOf(action, file);
  if (like !== undefined)
    return { ...own, state: 'wrong', text: `It has the name of ${like}: two manifests are two pipelines.` };
  if (!isPlanned) return { ...own, state: 'checked', text: checked.out };
  const planned = await action.penstock(['plan', file, '--json', ...targetOf(action)]);
  // 0 nothing to do, 2 changes; anything else is an error.
  if (planned.code !== 0 && planned.code !== 2)
    return { ...own, state: 'wrong', text: planned.out + toldIn(planned.err) };
  const report = JSON.parse(planned.out) as Report;
  const text = await planText(report);
  // Nobody can apply it, so it gets no token.
  if (conflictsIn(report).length > 0) return { ...own, state: 'wrong', text };
  const refused = sandboxRefused(action, report);
  if (refused !== undefined) return { ...own, state: 'wrong', text: `${refused}\n\n${text}` };
  const { token } = report;
  const state = planned.code === 0 ? 'nothing' : 'changes';
  return { ...own, state, text, ...(token !== undefined && { token }) };
}

/** Why `apply` would refuse the sandbox after the merge: it needs the name of one that is not for development. */
function sandboxRefused({ sandbox: named }: Action, { sandbox }: Report): string | undefined {
  if (sandbox === undefined || named === sandbox.name) return undefined;
  const { name, type = 'type not told' } = sandbox;
  if (named !== undefined)
    return `It is in the sandbox ${name}, and the input sandbox of the action names ${named}.`;
  if (type === 'development') return undefined;
  return `It is in the sandbox ${name} (${type}). The merge is applied only if the action gets the input sandbox: ${name}`;
}

/** What a comment shows without scrolling. */
const COMMENT_COLUMNS = 100;

/** With `--json` an error is the last line, as JSON: people get it as the command line tells it otherwise. */
function toldIn(err: string): string {
  const lines = err.trimEnd().split('\n');
  try {
    const { error } = JSON.parse(lines.pop() ?? '') as { error: Told };
    const next = error.next === undefined ? [] : [`next   ${error.next}`];
    return [...lines, `error ${error.code}  ${error.what}`, ...next].join('\n');
  } catch {
    return err;
  }
}

/** Another manifest of the folder that has the same name: the plan would be that of the other one's pipeline. */
function namesakeOf(action: Action, file: string): string | undefined {
  const nameOf = (one: string) => pipelineNameIn(readFileSync(`${action.workspace}/${one}`, 'utf8'));
  const name = nameOf(file);
  return manifestsIn(action).find((one) => one !== file && name !== undefined && nameOf(one) === name);
}

/** `undefined` where it is no manifest: its own check says so. */
function pipelineNameIn(text: string): unknown {
  try {
    return (JSON.parse(text.replace(/^\uFEFF/, '')) as { name?: unknown } | null)?.name;
  } catch {
    return undefined;
  }
}

/** The plan as the command line shows it. */
async function planText(report: Report): Promise<string> {
  let text = '';
  const writable = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const stream = Object.assign(writable, { columns: COMMENT_COLUMNS }) as unknown as NodeJS.WriteStream;
  const output = createOutput({
    isJson: false,
    stdout: stream,
    stderr: stream,
    stdin: {} as NodeJS.ReadStream,
    env: {},
  });
  await showPlan(output, report);
  return text;
}

function targetOf({ stage = '', region }: Action): string[] {
  return ['--stage', stage, ...(region === undefined ? [] : ['--region', region])];
}

/**
 * One comment: the oldest of this author is changed; a pull request without manifests gets none.
 * @throws MistakeError where the token writes as somebody else: nobody would find the comment again
 */
async function keepComment(
  action: Action,
  { number, head }: Pull,
  outcomes: readonly Outcome[],
): Promise<void> {
  const { github, author } = action;
  const body = commentOf(outcomes, head);
  for (let tries = 1; ; tries++) {
    const own = await ownComments(github, number, author);
    for (const { id } of own) if (await github.changeComment(id, body)) return;
    if (outcomes.length === 0) return;
    try {
      const writer = await github.writeComment(number, body);
      if (writer === undefined || writer === author) return;
      throw new MistakeError(
        'USAGE',
        `the comment was written by ${writer}, and ${author} is named as its author`,
        `Give the action the input author: ${writer}. The merge looks for nobody else's comment.`,
      );
    } catch (error) {
      // It may stand there although the answer was lost: then the next look finds it.
      if (error instanceof MistakeError && !(error instanceof GitHubError && error.status >= 500))
        throw error;
      if (tries === WRITES) throw error;
    }
  }
}

const WRITES = 3;

async function ownComments(github: GitHub, pull: number, author: string) {
  const comments = await github.commentsOf(pull);
  return comments.filter(({ user, body = '' }) => user?.login === author && tokensIn(body) !== undefined);
}

async function afterMerge(action: Action, push: Push): Promise<0 | 1> {
  const { github, log, stage } = action;
  const changes = manifestsOf(action, await filesOfPush(action, push));
  for (const { file, isGone } of changes)
    if (isGone) log(`${file} is deleted: its pipeline stays until somebody runs penstock retire.`);
  const there = changes.filter(({ isGone }) => !isGone);
  const toApply = there.map(({ file }) => file);
  if (toApply.length === 0) {
    log('No manifest is changed.');
    return 0;
  }
  const missing = there.find(({ isMissing }) => isMissing);
  if (missing !== undefined)
    throw new MistakeError('FILE_UNREADABLE', `${missing.file}: ${NOT_CHECKED_OUT}`, CHECK_OUT);
  if (stage === undefined) {
    log('No stage is named: nothing is applied.');
    return 0;
  }
  const merged = push.isForced ? undefined : await pullMergedBy(github, push);
  const tokens = merged === undefined ? {} : await tokensOf(action, merged.number);
  const unplanned = toApply.filter((file) => !Object.hasOwn(tokens, file));
  if (unplanned.length > 0)
    throw new MistakeError(
      'NO_PLAN',
      `nobody has looked at a plan of ${unplanned.join(', ')}: nothing is applied`,
      'Change manifests by a pull request, or run: penstock apply FILE',
    );
  let isWell = true;
  for (const file of toApply) {
    const applied = await action.penstock([
      'apply',
      file,
      '--token',
      tokens[file] ?? '',
      ...(action.sandbox === undefined ? [] : ['--sandbox', action.sandbox]),
      ...targetOf(action),
    ]);
    log(`${file}: ${applied.code === 0 ? 'applied' : 'not applied'}\n${applied.out}${applied.err}`);
    isWell &&= applied.code === 0;
  }
  return isWell ? 0 : 1;
}

/** Of the whole push: it may hold more than the pull request that ends it. */
async function filesOfPush(
  action: Action,
  { before, after, isForced }: Push,
): Promise<readonly ChangedFile[]> {
  const { github } = action;
  if (/^0+$/.test(before))
    return manifestsIn(action).map((filename): ChangedFile => ({ filename, status: 'added' }));
  const files = await github.filesBetween(before, after);
  // GitHub compares from the common ancestor: what a force push takes back is on the other side of it.
  return isForced ? [...files, ...reversed(await github.filesBetween(after, before))] : files;
}

/** The pull request whose merge this push is, by a merge commit, squashed or rebased. */
async function pullMergedBy(github: GitHub, { after, branch }: Push) {
  const pulls = await github.pullsOf(after);
  return pulls.find(
    ({ merged_at: mergedAt, merge_commit_sha: sha, base }) =>
      mergedAt !== null && sha === after && base.ref === branch,
  );
}

async function tokensOf({ github, author }: Action, pull: number): Promise<Readonly<Record<string, string>>> {
  const [own] = await ownComments(github, pull, author);
  return tokensIn(own?.body ?? '') ?? {};
}
