// Text for a job's log in which GitHub's runner finds no command, whoever wrote it.

/**
 * A line that begins with `::` is a command, blanks before it apart; `##[` is one wherever it stands.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function withoutCommands(text: string): string {
  // The runner takes U+0085 for a blank, and JavaScript does not.
  return text.replace(/^([\s\u0085]*)::/gm, '$1: :').replace(/##\[/g, '## [');
}
