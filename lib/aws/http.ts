// HTTP for deployed functions: undici's agent with connections that are kept, and a proxy where there is one.
import { setImmediate as nextTurn } from 'node:timers/promises';
import request from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { Fetch } from '../aep/transport.ts';
import type { ProxySettings } from './http-proxied.ts';

export interface ConnectionLimits {
  /** Connections to each host. All inlets are on one, so a stream of many routes needs more than one inlet takes. */
  readonly connections: number;
  /** How long an idle connection is kept; a shorter `Keep-Alive` of the server counts. */
  readonly idleMs: number;
  /** No server takes longer to accept a connection, so a new try is better. */
  readonly connectMs: number;
}

const CONNECTION_LIMITS: ConnectionLimits = { connections: 24, idleMs: 30_000, connectMs: 5_000 };

/**
 * A fetch over HTTP/1.1. Certificates are always checked, and redirects are returned. It rejects if no answer came,
 * with the signal's reason if that ended it. That includes a connection that the other side had closed meanwhile.
 * Nothing is sent twice. A connection with unexpected data is closed.
 */
export function createFetch(proxy?: ProxySettings, limits = CONNECTION_LIMITS): Fetch {
  const dispatcher = proxy
    ? loadProxied(proxy, limits)
    : new Agent({ ...optionsFor(limits), connect: tls(limits) });
  return async (url, { method, headers, body, signal }) => {
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    // Answers are not unpacked, so servers must not compress them.
    const all = { 'accept-encoding': 'identity', ...headers };
    const asked = { origin, path: pathname + search, method, headers: all, body: body ?? null, signal };
    const answer = await orReason(signal, async () => {
      // A connection is free one turn after its answer has ended. Without this wait the next request would open
      // another one.
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

/** The signal limits how long an answer may take. */
function optionsFor({ connections, idleMs }: ConnectionLimits) {
  const kept = { connections, keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs };
  return { ...kept, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
}

/** Set here, because a variable of the environment could switch the check off. */
function tls({ connectMs }: ConnectionLimits) {
  return { timeout: connectMs, rejectUnauthorized: true, allowH2: false };
}

/** Few networks need a proxy, so its module is loaded only with one. */
async function loadProxied(proxy: ProxySettings, limits: ConnectionLimits) {
  const { createProxied } = await import('./http-proxied.ts');
  return createProxied(proxy, optionsFor(limits), tls(limits));
}

/** undici notices the signal only once the request has a connection. Here the caller is told at once. */
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
