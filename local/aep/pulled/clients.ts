// AWS's own clients of a Kinesis, one for each key and region that connections bring.
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import type { JsonObject } from '../json.ts';
import type { World } from '../state.ts';

export interface StreamClients {
  /** By what a base connection says. The key may be another one next time: credentials can be renewed. */
  with(auth: JsonObject): KinesisClient;
  close(): void;
}

export function createStreamClients(world: World): StreamClients {
  const clients = new Map<string, KinesisClient>();
  return {
    with(auth) {
      const { accessKeyId = '', secretKey = '', region = '' } = auth as Record<string, string>;
      const key = JSON.stringify([world.kinesis, accessKeyId, secretKey, region]);
      const known = clients.get(key);
      if (known !== undefined) return known;
      const fresh = new KinesisClient({
        endpoint: world.kinesis,
        region,
        credentials: { accessKeyId, secretAccessKey: secretKey },
        // The next round asks again, so a client of AWS need not.
        maxAttempts: 1,
        requestHandler: { requestTimeout: 20_000 },
      });
      clients.set(key, fresh);
      return fresh;
    },
    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

/**
 * Whether AWS knows the client's key. Adobe does not say what its own test calls. A key that may not list streams passes too:
 * Adobe's policy names a resource for `ListStreams`, and AWS knows none for that action.
 */
export async function hasKey(client: KinesisClient): Promise<boolean> {
  try {
    await client.send(new ListStreamsCommand({ Limit: 1 }));
    return true;
  } catch (error) {
    return (error as Error).name === 'AccessDeniedException';
  }
}
