// docs/cli.md, made from the table of words.
import type { Command } from './words.ts';

const HEAD = `# The command line

\`penstock\` is a hand for what the functions and the state machine do. From a clone: \`node bin/penstock.js\`. From the package: \`npx penstock\`.
It needs Node 24. Under Node 18 or later it goes on with the Node 24 that the package brings for Linux, or says what to install.

Without \`--stage\` it asks the simulated platform on this machine. That is the running \`penstock dev\` of this folder. Where none runs, \`plan\` and \`apply\` start one, which ends with the command.
With \`--stage prod\` it asks the deployed stack, with AWS credentials as the SDK finds them. [deploy.md](deploy.md) has the policies for people.
It first asks which version the stack is of. On a stack of another version nothing is changed (\`OTHER_VERSION\`), and what only reads says so once. [upgrade.md](upgrade.md) has the steps.

Answers go to standard output, and progress, questions and errors to standard error. An error has a code, its cause, and the next command.
With \`--json\`, standard output is one document: the answer, or \`{"error": {"code", "what", "next"}}\` where there is none. \`logs\` alone prints each line as it is.
Colours are for terminals; \`NO_COLOR\` turns them off. No table is wider than the terminal.

| Exit code | Meaning |
| --- | --- |
| 0 | done, or nothing to do |
| 1 | an error, or something is wrong |
| 2 | of \`plan\`, \`drift\` and \`doctor\`: there are changes, or it is not well |
| 130 | interrupted by Ctrl-C; what it had started goes on, and it says how to look again |
`;

export function pageOf(commands: readonly Command[]): string {
  return [HEAD, listOf(commands), ...commands.map(sectionOf)].join('\n');
}

function listOf(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => `| [\`${name}\`](#penstock-${name}) | ${cell(summary)} |`);
  return ['| Command | |', '| --- | --- |', ...rows, ''].join('\n');
}

function sectionOf(command: Command): string {
  const { name, summary, about = [], options = [], examples = [] } = command;
  const shape = (command.arguments ?? []).map((one) => {
    const word = `${one.name}${one.isMany ? '…' : ''}`;
    return one.isOptional ? `[${word}]` : word;
  });
  const rows = [
    ...(command.arguments ?? []).map((one) => `| \`${one.name}\` | ${cell(one.summary)} |`),
    ...options.map((one) => {
      const value = one.value === undefined ? '' : ` ${one.value}`;
      const short = one.short === undefined ? '' : `\`-${one.short}\`, `;
      return `| ${short}\`--${one.name}${value}\` | ${cell(one.summary)}${one.isMany ? '; can be given more than once' : ''} |`;
    }),
  ];
  return [
    `## penstock ${name}`,
    '',
    `\`penstock ${[name, ...shape, ...(options.length > 0 ? ['[options]'] : [])].join(' ')}\` ${summary}.`,
    '',
    ...about.flatMap((one) => [one, '']),
    ...(rows.length === 0 ? [] : ['| Word | |', '| --- | --- |', ...rows, '']),
    ...(examples.length === 0 ? [] : ['```text', ...examples, '```', '']),
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
