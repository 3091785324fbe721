// A TCP proxy that treats what goes through it as a bad network does: late, in crumbs, cut off at a byte, torn down, or not at all.
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One connection through the proxy: the client's side, and the server's. */
export interface Line {
  readonly client: Socket;
  /** Connects to the server, once. */
  server(): Socket;
  /** 0 for the first connection there was. */
  readonly index: number;
}

/** What happens to a connection. */
export type Toxic = (line: Line) => void;

export interface Proxy {
  readonly port: number;
  /** How many connections went through the toxic. */
  readonly struck: number;
  /** From now on everything goes through as it is. */
  heal(): void;
  close(): Promise<void>;
}

export async function startProxy(serverPort: number, toxic: Toxic): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    return socket.once('close', () => sockets.delete(socket));
  };
  let [struck, healthy] = [0, false];
  const proxy = createServer((client) => {
    keep(client);
    let server: Socket | undefined;
    const line = {
      client,
      index: struck,
      server: () => {
        server ??= keep(connect(serverPort, '127.0.0.1'));
        return server;
      },
    };
    client.once('close', () => server?.destroy());
    if (healthy) return asItIs(line);
    struck++;
    toxic(line);
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  const address = proxy.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get struck() {
      return struck;
    },
    heal: () => {
      healthy = true;
    },
    close: async () => {
      const closed = new Promise((done) => proxy.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const asItIs: Toxic = ({ client, server }) => {
  client.pipe(server());
  server().pipe(client);
};

/** Passes chunks on in order, each when `pass` is done with it. */
function through(from: Socket, to: Socket, pass: (chunk: Buffer) => Promise<void>): void {
  let last = Promise.resolve();
  from.on('data', (chunk: Buffer) => {
    last = last.then(() => pass(chunk));
  });
  from.once('end', () => void last.then(() => to.end()));
}

const bothWays =
  (pass: (chunk: Buffer, to: Socket) => Promise<void>): Toxic =>
  ({ client, server }) => {
    through(client, server(), (chunk) => pass(chunk, server()));
    through(server(), client, (chunk) => pass(chunk, client));
  };

export const late = (ms: () => number): Toxic =>
  bothWays(async (chunk, to) => {
    await sleep(ms());
    to.write(chunk);
  });

/** One byte at a time. */
export const sliced: Toxic = bothWays(async (chunk, to) => {
  to.setNoDelay();
  for (const byte of chunk) {
    to.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
});

/** Swallows the request. */
export const blackHole: Toxic = ({ client }) => void client.resume();

/** Brings the request there, and swallows the answer. */
export const blackHoleBack: Toxic = ({ client, server }) => {
  client.pipe(server());
  server().resume();
};

/** Torn down when the request begins to come. */
export const resetBefore: Toxic = ({ client }) => void client.once('data', () => client.resetAndDestroy());

/** So many bytes of the answer, then it is torn down or, `gently`, closed. */
export const cutAt =
  (offset: (index: number) => number, gently = false): Toxic =>
  ({ client, server, index }) => {
    let left = offset(index);
    client.pipe(server());
    server().on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length === chunk.length) {
        client.write(part);
        return;
      }
      server().destroy();
      if (gently) client.end(part);
      // A reset overtakes what was written just before it.
      else client.write(part, () => setTimeout(() => client.resetAndDestroy(), 2));
    });
  };

/** The answer's headers, and then a reset. */
export const resetAfterHeaders: Toxic = ({ client, server }) => {
  client.pipe(server());
  server().once('data', (chunk: Buffer) => {
    const end = chunk.indexOf('\r\n\r\n') + 4;
    client.write(chunk.subarray(0, end), () => setTimeout(() => client.resetAndDestroy(), 2));
  });
};

/** Closes long after the server has. */
export const slowClose: Toxic = ({ client, server }) => {
  client.pipe(server());
  server().on('data', (chunk: Buffer) => client.write(chunk));
  server().once('end', () => setTimeout(() => client.end(), 50));
};
