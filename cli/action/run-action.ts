// The action: checks and plans in a pull request, and applies what was planned after the merge.
import { globSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Report } from '../../lib/pipeline.ts';
import { createOutput } from '../../terminal/create-output.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { conflictsIn, showPlan } from '../../terminal/report.ts';
import { type Change, changedManifests } from './changes.ts';
import { commentOf, type Outcome, tokensIn } from './comment.ts';
import { type Job, jobOf } from './event.ts';
import type { GitHub } from './github.ts';

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
  /** The one that is meant: the functions refuse another. */
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
type Push = Extract<Job, { kind: 'push' }>;

/** @returns the exit code: 0 well, 1 not */
export async function runAction(action: Action): Promise<0 | 1> {
  const job = jobOf(action.eventName, action.event);
  if (job.kind === 'pull') return inPull(action, job);
  if (job.kind === 'push') return afterMerge(action, job);
  action.log(`Nothing to do: ${job.why}.`);
  return 0;
}

async function inPull(action: Action, job: Pull): Promise<0 | 1> {
  const { github, log, stage } = action;
  const changes = manifestsOf(action, await github.filesOf(job.number));
  const isPlanned = job.isTrusted && stage !== undefined;
  const outcomes: Outcome[] = [];
  for (const change of changes) {
    const outcome = await outcomeOf(action, change, isPlanned);
    log(`${outcome.file}: ${outcome.state}`);
    if (outcome.text !== '') log(outcome.text);
    outcomes.push(outcome);
  }
  // The token of a fork's job only reads.
  if (job.isTrusted) await keepComment(action, job, outcomes);
  else log('A pull request from outside: checked, and neither planned nor commented.');
  return outcomes.some(({ state }) => state === 'wrong') ? 1 : 0;
}

function manifestsOf({ folder, workspace }: Action, files: Parameters<typeof changedManifests>[0]) {
  const present = globSync('*.json', { cwd: `${workspace}/${folder}` })
    .filter((name) => !/\.(samples|records)\.json$/.test(name))
    .map((name) => `${folder}/${name}`);
  return changedManifests(files, folder, present);
}

async function outcomeOf(action: Action, change: Change, isPlanned: boolean): Promise<Outcome> {
  const { file, isGone, before } = change;
  const own = { file, ...(before !== undefined && { before }) };
  if (isGone) return { ...own, state: 'gone', text: '' };
  const checked = await action.penstock(['check', file]);
  if (checked.code !== 0) return { ...own, state: 'wrong', text: checked.out + checked.err };
  if (!isPlanned) return { ...own, state: 'checked', text: checked.out };
  const planned = await action.penstock(['plan', file, '--json', ...targetOf(action)]);
  // 0 nothing to do, 2 changes; anything else is an error.
  if (planned.code !== 0 && planned.code !== 2)
    return { ...own, state: 'wrong', text: planned.out + planned.err };
  const report = JSON.parse(planned.out) as Report;
  const text = await planText(report);
  // Nobody can apply it, so it gets no token.
  if (conflictsIn(report).length > 0) return { ...own, state: 'wrong', text };
  const { token } = report;
  const state = planned.code === 0 ? 'nothing' : 'changes';
  return { ...own, state, text, ...(token !== undefined && { token }) };
}

/** What a comment shows without scrolling. */
const COMMENT_COLUMNS = 100;

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

/** One comment: the oldest of this author is changed; a pull request without manifests gets none. */
async function keepComment({ github, author }: Action, { number, head }: Pull, outcomes: readonly Outcome[]) {
  const body = commentOf(outcomes, head);
  const own = await ownComments(github, number, author);
  for (const { id } of own) if (await github.changeComment(id, body)) return;
  if (outcomes.length > 0) await github.writeComment(number, body);
}

async function ownComments(github: GitHub, pull: number, author: string) {
  const comments = await github.commentsOf(pull);
  return comments.filter(({ user, body = '' }) => user?.login === author && tokensIn(body) !== undefined);
}

async function afterMerge(action: Action, push: Push): Promise<0 | 1> {
  const { github, log, stage } = action;
  // Of the whole push: it may hold more than the pull request that ends it.
  const changes = manifestsOf(action, await github.filesBetween(push.before, push.after));
  for (const { file, isGone } of changes)
    if (isGone) log(`${file} is deleted: its pipeline stays until somebody runs penstock retire.`);
  const toApply = changes.filter(({ isGone }) => !isGone).map(({ file }) => file);
  if (toApply.length === 0) {
    log('No manifest is changed.');
    return 0;
  }
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
