// A plan and a run report as a table, with what has to be known besides.
import type { Ask } from '../lib/ask.ts';
import type { Report } from '../lib/pipeline.ts';
import type { Output } from './output.ts';
import { plainText } from './plain-text.ts';

export type Entry = Report['resources'][number];

const PLANNED: Readonly<Record<string, string>> = {
  keep: 'no change',
  create: 'create',
  adopt: 'adopt in place',
  update: 'change in place',
  replace: 'replace',
  remove: 'remove',
  conflict: 'conflict',
};

/** What the plan would do, in words. */
export function plannedWord(planned: string): string {
  return PLANNED[planned] ?? planned;
}

/** What is to be done, from a stack that says so or from what is listed. */
export function isToDo({ toDo, resources }: Report): boolean {
  return toDo ?? resources.some(({ planned }) => planned !== 'keep' && planned !== 'none');
}

export function conflictsIn({ resources }: Report): readonly Entry[] {
  return resources.filter(({ planned }) => planned === 'conflict');
}

/** The plan as a table; its token is the last line. */
export async function showPlan(output: Output, report: Report): Promise<void> {
  const { colours } = output;
  const coloured = (planned: string) => {
    const word = plannedWord(planned);
    if (planned === 'conflict' || planned === 'remove') return colours.red(word);
    if (planned === 'replace') return colours.yellow(word);
    return planned === 'keep' ? colours.dim(word) : colours.green(word);
  };
  output.line(colours.bold(`Plan of ${report.pipeline}${sandboxOf(report)}`));
  output.line();
  await output.table(
    ['Resource', 'Plan', 'Name', 'Why'],
    listedIn(report).map((entry) => [entry.resource, coloured(entry.planned), entry.name, whyOf(entry)]),
  );
  showRest(output, report);
  for (const { resource, id } of report.old ?? [])
    output.line(`${colours.red('removed at the end')}: ${resource} ${id}`);
  output.line(
    isToDo(report) ? report.summary : 'Nothing to do: Experience Platform is as the manifest says.',
  );
  if (report.token !== undefined) output.whole(`Token: ${report.token}`);
}

interface ShowingRun {
  readonly isError?: boolean;
  /** How whoever reads it asks what the report advises. */
  commandFor?(ask: Ask): string | undefined;
}

/** What became of each resource. Where an error follows, it tells the cause and what is next. */
export async function showRun(
  output: Output,
  report: Report,
  { isError = false, commandFor }: ShowingRun = {},
): Promise<void> {
  const { colours } = output;
  const calls = report.steps.reduce((sum, one) => sum + one.calls, 0);
  const changes = report.steps.reduce((sum, one) => sum + one.changes.length, 0);
  output.line(colours.bold(`Run report of ${report.pipeline}: ${report.outcome}`));
  output.line();
  const rows = listedIn(report).map((entry) => [entry.resource, deedOf(entry), namesOf(entry), whyOf(entry)]);
  if (rows.length > 0) await output.table(['Resource', 'Done', 'Name and id', 'Why'], rows);
  showRest(output, report);
  if (report.verified.length > 0) output.line(`Verified: ${report.verified.join(', ')}`);
  if (!isError) output.line(saidOf(report));
  const seconds = (report.durationMs / 1_000).toFixed(1);
  output.line(
    `Execution ${report.execution.name}: ${seconds} s, ${calls} calls of Experience Platform, ${changes} of them changes`,
  );
  if (isError) return;
  const commands = commandsOf(report, commandFor);
  for (const one of commands) output.whole(`${colours.cyan('next')}  ${one}`);
  if (commands.length > 0) return;
  for (const one of report.next) output.line(`${colours.cyan('next')}  ${one}`);
}

/** The summary of a failure has its cause with all that stands beside it here. */
function saidOf({ pipeline, summary, failure, next }: Report): string {
  if (failure === undefined) return summary;
  const { code, cause } = failure;
  return `${pipeline}: ${code === undefined ? '' : `${code}: `}${plainText(cause, code, next[0])}`;
}

/** Where there is one for all that the report advises. Each is copied, so it stays one line. */
function commandsOf({ ask = [] }: Report, commandFor: ShowingRun['commandFor']): readonly string[] {
  const commands = ask.map((one) => ({ to: one.to, command: commandFor?.(one) }));
  if (commands.some(({ command }) => command === undefined)) return [];
  return commands.map(({ to, command }) => `to ${to}: ${command}`);
}

function sandboxOf({ sandbox }: Report): string {
  if (sandbox === undefined) return '';
  return ` in the sandbox ${sandbox.name}${sandbox.type === undefined ? '' : ` (${sandbox.type})`}`;
}

/** What the plan or the run is about. */
export function listedIn({ resources }: Report): readonly Entry[] {
  return resources.filter(({ planned }) => planned !== 'none');
}

/** What is created for a replacement replaces; what was only planned is not done. */
export function deedOf({ planned, done }: Entry): string {
  if (done === 'planned') return planned;
  return planned === 'replace' && done === 'created' ? 'replaced' : done;
}

function namesOf({ name, id }: Entry): string {
  return id === undefined || id === name ? name : `${name}\n${id}`;
}

/** Why, with each difference in a line of its own, and what cannot be undone. */
export function whyOf({ why, differences = [], irreversible, readTwice }: Entry): string {
  return [
    why,
    ...differences.map(({ field, found, wanted }) => `${field}: ${found} → ${wanted}`),
    ...(irreversible === undefined ? [] : [`irreversible: ${irreversible}`]),
    ...(readTwice ? ['read twice: see the warnings'] : []),
  ].join('\n');
}

function showRest(output: Output, { warnings }: Report): void {
  output.line();
  for (const warning of warnings) output.line(`${output.colours.yellow('warning')}: ${warning}`);
}
