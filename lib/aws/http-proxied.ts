// undici's agent for a network that has a proxy between itself and the world.
import connect from 'undici/lib/api/api-connect.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';

/** The way out of a network that has no other. */
export interface ProxySettings {
  /** Its URL, which may hold a name and a password: `http://proxy.example.com:3128`. */
  readonly url: string;
  /** Hosts that are asked without it, as `NO_PROXY` lists them. */
  readonly except: string;
}

/** @param tls of the connections themselves, to the proxy, and to the hosts behind it */
export function createProxied({ url, except }: ProxySettings, options: Pool.Options, tls: TlsOptions) {
  return new EnvHttpProxyAgent({
    ...options,
    connect: tls,
    proxyTls: tls,
    requestTls: tls,
    // What is left out here, undici would take from the environment.
    httpProxy: '',
    httpsProxy: url,
    noProxy: except,
    // Asks for the tunnels; to every dispatcher that undici's front door shows, it gives this method.
    clientFactory: (origin, given) => Object.assign(new Pool(origin, given), { connect }),
  });
}

interface TlsOptions {
  readonly timeout: number;
  readonly rejectUnauthorized: boolean;
  readonly allowH2: boolean;
}
