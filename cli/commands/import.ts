// `penstock import`: manifests of pipelines that somebody made in AEP by hand, written into files.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportAnswer, Imported } from '../../lib/import/import.ts';
import type { Context } from '../context.ts';
import { MistakeError } from '../mistake.ts';
import { type Command, type ExitCode, type Given, isGiven, JSON_OPTION, TARGET, textOf } from '../words.ts';

/** Where manifests are written if nothing is said. */
const DEFAULT_FOLDER = 'pipelines';

export const importCommand: Command = {
  name: 'import',
  summary: 'makes manifests of pipelines that were made in AEP by hand, and changes nothing',
  about: [
    'Walks from a flow to all that belongs to it. The next plan of the manifest changes nothing in AEP; what the manifest does not say is listed.',
    'A file that is there already is not written over.',
  ],
  options: [
    { name: 'sandbox', value: 'NAME', summary: 'the AEP sandbox' },
    { name: 'flow', value: 'ID', summary: 'one flow' },
    { name: 'dataset', value: 'ID', summary: 'every flow that fills this dataset' },
    { name: 'all', summary: 'every flow of the sandbox, page by page' },
    { name: 'name', value: 'PIPELINE', summary: "the pipeline's name, with --flow (default: made of the flow's)" },
    { name: 'stream', value: 'STREAM', summary: 'the Kinesis stream that is to feed the inlet' },
    {
      name: 'source-credentials',
      value: 'SECRET',
      summary: 'the name of the secret for AEP to read the source with, never the secret itself',
    },
    { name: 'credentials', value: 'NAME', summary: 'Adobe credentials of another organization' },
    {
      name: 'out',
      value: 'DIR',
      summary: `the folder for the manifests (default: ${DEFAULT_FOLDER})`,
      offers: 'folders',
    },
    ...TARGET,
    JSON_OPTION,
  ],
  examples: [
    'penstock import --sandbox dev1 --flow 5edf60c8-dc5c-4be1-9b3e-e20b4ab7ecbc --stream customers',
    'penstock import --sandbox prod --all --stage prod --out imported',
  ],
  async run(context, given): Promise<ExitCode> {
    const event = eventOf(given);
    const folder = textOf(given, 'out') ?? DEFAULT_FOLDER;
    const written = new Set<string>();
    const told: Told[] = [];
    // The function answers a page; how many there are, nobody knows before the last.
    for (let from: string | undefined, page = 1; ; page++) {
      const asked = { ...event, ...(from !== undefined && { continue: from }) };
      const answer = (await context.target.invoke('import', asked)) as ImportAnswer;
      for (const one of answer.imported) {
        const done = await written_(one, event, folder, written, context);
        await tellOne(done, context);
        told.push(withoutManifest(done));
      }
      from = answer.continue;
      if (from === undefined || context.signal.aborted) break;
      if (page > 1) context.output.note(`${told.length} flows so far`);
    }
    return ended(told, context);
  },
};
