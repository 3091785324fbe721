// All environment variables that Penstock reads, in one place and with a schema.
import { Failure, issuesText } from './failure.ts';
import * as z from './zod.ts';

/** https, or this machine: tokens and records are never sent unencrypted. */
const origin = z.pipe(
  z.url().check(
    z.refine((url) => /^(https:\/\/[^/]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)\/?$/.test(url), {
      error: 'expected https://host, without a path; http only for this machine',
    }),
  ),
  z.transform((url) => new URL(url).origin),
);

/** Comma-separated. */
const commaSeparated = z.transform((list: string) => list.split(',').map((entry) => entry.trim()));

const optionalText = z.optional(z.string().check(z.minLength(1)));

const seconds = (most: number) => z.coerce.number().check(z.minimum(0), z.maximum(most));

const Settings = z.object({
  /** Deployment stage; part of the names of secrets. */
  PENSTOCK_STAGE: z._default(
    z.string().check(z.regex(/^[a-z0-9-]{1,32}$/, 'expected 1 to 32 of a-z, 0-9 and -')),
    'dev',
  ),
  /** Id or ARN of the secret that holds the Adobe credentials; `penstock/{stage}/credentials` by default. */
  PENSTOCK_CREDENTIALS_SECRET: z.optional(
    // A secret in place of its name would appear in a message. Adobe's secrets begin with p8e-.
    z.string().check(z.regex(/^(?!p8e-)[\w/+=.@:-]{1,2048}$/, 'expected the name or the ARN of a secret')),
  ),
  PENSTOCK_IMS_URL: z._default(origin, 'https://ims-na1.adobelogin.com'),
  PENSTOCK_PLATFORM_URL: z._default(origin, 'https://platform.adobe.io'),
  /** Origins that an inlet may have, comma-separated. */
  PENSTOCK_INLET_ORIGINS: z.pipe(
    z.pipe(z._default(z.string(), 'https://dcs.adobedc.net'), commaSeparated),
    z.array(origin).check(z.minLength(1)),
  ),
  /** Where rejected records are kept: `s3://bucket/prefix` or `file:///folder`. */
  PENSTOCK_DEAD_LETTERS_URL: z.optional(
    z.url({ protocol: /^(s3|file)$/, error: 'expected s3://bucket/prefix or file:///folder' }),
  ),
  /** Name or ARN of the forwarder function, which the trigger calls. */
  PENSTOCK_FORWARDER: optionalText,
  /** Name or ARN of the redrive function, which reconcile starts. */
  PENSTOCK_REDRIVE: optionalText,
  /** ARN of the bucket where Lambda puts batches that it discarded. */
  PENSTOCK_ON_FAILURE_ARN: optionalText,
  /** The ledger's table. */
  PENSTOCK_TABLE: optionalText,
  /** ARN of the key that encrypts the published pipelines. */
  PENSTOCK_KMS_KEY: optionalText,
  /** ARN of the state machine that deploy hooks start. */
  PENSTOCK_STATE_MACHINE: z.optional(
    z
      .string()
      .check(
        z.regex(
          /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[\w-]{1,80}$/,
          'expected the ARN of a state machine',
        ),
      ),
  ),
  /** Id or ARN of the secret with the keys of deploy hooks; `penstock/{stage}/hook` by default. */
  PENSTOCK_HOOK_SECRET: z.optional(
    z.string().check(z.regex(/^(?!whsec_)[\w/+=.@:-]{1,2048}$/, 'expected the name or the ARN of a secret')),
  ),
  /** What starts if a sender says only that something was deployed: a pipeline of the bundle, or `all`. */
  PENSTOCK_HOOK_STARTS: z._default(
    z.string().check(z.regex(/^[\w.-]{1,64}$/, 'expected the name of a pipeline, or "all"')),
    'all',
  ),
  /** Environments whose deployments may start something, comma-separated, in any case; `all` is every one. */
  PENSTOCK_HOOK_ENVIRONMENTS: z.pipe(
    z._default(z.string(), 'all'),
    z.transform((text) =>
      text === 'all' ? undefined : text.split(',').map((name) => name.trim().toLowerCase()),
    ),
  ),
  /** Whether a hook may bring a manifest. */
  PENSTOCK_HOOK_MANIFESTS: z._default(z.enum(['no', 'yes']), 'no'),
  /**
   * Folder of the pipelines that a hook can start, in place of `pipelines/`. Bundled functions do not read
   * it: the build has put the pipelines in.
   */
  PENSTOCK_PIPELINES: optionalText,
  /** Whether an execution may wait less than it takes to lose nothing: for tests, and on a laptop. */
  PENSTOCK_SHORT_WAITS: z._default(z.enum(['no', 'yes']), 'no'),
  /**
   * How old a list of AEP's may be, in seconds: a create in doubt is looked for that long before it is
   * repeated.
   */
  PENSTOCK_LIST_DELAY_SECONDS: z._default(seconds(600), 35),
  /**
   * How old the forwarder's copy of a published pipeline may be, in seconds. What it replaces is kept longer.
   */
  PENSTOCK_PUBLISHED_SECONDS: z._default(seconds(60), 60),
  /** The proxy on the way to Adobe, as many tools call it. Calls to AWS do not use it. */
  HTTPS_PROXY: z.optional(
    z.url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' }),
  ),
  /** Hosts that are called without the proxy, as many tools list them. */
  NO_PROXY: z._default(z.string(), ''),
  /** Tags of what is made at run time: `team=data,cost-centre=42`. */
  PENSTOCK_TAGS: z.pipe(
    z.pipe(
      z._default(z.string(), ''),
      z.transform((text: string) => text.split(',').filter((one) => one !== '')),
    ),
    z.array(z.string().check(z.regex(/^[^=]+=/, 'expected name=value, several separated by commas'))),
  ),
  /** Whether schemas are asked for that records name in Glue's Schema Registry. */
  PENSTOCK_SCHEMA_REGISTRY: z._default(z.enum(['no', 'yes']), 'no'),
  PENSTOCK_LOG_LEVEL: z._default(z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO'),
});

export interface Settings {
  readonly stage: string;
  readonly credentialsSecret: string;
  readonly imsUrl: string;
  readonly platformUrl: string;
  readonly inletOrigins: readonly string[];
  readonly deadLettersUrl: string | undefined;
  readonly forwarder: string | undefined;
  readonly redrive: string | undefined;
  readonly onFailureArn: string | undefined;
  readonly table: string | undefined;
  readonly kmsKey: string | undefined;
  readonly stateMachine: string | undefined;
  readonly hookSecret: string;
  readonly hookStarts: string;
  /** In lower case; every environment if there is no list. */
  readonly hookEnvironments: readonly string[] | undefined;
  readonly hookManifests: boolean;
  readonly pipelines: string | undefined;
  readonly shortWaits: boolean;
  readonly listDelaySeconds: number;
  readonly publishedSeconds: number;
  /** The proxy to Adobe, if any; its URL may hold a password. */
  readonly proxy: { readonly url: string; readonly except: string } | undefined;
  /** Tags of what is made at run time, by name. */
  readonly tags: Readonly<Record<string, string>>;
  readonly schemaRegistry: boolean;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}

/** @throws Failure `SETTINGS_INVALID` naming each variable that is wrong, never its value. */
export function settingsFrom(environment: Record<string, string | undefined>): Settings {
  // An empty variable counts as not set: deploy tools often set one.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = Settings.safeParse(given);
  if (!result.success) {
    throw new Failure(
      'SETTINGS_INVALID',
      `the environment is not usable:\n${issuesText(result.error.issues)}`,
    );
  }
  const found = result.data;
  return {
    stage: found.PENSTOCK_STAGE,
    credentialsSecret: found.PENSTOCK_CREDENTIALS_SECRET ?? `penstock/${found.PENSTOCK_STAGE}/credentials`,
    imsUrl: found.PENSTOCK_IMS_URL,
    platformUrl: found.PENSTOCK_PLATFORM_URL,
    inletOrigins: found.PENSTOCK_INLET_ORIGINS,
    deadLettersUrl: found.PENSTOCK_DEAD_LETTERS_URL,
    forwarder: found.PENSTOCK_FORWARDER,
    redrive: found.PENSTOCK_REDRIVE,
    onFailureArn: found.PENSTOCK_ON_FAILURE_ARN,
    table: found.PENSTOCK_TABLE,
    kmsKey: found.PENSTOCK_KMS_KEY,
    stateMachine: found.PENSTOCK_STATE_MACHINE,
    hookSecret: found.PENSTOCK_HOOK_SECRET ?? `penstock/${found.PENSTOCK_STAGE}/hook`,
    hookStarts: found.PENSTOCK_HOOK_STARTS,
    hookEnvironments: found.PENSTOCK_HOOK_ENVIRONMENTS,
    hookManifests: found.PENSTOCK_HOOK_MANIFESTS === 'yes',
    pipelines: found.PENSTOCK_PIPELINES,
    shortWaits: found.PENSTOCK_SHORT_WAITS === 'yes',
    listDelaySeconds: found.PENSTOCK_LIST_DELAY_SECONDS,
    publishedSeconds: found.PENSTOCK_PUBLISHED_SECONDS,
    proxy: found.HTTPS_PROXY === undefined ? undefined : { url: found.HTTPS_PROXY, except: found.NO_PROXY },
    tags: Object.fromEntries(
      found.PENSTOCK_TAGS.map((tag) => [
        tag.slice(0, tag.indexOf('=')).trim(),
        tag.slice(tag.indexOf('=') + 1).trim(),
      ]),
    ),
    schemaRegistry: found.PENSTOCK_SCHEMA_REGISTRY === 'yes',
    logLevel: found.PENSTOCK_LOG_LEVEL,
  };
}
