// undici's agent for a network that has a proxy between itself and the world.
import connect from 'undici/lib/api/api-connect.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { ProxySettings } from './http.ts';

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
