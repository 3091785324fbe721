// `npm run check:pipelines`: every manifest, its mapping and its samples tried out on this machine, without network.
import { createOutput } from '../../terminal/create-output.ts';
import { toldOf, withHelp } from '../../terminal/mistake.ts';
import { CommandLineError, commandLine } from '../aep/command-line.ts';
import { UsageError } from '../start/options.ts';
import { checkFiles, type ToCheck } from './check-files.ts';
import { showOutcome } from './show-outcome.ts';

const HELP = `Checks pipelines on this machine, without network. Is the manifest valid? Does its mapping compile?
Do the samples beside it (orders.json: orders.samples.json) become what they must? Does that fit the schema?
Do records as they stand in the stream (orders.records.json) come to the messages that they must?

Manifests of one stream are held against each other, too: which of them takes each record, and which records none takes.

  npm run check:pipelines [-- [--fix] [--xdm DIR] [--records FILE] FILE…]

  FILE            a manifest, or a folder of them (default: pipelines and examples)
  --fix           mends what has one right answer, in the files themselves: misspelt words, names, rules of AEP
  --records FILE  records of the stream, one a line: they are counted in place of the samples
  --xdm DIR       a checkout of github.com/adobe/xdm, for field groups of Adobe that are not built in
  --help          this text

Exit code: 0 all is well; 1 a pipeline is wrong; 2 the command line is wrong, or a file cannot be read.
`;

async function main(args: string[]): Promise<number> {
  const options = optionsOf(args);
  if (options === 'help') {
    output.line(HELP.trimEnd());
    return 0;
  }
  let worst = 0;
  for await (const outcome of checkFiles(options)) {
    worst = Math.max(worst, outcome.exitCode);
    showOutcome(output, outcome);
  }
  return worst;
}

/** @throws UsageError */
function optionsOf(args: string[]): ToCheck | 'help' {
  try {
    const { values, positionals } = commandLine({
      args,
      allowPositionals: true,
      options: {
        fix: { type: 'boolean' },
        xdm: { type: 'string' },
        records: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return 'help';
    return { files: positionals, xdm: values.xdm, records: values.records, fix: values.fix === true };
  } catch (error) {
    throw error instanceof CommandLineError ? new UsageError(error.message) : error;
  }
}

/** What was typed is wrong, and nothing was checked. */
const OF_WORDS: ReadonlySet<string> = new Set(['USAGE', 'FILE_UNREADABLE']);

const { stdout, stderr, stdin, env } = process;
const output = createOutput({ isJson: false, stdout, stderr, stdin, env });
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  output.error(withHelp(error, 'npm run check:pipelines -- --help'));
  process.exitCode = OF_WORDS.has(toldOf(error)?.code ?? '') ? 2 : 1;
}
