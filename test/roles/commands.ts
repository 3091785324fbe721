// What the code can ask AWS for: every command of the SDK that it imports, every operation of DynamoDB, and every service integration of the state machine.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = /(?:from|import\()\s*'@aws-sdk\/client-([\w-]+)'/g;

/** As `s3:PutObject`, with the file. @throws Error where a command is made that no import names */
export function commandsOf(sources: Iterable<readonly [file: string, text: string]>): Map<string, string> {
  const commands = new Map<string, string>();
  for (const [file, text] of sources) {
    const known = new Set<string>();
    const add = (service: string, name: string) => {
      known.add(name);
      commands.set(`${service}:${name}`, file);
    };
    for (const [, names = '', service = ''] of text.matchAll(
      /import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g,
    ))
      for (const [, name = ''] of names.matchAll(/\b(\w+)Command\b(?!\w)/g)) add(service, name);
    const services = new Set(Array.from(text.matchAll(PACKAGE), ([, service = '']) => service));
    // Where the SDK is loaded late, its commands are properties of what was loaded.
    for (const [, name = ''] of text.matchAll(/\bsdk\.(\w+)Command\b/g)) {
      if (services.size !== 1) throw new Error(`${file}: of which client is ${name}?`);
      for (const service of services) add(service, name);
    }
    // DynamoDB is called without its client: by the names of its operations.
    if (/\bTableCall\b/.test(text))
      for (const [, name = ''] of text.matchAll(/'((?:Get|Put|Update|Delete)Item|Scan)'/g))
        add('dynamodb', name);
    for (const [, name = ''] of text.matchAll(/\bnew (?:\w+\.)?(\w+)Command\(/g))
      if (!known.has(name)) throw new Error(`${file}: no import names ${name}Command`);
  }
  return commands;
}

export function ownCommands(): Map<string, string> {
  const files = globSync('{functions,lib}/**/*.ts', { cwd: ROOT });
  return commandsOf(files.map((file) => [file, readFileSync(`${ROOT}/${file}`, 'utf8')] as const));
}

interface State {
  readonly Resource?: unknown;
  readonly Parameters?: Readonly<Record<string, unknown>>;
}

export interface UsedIntegration {
  readonly state: string;
  /** `dynamodb:updateItem`, `aws-sdk:sfn:describeExecution`. */
  readonly resource: string;
  /** Names of its parameters, without the `.$` of those that are taken from the input. */
  readonly parameters: readonly string[];
}

export function ownIntegrations(): UsedIntegration[] {
  const text = readFileSync(`${ROOT}/functions/provision/states.asl.json`, 'utf8');
  const { States } = JSON.parse(text) as { States: Record<string, State> };
  return Object.entries(States).flatMap(([state, { Resource, Parameters = {} }]) => {
    const resource = /^arn:aws:states:::(.*)$/.exec(String(Resource))?.[1];
    const parameters = Object.keys(Parameters).map((name) => name.replace(/\.\$$/, ''));
    return resource === undefined ? [] : [{ state, resource, parameters }];
  });
}

/** As the journal names it: `dynamodb:UpdateItem`, `sfn:DescribeExecution`. */
export function apiOf({ resource }: UsedIntegration): string {
  const [service = '', operation = ''] = resource.split(':').slice(-2);
  return `${service}:${operation.charAt(0).toUpperCase()}${operation.slice(1)}`;
}
