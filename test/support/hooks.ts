// A deploy hook with everything around it in memory: Step Functions by its own rules, a secret, a log that is kept.
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../../lib/failure.ts';
import type { Bundle } from '../../lib/hook/bundle.ts';
import { createHook, type HookRuntime } from '../../lib/hook/hook.ts';
import type { UrlAnswer } from '../../lib/hook/url.ts';
import type { LedgerRecord, Secrets } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';

/** The folder of the sample pipelines. */
export const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

export const GITHUB_KEY = 'fake-github-key-0123456789';
export const PREVIOUS_GITHUB_KEY = 'fake-previous-github-key-01';
const bytes = (fill: string) => Buffer.alloc(32, fill);
export const STANDARD_KEY = `whsec_${bytes('fake').toString('base64')}`;
export const PREVIOUS_STANDARD_KEY = `whsec_${bytes('past').toString('base64')}`;
export const SECRET = {
  github: { key: GITHUB_KEY, previousKey: PREVIOUS_GITHUB_KEY },
  standardWebhooks: { key: STANDARD_KEY, previousKey: PREVIOUS_STANDARD_KEY },
};

export const NOW = Date.parse('2026-11-27T12:00:00Z');

export const BUNDLE: Bundle = {
  clicks: { manifest: { version: 1, name: 'clicks' } },
  'customer-profiles': { manifest: { version: 1, name: 'customer-profiles' }, samples: [{ record: {} }] },
};

export interface FakeExecution {
  readonly name: string;
  readonly input: string;
  status: string;
  /** ms since the epoch */
  startedAt: number;
}

/** Started once, whatever happens to it; a name is never free again. */
export function fakeExecutions(now: () => number = () => NOW) {
  const all = new Map<string, FakeExecution>();
  const arn = (name: string) =>
    `arn:aws:states:eu-west-1:123456789012:execution:penstock-dev-provision:${name}`;
  const failures: Failure[] = [];
  return {
    all,
    failures,
    list: () => [...all.values()],
    arn,
    async start(name: string, input: string) {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const found = all.get(name);
      if (found === undefined) all.set(name, { name, input, status: 'RUNNING', startedAt: now() });
      return found === undefined || (found.status === 'RUNNING' && found.input === input);
    },
    async describe(executionArn: string) {
      return all.get(executionArn.slice(executionArn.lastIndexOf(':') + 1));
    },
  };
}

export interface HookOptions {
  readonly secret?: unknown;
  readonly bundle?: Bundle;
  readonly environment?: Record<string, string>;
}

export function hookWorld({ secret = SECRET, bundle = BUNDLE, environment = {} }: HookOptions = {}) {
  const state = { now: NOW, secret: typeof secret === 'string' ? secret : JSON.stringify(secret), reads: 0 };
  const logged: string[] = [];
  const write = (message: string, fields?: object) =>
    void logged.push(JSON.stringify({ message, ...fields }));
  const executions = fakeExecutions(() => state.now);
  /** What the ledger keeps, by pipeline. */
  const kept = new Map<string, Omit<LedgerRecord, 'pipeline'>>();
  const ledger = {
    read: async (pipeline: string): Promise<LedgerRecord | undefined> => {
      const found = kept.get(pipeline);
      return found && { pipeline, ...found };
    },
  };
  const secrets = {
    get: async () => {
      state.reads += 1;
      return state.secret as string | undefined;
    },
  } as unknown as Secrets;
  const runtime: HookRuntime = {
    settings: settingsFrom(environment),
    clock: { now: () => state.now, sleep: async () => undefined },
    log: { debug: write, info: write, warn: write, error: write },
    secrets,
    executions,
    ledger,
    bundle,
  };
  const hook = createHook(() => runtime);
  return {
    state,
    logged,
    executions,
    kept,
    ledger,
    hook,
    send: async (event: unknown) => (await hook(event)) as UrlAnswer,
  };
}

/** A request to the URL, as Lambda brings it. */
export function request(
  body: string | Buffer | undefined,
  headers: Record<string, string>,
  more: { method?: string; isBase64Encoded?: boolean } = {},
) {
  return {
    version: '2.0',
    requestContext: { http: { method: more.method ?? 'POST', path: '/' } },
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : body.toString('base64') }),
    isBase64Encoded: more.isBase64Encoded ?? typeof body === 'object',
  };
}

export function githubSignature(body: string | Buffer, key = GITHUB_KEY): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

export function fromGithub(body: unknown, { key = GITHUB_KEY, delivery = 'd-1' } = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return request(text, {
    'x-hub-signature-256': githubSignature(text, key),
    'x-github-delivery': delivery,
    'x-github-event': 'push',
  });
}

export function standardHeaders(
  body: string | Buffer,
  { id = 'msg_1', at = NOW / 1_000, key = STANDARD_KEY } = {},
) {
  const hmac = createHmac('sha256', Buffer.from(key.slice(6), 'base64'));
  hmac.update(`${id}.${at}.`).update(body);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${hmac.digest('base64')}`,
  };
}

export function standard(body: unknown, options: Parameters<typeof standardHeaders>[1] = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return request(text, standardHeaders(text, options));
}

export function busEvent(source: string, type: string, detail: object, id = 'e-1') {
  return { version: '0', id, source, 'detail-type': type, account: '123456789012', detail };
}

export const bodyOf = (answer: UrlAnswer) => JSON.parse(answer.body) as Record<string, unknown>;
