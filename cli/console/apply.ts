// A manifest of this folder, planned and applied from the page by the command line's own functions.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../lib/pipeline.ts';
import { toldReport } from '../../local/page/reported.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { conflictsIn, isToDo } from '../../terminal/report.ts';
import { applyFile } from '../applying.ts';
import { readPipelineFile } from '../manifest-file.ts';
import { isManifestName } from '../manifest-names.ts';
import { planOf } from '../planning.ts';
import type { Hand, Looked } from './actions.ts';

/** Where manifests are; without it they are in the folder itself. */
const OWN = 'pipelines';

/** By their names, as somebody would type them. */
export async function manifestsIn(folder: string): Promise<readonly string[]> {
  const own = await namesIn(join(folder, OWN));
  return own.length > 0 ? own.map((name) => `${OWN}/${name}`) : namesIn(folder);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).filter(isManifestName).toSorted();
}

/** @param file one of those that are listed: a page names no other file of this machine */
export async function lookAtPlan({ context }: Hand, file: string): Promise<Looked> {
  if (!(await manifestsIn(context.folder)).includes(file))
    throw new MistakeError(
      'FILE_UNREADABLE',
      `${file} is no manifest of this folder`,
      'Choose one of the list.',
    );
  const path = join(context.folder, file);
  const asked = await readPipelineFile(path);
  const report = await planOf(context, asked);
  const sandbox = report.sandbox ?? { name: asked.sandbox };
  const { token } = report;
  const found = { pipeline: asked.name, plan: toldReport(report) };
  if (token === undefined || !isToDo(report) || conflictsIn(report).length > 0) return { found, sandbox };
  return {
    found,
    sandbox,
    carryOut: async (hand, typed) => {
      const name = typed ?? sandbox.name;
      const given = { arguments: [file], options: { sandbox: name } };
      // What the file says by now may be another plan's: then its token is refused.
      await applyFile(hand.context, given, await readPipelineFile(path), { token, isAgreed: true });
      return { report: toldReport(hand.document() as Report | undefined) };
    },
  };
}
