// `penstock dev`: the simulated platform and local AWS, kept running for the other commands; what `npm start -- --keep` does.
import type { Command, Option } from '../words.ts';

const OPTIONS: readonly Option[] = [
  { name: 'empty', summary: 'makes no pipeline: apply your own' },
  { name: 'edit', summary: "lets the page save a mapping into the manifest's file" },
  {
    name: 'manifest',
    value: 'FILE',
    summary: 'the pipeline to begin with (the sample customers); several are pipelines of one stream',
    isMany: true,
    offers: 'files',
  },
  { name: 'records', value: 'FILE', summary: 'the records to send, one a line', offers: 'files' },
  {
    name: 'encoding',
    value: 'ENCODING',
    summary: 'of these lines: text or base64 (text)',
    offers: ['text', 'base64'],
  },
  { name: 'generate', value: 'N', summary: 'how many sample customers (10000)' },
  { name: 'record-bytes', value: 'N', summary: 'size of a sample record in bytes (1000)' },
  { name: 'seed', value: 'N', summary: "seed of the sample records and of the platform's ids (1)" },
  { name: 'warm-up', value: 'SECONDS', summary: 'how long a new flow warms up here (5; Adobe asks for 300)' },
  { name: 'shards', value: 'N', summary: 'shards of the stream (1)' },
  { name: 'faults', value: 'FILE', summary: 'faults of the platform (local/aep/README.md)', offers: 'files' },
  { name: 'xdm', value: 'DIR', summary: 'a checkout of github.com/adobe/xdm', offers: 'folders' },
  {
    name: 'quirk',
    value: 'NAME=VALUE',
    summary: "how the platform behaves where Adobe's pages contradict each other (docs/fidelity.md)",
    isMany: true,
  },
  {
    name: 'admin-token',
    summary: 'asks programs, too, for the token that browsers need at /_simulator/ and at the page',
  },
  { name: 'verbose', summary: 'also prints what the functions log' },
];

export const dev: Command = {
  name: 'dev',
  summary: 'keeps a simulated platform and a local AWS running, for the other commands',
  about: ['It begins with a pipeline and its records, like npm start, and then stays. Ctrl-C ends it.'],
  options: OPTIONS,
  examples: ['penstock dev', 'penstock dev --empty', 'penstock dev --manifest pipelines/orders.json --edit'],
  endsItself: true,
  async run({ signal }, given) {
    const [{ runScript, wordsOf }, { scriptAt }] = await Promise.all([
      import('../pass-on.ts'),
      import('../beside.ts'),
    ]);
    return runScript(scriptAt('local/start/start.ts'), ['--keep', ...wordsOf(given, OPTIONS)], signal, {
      PENSTOCK_TYPED: 'penstock dev',
    });
  },
};
