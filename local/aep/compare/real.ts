// Asks the real service, with a credential from the environment. No secret of it is ever written anywhere.
import type { Seen } from './shapes.ts';

/** The real service, and a credential for it. */
export interface RealOptions {
  /** `https://platform.adobe.io`; plain HTTP only on this machine. */
  readonly url: string;
  readonly imsUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `…@AdobeOrg` */
  readonly organization: string;
  readonly sandbox: string;
  readonly scopes: string;
}

const NAMES = {
  clientId: 'AEP_CONTRACT_CLIENT_ID',
  clientSecret: 'AEP_CONTRACT_CLIENT_SECRET',
  organization: 'AEP_CONTRACT_ORGANIZATION_ID',
  sandbox: 'AEP_CONTRACT_SANDBOX',
} as const;

const SCOPES = 'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session';

export type Environment = { readonly [name: string]: string | undefined };

/** From the environment, where no other process reads it off a command line. Throws an Error that names what is missing. */
export function realFrom(url: string, env: Environment): RealOptions {
  const imsUrl = env.AEP_CONTRACT_IMS_URL || 'https://ims-na1.adobelogin.com';
  for (const each of [url, imsUrl]) {
    const { protocol, hostname } = URL.parse(each) ?? {};
    if (protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1')) continue;
    throw new Error(`expected an https URL, such as https://platform.adobe.io; found '${each}'`);
  }
  const missing = Object.values(NAMES).filter((name) => !env[name]);
  if (missing.length > 0) throw new Error(`the real service needs ${missing.join(', ')} in the environment`);
  const of = (name: keyof typeof NAMES) => env[NAMES[name]] as string;
  return {
    url: url.replace(/\/$/, ''),
    imsUrl: imsUrl.replace(/\/$/, ''),
    clientId: of('clientId'),
    clientSecret: of('clientSecret'),
    organization: of('organization'),
    sandbox: of('sandbox'),
    scopes: env.AEP_CONTRACT_SCOPES || SCOPES,
  };
}

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly accept: string | undefined;
  /** Which of the gateway's headers the caller has sent. Their values are replaced. A header that is missing stays missing. */
  readonly signed: ReadonlySet<string>;
}

/** The headers that the gateway checks (contract §0). Each has another value there. */
export const SIGNED = ['authorization', 'x-api-key', 'x-gw-ims-org-id', 'x-sandbox-name'] as const;

const MAX_MS = 30_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** IMS throttles a caller that asks too often. After a failure it is not asked for this long. */
const PAUSE_MS = 30_000;

/** Asks the real service with its own credential. */
export interface Real {
  readonly origin: string;
  /** Rejects where there is no answer, and where there is no token. */
  ask(asked: Asked): Promise<Seen>;
  /** Aborts the requests that are under way. */
  close(): void;
}

/** @param now milliseconds that only go up */
export function createReal(options: RealOptions, now: () => number = () => performance.now()): Real {
  const closed = new AbortController();
  const limits = () => ({
    // A redirect must not take the token to another host.
    redirect: 'manual' as const,
    signal: AbortSignal.any([closed.signal, AbortSignal.timeout(MAX_MS)]),
  });
  let token: string | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  async function currentToken(): Promise<string> {
    if (token !== undefined) return token;
    if (now() - failedAt < PAUSE_MS) throw new Error('IMS has just failed');
    try {
      token = await newToken(options, limits());
      return token;
    } catch (error) {
      failedAt = now();
      throw error;
    }
  }

  async function send({ method, path, accept, signed }: Asked): Promise<Seen> {
    const own: Readonly<Record<(typeof SIGNED)[number], () => string | Promise<string>>> = {
      authorization: async () => `Bearer ${await currentToken()}`,
      'x-api-key': () => options.clientId,
      'x-gw-ims-org-id': () => options.organization,
      'x-sandbox-name': () => options.sandbox,
    };
    const headers = new Headers(accept === undefined ? {} : { accept });
    for (const name of SIGNED) if (signed.has(name)) headers.set(name, await own[name]());
    return seen(await fetch(options.url + path, { method, headers, ...limits() }));
  }

  return {
    origin: new URL(options.url).origin,
    async ask(asked) {
      const first = await send(asked);
      if (first.status !== 401 || !asked.signed.has('authorization')) return first;
      token = undefined;
      return send(asked);
    },
    close: () => closed.abort(new Error('closed')),
  };
}

async function newToken(options: RealOptions, limits: RequestInit): Promise<string> {
  const { imsUrl, clientId, clientSecret, scopes } = options;
  const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const body = new URLSearchParams({ ...grant, scope: scopes });
  const answer = await seen(await fetch(`${imsUrl}/ims/token/v3`, { method: 'POST', body, ...limits }));
  const { access_token: token } = (answer.body ?? {}) as { access_token?: unknown };
  if (answer.status === 200 && typeof token === 'string') return token;
  throw new Error(`IMS gave no token: HTTP ${answer.status}`);
}

async function seen(answer: Response): Promise<Seen> {
  const contentType = answer.headers.get('content-type') ?? undefined;
  return { status: answer.status, contentType, body: parsed(await bounded(answer)) };
}

/** Empty where the body is larger than any answer of Adobe's: an endless page must not fill the memory. */
async function bounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > MAX_BYTES) return '';
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Of a body that is no JSON, only its type is compared. */
export function parsed(text: string): unknown {
  if (text === '' || text.length > MAX_BYTES) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
