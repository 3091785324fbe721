// Completions for bash, zsh and fish, made from the table of words.
import type { Argument, Command, Offers, Option } from './words.ts';

type Script = (commands: readonly Command[]) => string;

export const SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', Script>> = { bash, zsh, fish };

const HELP: Option = { name: 'help', short: 'h', summary: 'shows the words of the command' };

/** What stands in place of a command's name, beside the commands. */
const TOP = [
  { name: 'help', summary: 'shows the words of a command' },
  { name: '--help', summary: 'shows all commands' },
  { name: '--version', summary: 'prints the version' },
] as const;

const optionsOf = ({ options = [] }: Command) => [...options, HELP];

/** In single quotes of a shell. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function bash(commands: readonly Command[]): string {
  return `# bash completion for penstock: source <(penstock completions bash)
_penstock() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted([...commands, ...TOP].map(({ name }) => name).join(' '))} -- "$current"))
    return
  fi
  case "$command $before" in
${commands.flatMap((command) => (command.options ?? []).flatMap((option) => bashValue(command, option))).join('\n')}
  esac
  case "$command" in
${commands.map(bashWords).join('\n')}
    help) COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$current")) ;;
  esac
}
complete -F _penstock penstock
`;
}

function bashValue({ name }: Command, option: Option): string[] {
  if (option.value === undefined) return [];
  return [`    ${quoted(`${name} --${option.name}`)}) ${bashOffer(option.offers)} return ;;`];
}

function bashOffer(offers: Offers | undefined): string {
  if (offers === undefined) return '';
  if (typeof offers !== 'string')
    return `COMPREPLY=($(compgen -W ${quoted(offers.join(' '))} -- "$current"));`;
  return `COMPREPLY=($(compgen ${offers === 'folders' ? '-d' : '-f'} -- "$current")); compopt -o filenames 2>/dev/null;`;
}

function bashWords(command: Command): string {
  const words = optionsOf(command).map(({ name }) => `--${name}`);
  const offers = command.arguments?.find((one) => one.offers !== undefined)?.offers;
  const others = offers === undefined ? ':' : bashOffer(offers).replace(/;$/, '');
  return `    ${command.name}) if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current")); else ${others}; fi ;;`;
}

function zsh(commands: readonly Command[]): string {
  return `#compdef penstock
_penstock() {
  local -a commands
  commands=(
${[...commands, ...TOP].map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case "$command" in
    help) _arguments ${quoted(`1:COMMAND:(${commands.map(({ name }) => name).join(' ')})`)} ;;
${commands.map((command) => `    ${command.name}) _arguments ${zshSpecs(command).map(quoted).join(' ')} ;;`).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_penstock" ]; then _penstock "$@"; else compdef _penstock penstock; fi
`;
}

function zshSpecs(command: Command): string[] {
  const safe = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
  const options = optionsOf(command).flatMap(({ name, short, value, summary, isMany, offers }) => {
    const end = value === undefined ? '' : `:${value}:${zshOffer(offers)}`;
    const forms = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
    return forms.map((form) => `${isMany ? '*' : ''}${form}[${safe(summary)}]${end}`);
  });
  const others = (command.arguments ?? []).map(
    ({ name, isMany, offers }: Argument, at) => `${isMany ? '*' : at + 1}:${name}:${zshOffer(offers)}`,
  );
  return [...options, ...others];
}

function zshOffer(offers: Offers | undefined): string {
  if (offers === undefined) return ' ';
  if (typeof offers !== 'string') return `(${offers.join(' ')})`;
  return offers === 'folders' ? '_files -/' : '_files';
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary } = command;
    const when = quoted(`__fish_seen_subcommand_from ${name}`);
    const offers = command.arguments?.find((one) => one.offers !== undefined)?.offers;
    return [
      `complete -c penstock -f -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`,
      // Where nothing is offered, no files are either.
      `complete -c penstock -n ${when} ${fishOffer(offers)}`,
      ...optionsOf(command).map((option) => fishOption(when, option)),
    ];
  });
  const named = commands.map(({ name }) => name).join(' ');
  return [
    '# fish completion for penstock',
    ...TOP.map(fishTop),
    `complete -c penstock -f -n '__fish_seen_subcommand_from help' -a ${quoted(named)}`,
    ...lines,
    '',
  ].join('\n');
}

function fishTop({ name, summary }: (typeof TOP)[number]): string {
  const word = name.startsWith('--') ? `-l ${name.slice(2)}` : `-f -a ${name}`;
  return `complete -c penstock -n __fish_use_subcommand ${word} -d ${fishQuoted(summary)}`;
}

function fishOption(when: string, { name, short, value, summary, offers }: Option): string {
  const takes = value === undefined ? '' : ` -r ${fishOffer(offers)}`;
  return `complete -c penstock -n ${when} -l ${name}${short === undefined ? '' : ` -s ${short}`}${takes} -d ${fishQuoted(summary)}`;
}

function fishOffer(offers: Offers | undefined): string {
  if (offers === undefined) return '-f';
  if (typeof offers !== 'string') return `-f -a ${quoted(offers.join(' '))}`;
  return offers === 'folders' ? "-f -a '(__fish_complete_directories)'" : '-F';
}

/** fish knows \\\\ and \\' within single quotes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
