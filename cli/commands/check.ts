// `penstock check`: manifests, their mappings and their samples tried out on this machine, without network.
import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MistakeError } from '../../terminal/mistake.ts';
import { type Command, isGiven, JSON_OPTION, textOf } from '../words.ts';

/** What is checked where nothing is named. */
const OWN = 'pipelines';

export const check: Command = {
  name: 'check',
  summary: 'checks manifests, mappings and samples on this machine, without network',
  about: [
    'Is the manifest valid? Does its mapping compile? Do the samples beside it (orders.json: orders.samples.json) become what they must? Does that fit the schema?',
    'Manifests of one stream are held against each other: which of them takes each record, and which records none takes.',
  ],
  arguments: [
    {
      name: 'FILES',
      summary: `manifests, or folders of them (default: ${OWN})`,
      isOptional: true,
      isMany: true,
      offers: 'files',
    },
  ],
  options: [
    {
      name: 'fix',
      summary: 'mends what has one right answer, in the files themselves',
    },
    {
      name: 'records',
      value: 'FILE',
      summary: 'records of the stream, one a line: they are counted in place of the samples',
      offers: 'files',
    },
    {
      name: 'xdm',
      value: 'DIR',
      summary: 'a checkout of github.com/adobe/xdm, for field groups of Adobe that are not built in',
      offers: 'folders',
    },
    JSON_OPTION,
  ],
  examples: ['penstock check', 'penstock check pipelines/orders.json --records orders.ndjson'],
  async run({ output, folder }, given) {
    const [{ checkFiles }, { showOutcome }] = await Promise.all([
      import('../../local/check/check-files.ts'),
      import('../../local/check/show-outcome.ts'),
    ]);
    const files = given.arguments.length > 0 ? given.arguments : [await ownIn(folder)];
    const outcomes = checkFiles({
      files,
      records: textOf(given, 'records'),
      xdm: textOf(given, 'xdm'),
      fix: isGiven(given, 'fix'),
    });
    let isWell = true;
    const told: object[] = [];
    for await (const outcome of outcomes) {
      const { exitCode, subject, mistakes, warnings, lints, mended, details } = outcome;
      isWell &&= exitCode === 0;
      told.push({ subject, ok: exitCode === 0, mistakes, warnings, lints, mended, details });
      showOutcome(output, outcome);
    }
    output.json({ ok: isWell, checked: told });
    return isWell ? 0 : 1;
  },
};

/** @throws MistakeError where there is none */
async function ownIn(folder: string): Promise<string> {
  const own = join(folder, OWN);
  const isThere = await stat(own).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return relative(process.cwd(), own) || '.';
  throw new MistakeError(
    'USAGE',
    `there is no folder ${OWN} here, and no manifest is named`,
    'penstock check FILE, or penstock init --records FILE to make a manifest',
  );
}
