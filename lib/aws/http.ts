// HTTP for deployed functions: Node's own client over connections that are kept and used again.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Fetch, FetchAnswer, FetchInit } from '../aep/transport.ts';

export interface ConnectionLimits {
  /** To each host. As many as the forwarder has lanes. */
  readonly connections: number;
  /** A connection that nobody needed for so long is closed; the server's own `Keep-Alive` counts where it is shorter. */
  readonly idleMs: number;
  /** Nobody takes longer to accept a connection, so it is worth another try. */
  readonly connectMs: number;
}

const LIMITS: ConnectionLimits = { connections: 8, idleMs: 30_000, connectMs: 5_000 };

/**
 * A fetch over HTTP/1.1, certificates always checked, redirects answered as they are. It rejects where no answer came, with
 * the reason of the signal where that was it; a connection that the other side had closed meanwhile is such a case.
 */
export function createFetch(limits = LIMITS): Fetch {
  const kept = { keepAlive: true, maxSockets: limits.connections, timeout: limits.idleMs };
  const plain = new Agent(kept);
  // Said here because a variable of the environment could say otherwise.
  const tls = new TlsAgent({ ...kept, rejectUnauthorized: true });
  return (url, { method, headers, body, signal }) => {
    const target = new URL(url);
    const options = { method, headers: headersFor(headers, body) };
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const request =
        target.protocol === 'https:'
          ? httpsRequest(target, { ...options, agent: tls })
          : httpRequest(target, { ...options, agent: plain });
      request.once('response', (message) => resolve(answerOf(message)));
      request.on('error', reject);
      // Without this Node lets go of the connection and never says so.
      request.once('upgrade', (_, socket) => {
        socket.destroy();
        reject(failed('EPROTO'));
      });
      request.once('socket', (socket) => limitConnecting(request, socket, limits.connectMs));
      endWith(signal, request, reject);
      request.end(body);
    });
  };
}

/** Its length is said for every body: Node does not do that for a DELETE. Nothing is unpacked, so nothing is to be packed. */
function headersFor(headers: FetchInit['headers'], body: FetchInit['body']): Record<string, string> {
  return {
    'accept-encoding': 'identity',
    ...headers,
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
  };
}

function answerOf(message: IncomingMessage): FetchAnswer {
  return {
    status: message.statusCode ?? 0,
    headers: {
      get(name) {
        const value = message.headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(', ') : (value ?? null);
      },
    },
    body: message,
  };
}

/** Passes an abort on to both sides with its reason, and lets go of the signal when the exchange is over: it can live for long. */
function endWith(signal: AbortSignal, request: ClientRequest, reject: (reason: unknown) => void): void {
  let answer: IncomingMessage | undefined;
  const abort = () => {
    // A request that waits for a connection would say so only when it has one.
    reject(signal.reason);
    answer?.destroy(signal.reason);
    request.destroy(signal.reason);
  };
  request.once('response', (message) => {
    answer = message;
  });
  signal.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal.removeEventListener('abort', abort));
}

function limitConnecting(request: ClientRequest, socket: Socket, connectMs: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => request.destroy(failed('ETIMEDOUT')), connectMs);
  const stop = () => clearTimeout(timer);
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', stop);
  socket.once('close', stop);
}

function failed(code: 'EPROTO' | 'ETIMEDOUT'): Error {
  return Object.assign(new Error(code), { code });
}
