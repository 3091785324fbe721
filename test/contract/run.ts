// `npm run contract`: the same calls to the simulated platform and to a sandbox of a real one, and what differs. Needs AEP_CONTRACT_URL and a credential.
import { parseArgs } from 'node:util';
import { type Environment, realFrom } from '../../local/aep/compare/real.ts';
import { FAKE_CREDENTIAL } from '../../local/aep/options.ts';
import { type RunningServer, startServer } from '../../local/aep/server.ts';
import { observe, type Result, type Target, type Way } from './suite.ts';
import { linesOf, tableOf, uncalledOf } from './table.ts';

const HELP = `The same calls to the simulated platform and to a sandbox of a real one, and a table of what differs.

  npm run contract

From the environment, never from the command line:

  AEP_CONTRACT_URL              https://platform.adobe.io
  AEP_CONTRACT_CLIENT_ID        of an OAuth server-to-server credential
  AEP_CONTRACT_CLIENT_SECRET
  AEP_CONTRACT_ORGANIZATION_ID  …@AdobeOrg
  AEP_CONTRACT_SANDBOX          a development sandbox
  AEP_CONTRACT_IMS_URL          where IMS is another one (https://ims-na1.adobelogin.com)
  AEP_CONTRACT_SCOPES           where they differ from Adobe's default

All that it makes has a mark of its own in its name, and is removed at the end.
Exit code: 0 all the same, 1 something differs, 2 nothing was compared, 3 something was left behind (the table is printed),
130 interrupted, and all removed.
`;

/** A simulated platform as a target of its own. */
export function simulatedTarget({ origin, platform }: RunningServer): Target {
  const { clientId, clientSecrets } = FAKE_CREDENTIAL;
  const { organization } = platform.settings;
  const secret = { clientId, clientSecret: clientSecrets[0] as string, scopes: 'openid' };
  return { url: origin, imsUrl: origin, organization, sandbox: 'dev1', ...secret };
}

/** What the simulated platform answered, and which of its endpoints no step has called. */
export interface Here {
  readonly result: Result;
  readonly uncalled: readonly string[];
}

/** A simulated platform of its own is asked. */
export async function askSimulated(way: Way = {}): Promise<Here> {
  const simulated = await startServer({ port: 0 });
  try {
    const result = await observe(simulatedTarget(simulated), way);
    return { result, uncalled: uncalledOf(simulated.platform) };
  } finally {
    await simulated.close();
  }
}

/** Prints the table. 0: all the same; 1: something differs; 3: something was left behind; 130: interrupted, all removed. */
export async function contract(
  env: Environment,
  print: (text: string) => void,
  way: Way = {},
  ask: (way: Way) => Promise<Here> = askSimulated,
): Promise<number> {
  if (!env.AEP_CONTRACT_URL)
    throw new Error('AEP_CONTRACT_URL is not set: npm run contract -- --help says what it needs');
  const target = realFrom(env.AEP_CONTRACT_URL, env);
  const here = await ask(way);
  const there = await observe(target, way);
  const lines = linesOf(here.result, there, here.uncalled);
  print(tableOf(lines));
  if (there.left.length > 0) print(`LEFT BEHIND, marked ${there.mark}: ${there.left.join(', ')}\n`);
  if (there.left.length > 0) return 3;
  if (way.signal?.aborted) return 130;
  return lines.some(({ verdict }) => verdict === 'different') ? 1 : 0;
}

/** The first signal ends the steps, and what was made is removed; so do the next: only SIGKILL leaves something behind. */
function interruption(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (!end.signal.aborted) process.stderr.write('Interrupted: what was made is being removed …\n');
      end.abort(new Error('interrupted'));
    });
  return end.signal;
}

/** What the command line asks for: the text, or the comparison. Throws on anything else. */
export async function main(
  words: readonly string[],
  env: Environment,
  print: (text: string) => void,
  way: Way = {},
): Promise<number> {
  const { help } = parseArgs({ args: [...words], options: { help: { type: 'boolean' } } }).values;
  if (!help) return await contract(env, print, way);
  print(HELP);
  return 0;
}

if (import.meta.main) {
  const print = (text: string) => void process.stdout.write(text);
  main(process.argv.slice(2), process.env, print, { signal: interruption() }).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
