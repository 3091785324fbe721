// What became of a manifest, of a stream's manifests or of a folder, in lines for people.
import { lintLine } from '../../lib/lint/fix.ts';
import type { Output } from '../../terminal/output.ts';
import type { Outcome } from './check-files.ts';

export function showOutcome(output: Pick<Output, 'line' | 'colours'>, outcome: Outcome): void {
  const { mistakes, warnings, lints, mended, details } = outcome;
  const { green, yellow } = output.colours;
  output.line(headOf(outcome, output.colours));
  for (const mistake of mistakes) output.line(`  ${mistake}`);
  for (const warning of warnings) output.line(`  ${yellow('warning')}: ${warning}`);
  for (const lint of lints) output.line(`  ${yellow('lint')}: ${lintLine(lint)}`);
  for (const { at, does } of mended) output.line(`  ${green('mended')}: ${at}: ${does}`);
  for (const detail of details) output.line(detail);
}

function headOf(
  { about, exitCode, subject, summary }: Outcome,
  { green, red, dim }: Output['colours'],
): string {
  if (exitCode !== 0) return `${red('not ok')}  ${subject}`;
  if (about === 'none') return `${dim('none  ')}  ${subject}: there is no manifest in it`;
  // It begins with a word of its own.
  if (about === 'routes') return subject;
  return `${green('ok    ')}  ${subject}: ${summary}`;
}
