// The command line `penstock`: reads the words, runs the command, and ends with its exit code.
import { CommanderError, Command as Program, Option as ProgramOption } from 'commander';
import { VERSION } from '../lib/version.ts';
import { createOutput } from '../terminal/create-output.ts';
import { MistakeError, withHelp } from '../terminal/mistake.ts';
import { asTyped } from './advice.ts';
import { COMMANDS } from './commands.ts';
import { createTarget } from './connect.ts';
import type { Argument, Command, ExitCode, Given, Option } from './words.ts';

const ABOUT = `Carries Amazon Kinesis streams into Adobe Experience Platform.
Commands ask the functions of a deployed stage (--stage), or of the simulated platform on this machine (--local, the default).`;

type Start = (command: Command, given: Given) => void;

/** Where no terminal says how wide it is. */
const HELP_WIDTH = 100;

/** @returns the exit code */
export async function main(args: readonly string[], process: NodeJS.Process): Promise<ExitCode> {
  let done: Promise<ExitCode> | undefined;
  const program = programFor(process, (command, given) => {
    done = runWith(command, given, process);
  });
  const isJson = args.includes('--json');
  try {
    await refuseUnknownHelp(args);
    program.parse(args, { from: 'user' });
    return (await done) ?? 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const output = outputOf(isJson, process);
    if (!(error instanceof CommanderError)) {
      output.error(error);
      return 1;
    }
    // Asked nothing, it has shown its help.
    if (error.code === 'commander.help') return 1;
    output.error(new MistakeError('USAGE', error.message.replace(/^error: /, ''), nextOf(args)));
    return 1;
  }
}

/** The program as commander has it. */
function programFor({ stdout, stderr }: NodeJS.Process, start: Start): Program {
  const outputs = {
    writeOut: (text: string) => void stdout.write(text),
    writeErr: (text: string) => void stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => stdout.columns || HELP_WIDTH,
    getErrHelpWidth: () => stderr.columns || HELP_WIDTH,
  };
  const program = new Program('penstock')
    .description(ABOUT)
    .version(VERSION, '--version', 'prints the version')
    .helpOption('-h, --help', 'shows this text')
    .helpCommand('help [COMMAND]', 'shows the words of a command')
    .exitOverride()
    .configureOutput(outputs);
  for (const command of COMMANDS) program.addCommand(subprogram(command, start).configureOutput(outputs));
  return program;
}

function subprogram(command: Command, start: Start): Program {
  const { name, summary, about = [], examples = [] } = command;
  const options = command.options ?? [];
  const sub = new Program(name)
    .summary(summary)
    .description([`${summary[0]?.toUpperCase()}${summary.slice(1)}.`, ...about].join('\n\n'))
    .helpOption('-h, --help', 'shows this text')
    .exitOverride()
    .allowExcessArguments(false);
  for (const argument of command.arguments ?? []) sub.argument(shapeOf(argument), argument.summary);
  for (const option of options) sub.addOption(optionOf(option));
  if (examples.length > 0)
    sub.addHelpText('after', `\nExamples:\n${examples.map((one) => `  ${one}`).join('\n')}`);
  return sub.action((...all: unknown[]) => {
    const words = all
      .slice(0, -2)
      .flat()
      .filter((one) => typeof one === 'string');
    const values = sub.opts<Record<string, string | true | string[]>>();
    const named = options.map(({ name: one }) => [one, values[camelOf(one)]] as const);
    start(command, { arguments: words, options: Object.fromEntries(named) });
  });
}

function shapeOf({ name, isOptional, isMany }: Argument): string {
  const inside = `${name}${isMany ? '...' : ''}`;
  return isOptional ? `[${inside}]` : `<${inside}>`;
}

function optionOf({ name, value, short, summary, isMany }: Option): ProgramOption {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`;
  const option = new ProgramOption(flags, summary);
  if (isMany)
    option.argParser((one: string, all: readonly string[] | undefined): string[] => [...(all ?? []), one]);
  return option;
}

/** As commander names the value of an option. */
function camelOf(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Commander shows the whole help there, and no error. @throws MistakeError */
async function refuseUnknownHelp([first, name]: readonly string[]): Promise<void> {
  if (first !== 'help' || name === undefined || name.startsWith('-') || name === 'help') return;
  if (COMMANDS.some((one) => one.name === name)) return;
  const { didYouMean } = await import('../lib/nearest.ts');
  const near = didYouMean(
    [name],
    COMMANDS.map((one) => one.name),
  );
  throw new MistakeError('USAGE', `unknown command '${name}'${near}`, 'penstock --help');
}

/** What to do after a mistake in the words. */
function nextOf(args: readonly string[]): string {
  const [first = ''] = args;
  const named = COMMANDS.find(({ name }) => name === first);
  if (named !== undefined) return `penstock ${named.name} --help`;
  const later = first.startsWith('-') ? COMMANDS.find(({ name }) => args.includes(name)) : undefined;
  if (later === undefined) return 'penstock --help';
  return `penstock ${later.name} … ${first} (options stand behind the command)`;
}

function outputOf(
  isJson: boolean,
  { stdout, stderr, stdin, env }: NodeJS.Process,
  onClosed: () => void = () => undefined,
) {
  return createOutput({ isJson, stdout, stderr, stdin, env, onClosed });
}

async function runWith(command: Command, given: Given, process: NodeJS.Process): Promise<ExitCode> {
  const { stopped, interrupt, leave, signal } = interruptionOf(command);
  const output = outputOf(given.options.json === true, process, leave);
  const target = createTarget({
    stage: stageIn(given),
    region: typeof given.options.region === 'string' ? given.options.region : undefined,
    folder: process.cwd(),
    env: process.env,
    isChanging: command.isChanging?.(given) ?? false,
    note: output.note,
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, interrupt);
  try {
    const { env } = process;
    const running = command.run({ target, output, folder: process.cwd(), env, signal }, given);
    return await Promise.race([running, stopped]);
  } catch (error) {
    const typed = asTyped(error, { command: command.name, given, target });
    output.error(withHelp(typed, `penstock ${command.name} --help`));
    return error instanceof MistakeError && error.code === 'INTERRUPTED' ? 130 : 1;
  } finally {
    output.stop();
    await target.close();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}

/** What Ctrl-C does: the first aborts the signal, and the second cuts the command short. So does the first where it hears no signal. */
function interruptionOf({ options = [], endsItself = false }: Command) {
  const stop = new AbortController();
  let cut: (error: MistakeError) => void;
  const stopped = new Promise<never>((_, reject) => {
    cut = reject;
  });
  stopped.catch(() => undefined);
  const asksFunctions = options.some(({ name }) => name === 'stage');
  const what = `nobody waits for the end any more${asksFunctions ? '; what a function has begun goes on' : ''}`;
  const interrupt = () => {
    if (stop.signal.aborted || !endsItself) cut(new MistakeError('INTERRUPTED', what));
    stop.abort();
  };
  // Nobody reads on: what follows without end ends, and what has an end comes to it.
  const leave = () => stop.abort();
  return { stopped, interrupt, leave, signal: stop.signal };
}

/** @throws MistakeError where both are named */
function stageIn({ options }: Given): string | undefined {
  const stage = typeof options.stage === 'string' ? options.stage : undefined;
  if (stage !== undefined && options.local === true)
    throw new MistakeError('USAGE', '--local and --stage cannot be used together', 'Name one of them.');
  return stage;
}
