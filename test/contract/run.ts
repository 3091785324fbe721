// `npm run contract`: the same calls to the simulated platform and to a sandbox of a real one, and what differs. Needs AEP_CONTRACT_URL and a credential.
import { type Environment, realFrom } from '../../local/aep/compare/real.ts';
import { FAKE_CREDENTIAL } from '../../local/aep/options.ts';
import { type RunningServer, startServer } from '../../local/aep/server.ts';
import { observe, type Target, type Way } from './suite.ts';
import { linesOf, tableOf, uncalledOf } from './table.ts';

/** A simulated platform as a target of its own. */
export function simulatedTarget({ origin, platform }: RunningServer): Target {
  const { clientId, clientSecrets } = FAKE_CREDENTIAL;
  const { organization } = platform.settings;
  const secret = { clientId, clientSecret: clientSecrets[0] as string, scopes: 'openid' };
  return { url: origin, imsUrl: origin, organization, sandbox: 'dev1', ...secret };
}

/** Prints the table. 0: all the same; 1: something differs; 3: something was left behind; 130: interrupted, all removed. */
export async function contract(
  env: Environment,
  print: (text: string) => void,
  way: Way = {},
): Promise<number> {
  const target = realFrom(env.AEP_CONTRACT_URL ?? '', env);
  const simulated = await startServer({ port: 0 });
  try {
    const here = await observe(simulatedTarget(simulated), way);
    const there = await observe(target, way);
    const lines = linesOf(here, there, uncalledOf(simulated.platform));
    print(tableOf(lines));
    if (there.left.length > 0) print(`LEFT BEHIND, marked ${there.mark}: ${there.left.join(', ')}\n`);
    if (there.left.length > 0) return 3;
    if (way.signal?.aborted) return 130;
    return lines.some(({ verdict }) => verdict === 'different') ? 1 : 0;
  } finally {
    await simulated.close();
  }
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

if (import.meta.main) {
  contract(process.env, (text) => void process.stdout.write(text), { signal: interruption() }).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
