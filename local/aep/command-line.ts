// Reads a command line. A mistake in it is told in one line, and not by the whole help.

import { parseArgs } from 'node:util';
import { didYouMean } from './nearest.ts';

type Config = NonNullable<Parameters<typeof parseArgs>[0]>;

/** The mistake in a command line, in one line. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
}

/** As `parseArgs`. @throws CommandLineError that names the mistake and where the help is */
export function commandLine<T extends Config>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const unknown = unknownOption(config);
    const names = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    // Node adds advice that does not apply here.
    const [mistake] = (error as Error).message.split(/\.\s/);
    const what = unknown ? `Unknown option '${unknown}'${didYouMean(unknown, names)}` : mistake;
    throw new CommandLineError(`${what}; --help lists the options`);
  }
}

function unknownOption(config: Config): string | undefined {
  const { tokens } = parseArgs({ ...config, strict: false, allowPositionals: true, tokens: true });
  const found = tokens?.find(
    (token) => token.kind === 'option' && !Object.hasOwn(config.options ?? {}, token.name),
  );
  return found?.kind === 'option' ? found.rawName : undefined;
}
