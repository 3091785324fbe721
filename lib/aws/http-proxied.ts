// undici's agent for a network that reaches the internet through a proxy.
import connect from 'undici/lib/api/api-connect.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';

/** The proxy of such a network. */
export interface ProxySettings {
  /** Its URL, which may hold a name and a password: `http://proxy.example.com:3128`. */
  readonly url: string;
  /** Hosts that are reached without it, as `NO_PROXY` lists them. */
  readonly except: string;
}

/** @param tls of the connections themselves, to the proxy, and to the hosts behind it */
export function createProxied({ url, except }: ProxySettings, options: Pool.Options, tls: TlsOptions) {
  return new EnvHttpProxyAgent({
    ...options,
    connect: tls,
    proxyTls: tls,
    requestTls: tls,
    // undici would take missing settings from the environment.
    httpProxy: '',
    httpsProxy: url,
    noProxy: except,
    // These pools open the tunnels. undici's main module adds `connect` to every dispatcher; here it is added by
    // hand.
    clientFactory: (origin, given) => Object.assign(new Pool(origin, given), { connect }),
  });
}

interface TlsOptions {
  readonly timeout: number;
  readonly rejectUnauthorized: boolean;
  readonly allowH2: boolean;
}
