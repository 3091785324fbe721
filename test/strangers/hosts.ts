// Replaces Adobe's IMS by the simulated one in what Adobe's Node libraries speak HTTP with: `fetch`, and `https` for node-fetch.
import http from 'node:http';
import https from 'node:https';

const ADOBE = new Set(['ims-na1.adobelogin.com', 'ims-na1-stg1.adobelogin.com']);

/** @returns what puts everything back. */
export function leadTo(origin: string): () => void {
  const there = new URL(origin);
  const { fetch } = globalThis;
  const { request } = https;
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    checkHost(url.hostname, there);
    url.protocol = there.protocol;
    url.host = there.host;
    return fetch(url, init);
  };
  https.request = ((options: http.RequestOptions, answered?: (reply: http.IncomingMessage) => void) => {
    checkHost(String(options.hostname ?? options.host), there);
    const { hostname, port, protocol } = there;
    return http.request({ ...options, protocol, hostname, host: hostname, port, agent: undefined }, answered);
  }) as typeof https.request;
  return () => {
    globalThis.fetch = fetch;
    https.request = request;
  };
}

/** Nothing leaves the machine. */
function checkHost(hostname: string, there: URL): void {
  if (ADOBE.has(hostname) || hostname === there.hostname) return;
  throw new Error(`${hostname} is not asked from here`);
}
