// `penstock simulate`: the simulated Experience Platform alone, on a port; what `npm run simulate` does.
import type { Command, Option } from '../words.ts';

const OPTIONS: readonly Option[] = [
  { name: 'port', value: 'N', summary: 'the port on this machine (4010; 0 for any free one)' },
  { name: 'warm-up', value: 'SECONDS', summary: 'how long a new flow warms up (300)' },
  { name: 'seed', value: 'N', summary: 'seed of its ids (1)' },
  { name: 'scopes', value: 'SCOPES', summary: 'the scopes that the credential may ask for' },
  { name: 'kinesis', value: 'URL', summary: 'where it reads streams that AEP would read' },
  { name: 'xdm', value: 'DIR', summary: 'a checkout of github.com/adobe/xdm', offers: 'folders' },
  { name: 'compare', value: 'URL', summary: 'asks every read of the real platform too' },
  {
    name: 'quirk',
    value: 'NAME=VALUE',
    summary: "how the platform behaves where Adobe's pages contradict each other (docs/fidelity.md)",
    isMany: true,
  },
  { name: 'admin-token', summary: 'asks programs, too, for the token that browsers need at /_simulator/' },
];

export const simulate: Command = {
  name: 'simulate',
  summary: 'serves the simulated Experience Platform alone',
  options: OPTIONS,
  examples: ['penstock simulate --port 4010 --warm-up 5'],
  endsItself: true,
  async run({ signal }, given) {
    const [{ runScript, wordsOf }, { scriptAt }] = await Promise.all([
      import('../pass-on.ts'),
      import('../beside.ts'),
    ]);
    return runScript(scriptAt('local/aep/server.ts'), wordsOf(given, OPTIONS), signal, {
      PENSTOCK_TYPED: 'penstock simulate',
    });
  },
};
