// `penstock init`: looks at records, and writes the manifests, mappings and samples that carry them.
import type { Inferred } from '../init/init.ts';
import type { Written } from '../init/write.ts';
import { type Command, isGiven, JSON_OPTION, TARGET, textOf } from '../words.ts';

export const init: Command = {
  name: 'init',
  summary: 'makes manifests with mappings and samples from records of a stream',
  about: [
    'Looks at up to 100,000 records: which fields there are, of which type and form. What it writes passes penstock check, and carries every sound record that it has looked at. Broken records are told by their lines.',
    'Known names go to field groups of Adobe, the rest to an own one. What may identify somebody is listed, and never applied.',
    'Samples hold values of your records: look at them before you commit them.',
  ],
  options: [
    {
      name: 'records',
      value: 'FILE',
      summary: 'records, one a line; - is standard input',
      offers: 'files',
    },
    {
      name: 'encoding',
      value: 'ENCODING',
      summary: 'of these lines: text or base64 (text)',
      offers: ['text', 'base64'],
    },
    {
      name: 'stream',
      value: 'STREAM',
      summary: 'the stream that the manifests name; without --records the records come from it',
    },
    { name: 'take', value: 'N', summary: 'so many records are taken from the stream (1,000)' },
    {
      name: 'name',
      value: 'NAME',
      summary: "the pipeline's name (default: the stream's, else that of the file)",
    },
    { name: 'sandbox', value: 'NAME', summary: 'the sandbox that the manifests name (dev1)' },
    { name: 'out', value: 'DIR', summary: 'where the files go (pipelines)', offers: 'folders' },
    { name: 'overwrite', summary: 'writes over files that are there' },
    ...TARGET,
    JSON_OPTION,
  ],
  examples: [
    'penstock init --records sample.ndjson',
    'penstock init --stream orders --take 1000 --stage prod',
    'penstock init --records orders.ndjson --stream orders --sandbox prod --out pipelines',
  ],
  endsItself: true,
  async run(context, given) {
    const { output, signal } = context;
    const [{ inferredFrom, provenOf }, { filesOf }, { writeFiles }] = await Promise.all([
      import('../init/command.ts'),
      import('../init/files.ts'),
      import('../init/write.ts'),
    ]);
    const out = textOf(given, 'out') ?? 'pipelines';
    const work = await output.work('Looking at the records');
    let inferred: Inferred;
    let mistakes: readonly string[];
    try {
      inferred = await inferredFrom(context, {
        records: textOf(given, 'records'),
        encoding: textOf(given, 'encoding'),
        stream: textOf(given, 'stream'),
        name: textOf(given, 'name'),
        sandbox: textOf(given, 'sandbox'),
        take: textOf(given, 'take'),
        out,
      });
      work.to('checking what will be written');
      mistakes = await provenOf(inferred);
      signal.throwIfAborted();
      work.done('done');
    } catch (error) {
      work.failed('nothing was written');
      if (!signal.aborted) throw error;
      return 130;
    }
    const written = await writeFiles(out, inferred.pipelines.flatMap(filesOf), isGiven(given, 'overwrite'));
    await show(context, inferred, written, mistakes);
    output.json({ ...inferred.report, written, mistakes });
    return mistakes.length === 0 ? 0 : 1;
  },
};

async function show(
  { output }: Parameters<Command['run']>[0],
  { report }: Inferred,
  written: readonly Written[],
  mistakes: readonly string[],
): Promise<void> {
  const { FIELD_HEAD, fieldRows, identityLines, pipelineLines, readLines } = await import(
    '../init/report.ts'
  );
  const { bold, red, cyan } = output.colours;
  for (const line of readLines(report)) output.line(line);
  for (const about of report.pipelines) {
    output.line();
    output.line(bold(about.name));
    for (const line of pipelineLines(about)) output.line(`  ${line}`);
    await output.table(FIELD_HEAD, fieldRows(about));
    for (const line of identityLines(about)) output.line(`  ${line}`);
  }
  output.line();
  for (const { file, is } of written) output.line(`${file} (${is})`);
  for (const mistake of mistakes) output.line(`${red('not ok')}  ${mistake}`);
  const [first] = written;
  if (first !== undefined) output.whole(`${cyan('next')}   penstock plan ${first.file}`);
}
