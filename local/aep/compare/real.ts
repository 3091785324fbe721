// The real service beside the simulated one: what it takes to ask it, and who asks. No secret of it is ever written anywhere.
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
}

const LONGEST_MS = 30_000;
const LARGEST = 8 * 1024 * 1024;

/** Asks the real service with its own credential; the caller's headers stay here. Rejects where there is no answer. */
export class Real {
  readonly #options: RealOptions;
  #token: Promise<string> | undefined;

  constructor(options: RealOptions) {
    this.#options = options;
  }

  get origin(): string {
    return new URL(this.#options.url).origin;
  }

  async ask(asked: Asked): Promise<Seen> {
    const first = await this.#send(asked);
    if (first.status !== 401) return first;
    this.#token = undefined;
    return this.#send(asked);
  }

  async #send({ method, path, accept }: Asked): Promise<Seen> {
    const { url, clientId, organization, sandbox } = this.#options;
    this.#token ??= this.#newToken();
    const headers = {
      authorization: `Bearer ${await this.#token}`,
      'x-api-key': clientId,
      'x-gw-ims-org-id': organization,
      'x-sandbox-name': sandbox,
      accept: accept ?? 'application/json',
    };
    return seen(await fetch(url + path, { method, headers, ...limits() }));
  }

  async #newToken(): Promise<string> {
    const { imsUrl, clientId, clientSecret, scopes } = this.#options;
    const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const body = new URLSearchParams({ ...grant, scope: scopes });
    const answer = await fetch(`${imsUrl}/ims/token/v3`, { method: 'POST', body, ...limits() });
    const { access_token: token } = (await answer.json()) as { access_token?: unknown };
    if (answer.ok && typeof token === 'string') return token;
    this.#token = undefined;
    throw new Error(`IMS refused the credential: HTTP ${answer.status}`);
  }
}

function limits() {
  // Nobody is led to another host with the token.
  return { redirect: 'manual', signal: AbortSignal.timeout(LONGEST_MS) } as const;
}

async function seen(answer: Response): Promise<Seen> {
  const contentType = answer.headers.get('content-type') ?? undefined;
  const text = await answer.text();
  return { status: answer.status, contentType, body: parsed(text) };
}

/** What is no JSON is told by its type alone. */
export function parsed(text: string): unknown {
  if (text === '' || text.length > LARGEST) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
