// Doors in front of the local services: a function goes through them, and they remember what was asked first, and when.
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import type { Stack } from '../local/start/stack.ts';

/** What a function is there for: its first request to a service, of all or of those whose first line is like that. */
export interface Effect {
  readonly what: string;
  readonly service: Service;
  readonly request?: RegExp;
}

export type Service = 'aep' | 'dynamodb' | 'kinesis' | 'lambda' | 'secrets' | 'states';

interface Seen {
  readonly service: Service;
  readonly line: string;
  readonly at: bigint;
}

export interface Doors {
  /** What a function needs in its environment to come by. */
  readonly environment: Readonly<Record<string, string>>;
  clear(): void;
  /** When it was seen, by `process.hrtime`. */
  seen(effect: Effect): bigint | undefined;
  /** The same, as soon as it is. */
  first(effect: Effect): Promise<bigint>;
  close(): Promise<void>;
}

export async function openDoors(stack: Stack): Promise<Doors> {
  const all: Seen[] = [];
  const waiting = new Set<() => void>();
  const servers: Server[] = [];
  const open = async (service: Service, behind: string): Promise<string> => {
    const { hostname, port } = new URL(behind);
    const server = createServer((socket) => {
      const inner = connect(Number(port), hostname);
      socket.on('data', (chunk) => {
        const at = process.hrtime.bigint();
        all.push({ service, line: chunk.toString('latin1', 0, 200).split('\r\n')[0] ?? '', at });
        for (const look of waiting) look();
      });
      socket.pipe(inner).pipe(socket);
      for (const one of [socket, inner])
        one.on('error', () => {
          socket.destroy();
          inner.destroy();
        });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const { endpoints, env } = stack.aws;
  const aep = await open('aep', stack.platform.origin);
  const environment = {
    ...env,
    ...stack.settings,
    PENSTOCK_IMS_URL: aep,
    PENSTOCK_PLATFORM_URL: aep,
    PENSTOCK_INLET_ORIGINS: aep,
    AWS_ENDPOINT_URL_DYNAMODB: await open('dynamodb', endpoints.dynamoDb),
    AWS_ENDPOINT_URL_KINESIS: await open('kinesis', endpoints.kinesis),
    AWS_ENDPOINT_URL_LAMBDA: await open('lambda', endpoints.lambda),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: await open('secrets', endpoints.secretsManager),
    AWS_ENDPOINT_URL_SFN: await open('states', stack.settings.AWS_ENDPOINT_URL_SFN ?? ''),
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
  };
  const seen = ({ service, request }: Effect) =>
    all.find((one) => one.service === service && (request?.test(one.line) ?? true))?.at;
  return {
    environment,
    clear: () => {
      all.length = 0;
      waiting.clear();
    },
    seen,
    first: (effect) =>
      new Promise((resolve) => {
        const look = () => {
          const at = seen(effect);
          if (at === undefined) return;
          waiting.delete(look);
          resolve(at);
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      for (const server of servers) {
        server.close();
      }
    },
  };
}
