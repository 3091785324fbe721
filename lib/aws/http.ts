// HTTP for deployed functions: undici's agent over connections that are kept, and a proxy where there is one.
import { setImmediate as nextTurn } from 'node:timers/promises';
import request from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { Fetch } from '../aep/transport.ts';
import type { ProxySettings } from './http-proxied.ts';

export interface ConnectionLimits {
  /** To each host. As many as the forwarder has lanes. */
  readonly connections: number;
  /** A connection that nobody needed for so long is closed; the server's own `Keep-Alive` counts where it is shorter. */
  readonly idleMs: number;
  /** Nobody takes longer to accept a connection, so it is worth another try. */
  readonly connectMs: number;
}

const CONNECTION_LIMITS: ConnectionLimits = { connections: 8, idleMs: 30_000, connectMs: 5_000 };

/**
 * A fetch over HTTP/1.1, certificates always checked, redirects answered as they are. It rejects where no answer came, with
 * the reason of the signal where that was it; a connection that the other side had closed meanwhile is such a case. Nothing is
 * sent twice, and a connection on which anything comes that nobody asked for is closed.
 */
export function createFetch(proxy?: ProxySettings, limits = CONNECTION_LIMITS): Fetch {
  const dispatcher = proxy
    ? loadProxied(proxy, limits)
    : new Agent({ ...optionsFor(limits), connect: tls(limits) });
  return async (url, { method, headers, body, signal }) => {
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    // Nothing is unpacked, so nothing is to be packed.
    const all = { 'accept-encoding': 'identity', ...headers };
    const asked = { origin, path: pathname + search, method, headers: all, body: body ?? null, signal };
    const answer = await orReason(signal, async () => {
      // A connection is free again one turn after its answer has ended: without this there would be another one for the next request.
      await nextTurn();
      return request.call(await dispatcher, asked);
    });
    return {
      status: answer.statusCode,
      headers: {
        get(name) {
          const value = answer.headers[name.toLowerCase()];
          return Array.isArray(value) ? value.join(', ') : (value ?? null);
        },
      },
      body: answer.body,
    };
  };
}

/** How long an answer may take is for the signal to say. */
function optionsFor({ connections, idleMs }: ConnectionLimits) {
  const kept = { connections, keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs };
  return { ...kept, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
}

/** That certificates are checked is said here because a variable of the environment could say otherwise. */
function tls({ connectMs }: ConnectionLimits) {
  return { timeout: connectMs, rejectUnauthorized: true, allowH2: false };
}

/** Few networks need it, so it is loaded where there is a proxy. */
async function loadProxied(proxy: ProxySettings, limits: ConnectionLimits) {
  const { createProxied } = await import('./http-proxied.ts');
  return createProxied(proxy, optionsFor(limits), tls(limits));
}

/** A request that waits for a connection hears of the signal only when it has one; whoever waits for the request hears at once. */
async function orReason<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([start(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
