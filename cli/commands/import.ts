// `penstock import`: manifests of pipelines that somebody made in AEP by hand, written into files. Changes nothing there.
import type { ImportAnswer, Imported } from '../../lib/import/import.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Context } from '../context.ts';
import { type WrittenImport, writeImported } from '../import-file.ts';
import { type Command, type Given, isGiven, JSON_OPTION, TARGET, textOf } from '../words.ts';

/** Where manifests are written if nothing is said. */
const MANIFESTS = 'pipelines';

export const importCommand: Command = {
  name: 'import',
  summary: 'makes manifests of pipelines that were made in Experience Platform by hand',
  about: [
    'Walks from a flow to all that belongs to it, and changes nothing. The next plan of the manifest changes nothing either. What the manifest does not say is listed.',
    'A file that is there already is left as it is. With --all, a flow that cannot be read does not end the command: the exit code is 1.',
  ],
  options: [
    { name: 'sandbox', value: 'NAME', summary: 'the sandbox to look in' },
    { name: 'flow', value: 'ID', summary: 'one flow' },
    { name: 'dataset', value: 'ID', summary: 'every flow that fills this dataset' },
    { name: 'all', summary: 'every flow of the sandbox, page by page' },
    {
      name: 'skip-unreadable',
      summary: 'goes on where several flows in a row cannot be read, as if Experience Platform were away',
    },
    { name: 'name', value: 'PIPELINE', summary: "the pipeline's name (default: made of the flow's)" },
    { name: 'stream', value: 'STREAM', summary: 'the Kinesis stream that is to feed the inlet' },
    {
      name: 'source-credentials',
      value: 'SECRET',
      summary: 'the name of the secret by which AEP reads the source, never the secret itself',
    },
    { name: 'credentials', value: 'NAME', summary: 'Adobe credentials of another organization' },
    {
      name: 'out',
      value: 'DIR',
      summary: `the folder for the manifests (default: ${MANIFESTS})`,
      offers: 'folders',
    },
    ...TARGET,
    JSON_OPTION,
  ],
  examples: [
    'penstock import --sandbox dev1 --flow 5edf60c8-dc5c-4be1-9b3e-e20b4ab7ecbc --stream customers',
    'penstock import --sandbox prod --all --stage prod --out imported',
  ],
  endsItself: true,
  async run(context, given) {
    const { output, signal } = context;
    const event = eventOf(given);
    const folder = textOf(given, 'out') ?? MANIFESTS;
    const written = new Set<string>();
    const all: WrittenImport[] = [];
    for await (const one of flowsIn(event, context)) {
      const done = await writtenApart(one, event, { folder, written }, context);
      tell(done, context);
      all.push(done);
    }
    output.json({ imported: all.map(jsonOf) });
    if (signal.aborted) return 130;
    output.line(summaryOf(all));
    return all.every((one) => isWell(one, event)) ? 0 : 1;
  },
};

interface ImportEvent {
  readonly sandbox: string;
  readonly flow?: string;
  readonly dataset?: string;
  readonly all?: true;
  readonly skipUnreadable?: true;
  readonly [word: string]: string | true | undefined;
}

/** @throws MistakeError `USAGE` */
function eventOf(given: Given): ImportEvent {
  const sandbox = textOf(given, 'sandbox');
  const [flow, dataset, all] = [textOf(given, 'flow'), textOf(given, 'dataset'), isGiven(given, 'all')];
  if ([flow, dataset, all || undefined].filter((one) => one !== undefined).length !== 1)
    throw new MistakeError(
      'USAGE',
      'name what to import: --flow ID, --dataset ID or --all',
      'penstock import --help',
    );
  if (sandbox === undefined)
    throw new MistakeError('USAGE', 'name the sandbox: --sandbox NAME', 'penstock import --help');
  const more = {
    name: textOf(given, 'name'),
    stream: textOf(given, 'stream'),
    sourceCredentials: textOf(given, 'source-credentials'),
    credentials: textOf(given, 'credentials'),
  };
  const words = Object.entries({ ...more, flow, dataset }).filter(([, value]) => value !== undefined);
  const skipUnreadable = isGiven(given, 'skip-unreadable');
  if (skipUnreadable && flow !== undefined)
    throw new MistakeError(
      'USAGE',
      '--skip-unreadable belongs to --all or --dataset',
      'penstock import --help',
    );
  return {
    sandbox,
    ...Object.fromEntries(words),
    ...(all && { all }),
    ...(skipUnreadable && { skipUnreadable }),
  };
}

/** The answer comes in pages, and a page is asked for when the one before it is written. */
async function* flowsIn(event: ImportEvent, { target, signal, output }: Context): AsyncGenerator<Imported> {
  let next: string | undefined;
  do {
    const work = await output.work('Looking');
    const asked = { ...event, ...(next !== undefined && { continue: next }) };
    const answer = (await target.invoke('import', asked).catch((error: unknown) => {
      work.failed('failed');
      throw error;
    })) as ImportAnswer;
    work.done(`${answer.imported.length} looked at`);
    yield* answer.imported;
    next = answer.continue;
  } while (next !== undefined && !signal.aborted);
}

/** Of all flows, those of other kinds are no mistake: whoever names one wants its manifest. */
function isWell({ taken, failed, manifest }: WrittenImport, { all }: ImportEvent): boolean {
  return taken === undefined && failed === undefined && (manifest !== undefined || all === true);
}

/** With the manifest where no file has it. */
function jsonOf({ manifest, ...rest }: WrittenImport): object {
  return rest.file === undefined ? { ...rest, manifest } : rest;
}

/** How many flows ended in which way, each in one of them. */
function summaryOf(all: readonly WrittenImport[]): string {
  if (all.length === 0) return 'There is no flow.';
  const ways = all.map(({ file, taken, failed, complete }) => {
    if (failed !== undefined) return 'not readable';
    if (taken !== undefined) return 'not written';
    if (file === undefined) return 'without a manifest';
    return complete ? 'complete' : 'incomplete';
  });
  const counts = ['complete', 'incomplete', 'without a manifest', 'not readable', 'not written']
    .map((way) => [ways.filter((one) => one === way).length, way] as const)
    .filter(([count]) => count > 0);
  const flows = all.length === 1 ? 'flow' : 'flows';
  return `${all.length} ${flows} looked at: ${counts.map(([count, way]) => `${count} ${way}`).join(', ')}.`;
}

/** Where manifests go, and which files this command has come to already. */
interface Place {
  readonly folder: string;
  readonly written: Set<string>;
}

/** Two flows may have one name: then a part of the flow's id tells the pipelines apart. */
async function writtenApart(
  one: Imported,
  event: ImportEvent,
  { folder, written }: Place,
  { target, folder: from }: Context,
): Promise<WrittenImport> {
  const done = await writeImported(one, folder, from);
  const file = done.file ?? done.taken;
  // What an earlier command wrote may be this very flow: a second manifest of it would want the same parts.
  if (file === undefined || !written.has(file)) {
    if (file !== undefined) written.add(file);
    return done;
  }
  const { all: _, dataset: __, skipUnreadable: ___, ...rest } = event;
  const name = `${String(one.manifest?.name).slice(0, 55)}-${one.flow.slice(0, 8)}`;
  const again = (await target.invoke('import', { ...rest, flow: one.flow, name })) as ImportAnswer;
  return again.imported[0] === undefined ? done : writeImported(again.imported[0], folder, from);
}

function tell(one: WrittenImport, { output, target }: Context): void {
  const { flow, name, file, taken, complete, failed, findings } = one;
  const { green, red, yellow, dim } = output.colours;
  const sign =
    failed !== undefined ? red('failed    ') : complete ? green('complete  ') : yellow('incomplete');
  const where =
    file ?? (taken === undefined ? red('no manifest') : `${red('not written')}: ${taken} is there`);
  output.line(`${sign}  ${name ?? flow} ${dim(flow)}  ${where}`);
  for (const { effect, path, reason } of findings) output.line(`  ${effect} ${path}: ${reason}`);
  const isPrevented = findings.some(({ effect }) => effect === 'prevents');
  // What prevents it says itself what has to be done before.
  if (file === undefined || isPrevented) return;
  const isMissing = findings.some(({ effect }) => effect === 'missing');
  const before = isMissing ? 'write what is missing into the file, then: ' : '';
  output.whole(`  next: ${before}${['penstock plan', file, ...target.words].join(' ')}`);
}
