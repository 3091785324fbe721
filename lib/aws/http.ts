// HTTP for deployed functions: Node's own client over connections that are kept and used again.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Fetch, FetchAnswer, FetchInit } from '../aep/transport.ts';

/** As many as the forwarder has lanes. */
const CONNECTIONS = 8;
/** A connection that nobody needed for so long is closed; the server's own `Keep-Alive` counts where it is shorter. */
const IDLE_MS = 30_000;
/** Nobody takes longer to accept a connection, so it is worth another try. */
const CONNECT_MS = 5_000;

/**
 * A fetch over HTTP/1.1, certificates always checked, redirects answered as they are. It rejects where no answer came, with
 * the reason of the signal where that was it; a connection that the other side had closed meanwhile is such a case.
 */
export function createFetch(): Fetch {
  const kept = { keepAlive: true, maxSockets: CONNECTIONS, timeout: IDLE_MS };
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
      request.once('socket', (socket) => limitConnecting(request, socket, target.protocol));
      endWith(signal, request);
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
function endWith(signal: AbortSignal, request: ClientRequest): void {
  let answer: IncomingMessage | undefined;
  const abort = () => {
    answer?.destroy(signal.reason);
    request.destroy(signal.reason);
  };
  request.once('response', (message) => {
    answer = message;
  });
  signal.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal.removeEventListener('abort', abort));
}

function limitConnecting(request: ClientRequest, socket: Socket, protocol: string): void {
  if (!socket.connecting) return;
  const late = Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => request.destroy(late), CONNECT_MS);
  const stop = () => clearTimeout(timer);
  socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', stop);
  socket.once('close', stop);
}
