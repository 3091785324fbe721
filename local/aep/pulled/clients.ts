// AWS's own clients of a Kinesis, one for each key and region that connections bring. Loaded when a flow reads a stream: few do.
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { JsonObject } from '../json.ts';
import type { World } from '../state.ts';

/** The commands and the client. */
export const kinesisSdk = () => import('@aws-sdk/client-kinesis');

export interface StreamClients {
  /** By what a base connection says. The key may be another one next time: credentials can be renewed. */
  with(auth: JsonObject): Promise<KinesisClient>;
  close(): void;
}

export function createStreamClients(world: World): StreamClients {
  const clients = new Map<string, KinesisClient>();
  return {
    async with(auth) {
      const { accessKeyId = '', secretKey = '', region = '' } = auth as Record<string, string>;
      const key = JSON.stringify([world.kinesis, accessKeyId, secretKey, region]);
      const { KinesisClient: Client } = await kinesisSdk();
      const known = clients.get(key);
      if (known !== undefined) return known;
      const fresh = new Client({
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
  const { ListStreamsCommand } = await kinesisSdk();
  try {
    await client.send(new ListStreamsCommand({ Limit: 1 }));
    return true;
  } catch (error) {
    return (error as Error).name === 'AccessDeniedException';
  }
}
