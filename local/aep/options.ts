// Options of a simulated platform, with defaults that need no account.

import { type Clock, realClock } from './clock.ts';
import type { JsonObject } from './json.ts';
import { type Quirks, quirksOf } from './quirks.ts';
import { builtIn, type Standard } from './xdm/standard.ts';

export interface Credential {
  readonly clientId: string;
  /** One or two live secrets, as during a rotation (contract §1). */
  readonly clientSecrets: readonly string[];
  readonly scopes?: readonly string[];
}

export interface SandboxOptions {
  readonly name: string;
  readonly title?: string;
  readonly type?: 'production' | 'development';
  readonly state?: string;
  readonly isDefault?: boolean;
  /** `VA6` where AEP runs on AWS. Default: `VA7`. */
  readonly region?: string;
}

export interface PlatformOptions {
  /** Where inlets live; the server sets it once it knows its port. */
  origin?: string;
  tenant?: string;
  organization?: string;
  sandboxes?: readonly SandboxOptions[];
  credentials?: readonly Credential[];
  tokenSeconds?: number;
  /** A flow takes data only this long after it was made or changed (contract §4.6). */
  warmUpMs?: number;
  /** The validator behind an inlet sees schema changes this late (contract §6.4). */
  schemaCacheMs?: number;
  /** Every list is this old. */
  staleMs?: number;
  /** From the inlet's answer to the row in the lake. */
  ingestDelayMs?: number;
  /** Rows that arrive this soon after each other share a batch; 0 gives each request its own. */
  batchWindowMs?: number;
  /** Rows and refusals kept per dataset; counts stay exact beyond it. */
  keepRows?: number;
  keepRequests?: number;
  /** Without it rows land as they came, neither mapped nor checked: for load that is not about them. */
  validation?: boolean;
  /** 1000 requests/s and 10,000 messages/s per inlet, then 429 without Retry-After. */
  rateLimits?: boolean;
  /** Which variant to play where Adobe's material says two things; each that is not named plays the best supported one. */
  quirks?: Partial<Quirks>;
  /** What of Adobe's XDM it knows: classes, field groups, data types. Default: what is built in. */
  xdm?: Standard;
  /** Called with every record that an inlet, or a flow by itself, has taken in, and its id. */
  onReceived?: (records: readonly JsonObject[], inletId: string) => void;
  /** Called with every row that has landed, and its dataset's id, as the oldest ones are forgotten. */
  onLanded?: (rows: readonly JsonObject[], dataSetId: string) => void;
  /** Where the Kinesis is that flows read by themselves; without it they stay idle. */
  kinesis?: string;
  /** How long after a look at such a stream the next one comes. */
  pullMs?: number;
  clock?: Clock;
  seed?: number;
}

export type Settings = {
  readonly [K in keyof Required<PlatformOptions>]: K extends 'quirks' ? Quirks : Required<PlatformOptions>[K];
};

/** Easy to recognise as fake. */
export const FAKE_CREDENTIAL: Credential = {
  clientId: 'simulated-client-id',
  clientSecrets: ['simulated-client-secret'],
};

const DEFAULTS: Settings = {
  origin: 'http://127.0.0.1',
  tenant: 'acmelab',
  organization: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
  sandboxes: [
    { name: 'prod', title: 'Prod', type: 'production', isDefault: true },
    { name: 'dev1', title: 'Development', type: 'development' },
  ],
  credentials: [FAKE_CREDENTIAL],
  tokenSeconds: 86_399,
  warmUpMs: 300_000,
  schemaCacheMs: 900_000,
  staleMs: 0,
  ingestDelayMs: 0,
  batchWindowMs: 0,
  keepRows: 100_000,
  keepRequests: 2_000,
  validation: true,
  rateLimits: false,
  quirks: quirksOf(),
  xdm: builtIn,
  onReceived: () => undefined,
  onLanded: () => undefined,
  kinesis: '',
  pullMs: 1_000,
  clock: realClock,
  seed: 1,
};

export function settle(options: PlatformOptions): Settings {
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(DEFAULTS, key));
  if (unknown.length > 0) {
    const allowed = Object.keys(DEFAULTS).join(', ');
    throw new TypeError(`Unknown option ${unknown.join(', ')}. Allowed: ${allowed}.`);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given), quirks: quirksOf(options.quirks) };
}
