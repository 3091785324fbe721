// The functions as serverless.yml has them: the same names, modules, memory and timeouts on this machine as deployed.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { FunctionDefinition } from '../aws/function-host.ts';
import { STAGE } from './stage.ts';

const ROOT = new URL('../../', import.meta.url);

/** How the name of a source ends: from the package, all of them are compiled. */
const SOURCE = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

interface Settings {
  readonly memorySize: number;
  /** In seconds. */
  readonly timeout: number;
}

interface Service {
  readonly service: string;
  readonly provider: Settings;
  /** By the name that states.asl.json calls them by. */
  readonly functions: Readonly<Record<string, Partial<Settings> & { readonly handler: string }>>;
}

// What stands behind a tag of CloudFormation's is of no account here.
const SERVICE = parse(readFileSync(new URL('serverless.yml', ROOT), 'utf8'), {
  merge: true,
  logLevel: 'silent',
}) as Service;

/** Of each function, the name that states.asl.json calls it by: `baseConnection`. */
export const FUNCTION_KEYS: readonly string[] = Object.keys(SERVICE.functions);

/** `penstock-dev-baseConnection` of `baseConnection`, as the Serverless Framework names it. */
export function functionName(key: string): string {
  return `${SERVICE.service}-${STAGE}-${key}`;
}

/**
 * Every deployed function, by its name.
 * @param bundled the bundles of `npm run build`, in place of the sources
 */
export function deployedFunctions(bundled: boolean): Record<string, FunctionDefinition> {
  const { provider, functions } = SERVICE;
  return Object.fromEntries(
    Object.entries(functions).map(([key, { handler, memorySize, timeout }]) => [
      functionName(key),
      {
        ...moduleOf(handler, bundled),
        memoryMB: memorySize ?? provider.memorySize,
        timeoutSeconds: timeout ?? provider.timeout,
      },
    ]),
  );
}

/** `dist/functions/status.handler`: the export of a bundle that is made of `functions/status.ts`. */
function moduleOf(text: string, bundled: boolean): { module: string; handler: string } {
  const dot = text.lastIndexOf('.');
  const [bundle, handler] = [text.slice(0, dot), text.slice(dot + 1)];
  // Most tests have them in a few files: each process of a function starts in half the time.
  const { PENSTOCK_FUNCTIONS: ofTests } = process.env;
  if (ofTests && !bundled) return { module: join(ofTests, `${basename(bundle)}.mjs`), handler };
  const file = bundled ? `${bundle}.cjs` : `${bundle.replace(/^dist\//, '')}${SOURCE}`;
  return { module: fileURLToPath(new URL(file, ROOT)), handler };
}
