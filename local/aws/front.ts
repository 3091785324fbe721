// A loopback port that speaks HTTP/1.1 and HTTP/2 in the clear: AWS's CLI speaks the one, the SDK's Kinesis client the other.
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { RunningServer } from './server.ts';

export type FrontRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & AsyncIterable<Buffer>;

/** How a client begins that knows beforehand that HTTP/2 is spoken: RFC 9113 §3.4. No method of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Serves `answer` on a free port of 127.0.0.1. Each connection is of the version that its first bytes are of. */
export async function startFront(
  answer: (request: FrontRequest, response: ServerResponse) => void,
): Promise<RunningServer> {
  const one = createHttp1(answer);
  // Longer than any pause between requests, so that a client does not reuse a connection that is being closed.
  one.keepAliveTimeout = 600_000;
  // Node's compatibility API gives a request and a response of HTTP/2 what those of HTTP/1.1 have.
  const two = http2.createServer((request, response) => {
    answer(request as unknown as FrontRequest, response as unknown as ServerResponse);
  });
  const sockets = new Set<Socket>();
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Until a server has taken it over; that one listens by itself.
    socket.on('error', () => socket.destroy());
    take(socket, (isTwo) => (isTwo ? two : one).emit('connection', socket));
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        // Clients keep their connections open; without this, close would wait for them.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Looks at the first bytes, and puts them back for whoever takes the connection. */
function take(socket: Socket, taken: (isTwo: boolean) => void): void {
  let first = Buffer.alloc(0);
  const look = () => {
    const more = socket.read() as Buffer | null;
    if (more === null) return;
    // Put back at once, they would be readable at once, for ever.
    first = Buffer.concat([first, more]);
    const known = Math.min(first.length, PREFACE.length);
    const isTwo = first.subarray(0, known).equals(PREFACE.subarray(0, known));
    // `P` may still become POST.
    if (isTwo && known < PREFACE.length) return;
    socket.off('readable', look);
    socket.unshift(first);
    taken(isTwo);
  };
  socket.on('readable', look);
}
