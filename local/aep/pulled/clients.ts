// AWS's own clients of a Kinesis, one for each key and region that connections bring.
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import type { JsonObject } from '../json.ts';
import type { World } from '../state.ts';

export class StreamClients {
  readonly #world: World;
  readonly #clients = new Map<string, KinesisClient>();

  constructor(world: World) {
    this.#world = world;
  }

  /** By what a base connection says. The key may be another one next time: credentials can be renewed. */
  with(auth: JsonObject): KinesisClient {
    const { accessKeyId = '', secretKey = '', region = '' } = auth as Record<string, string>;
    const key = JSON.stringify([this.#world.kinesis, accessKeyId, secretKey, region]);
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const fresh = new KinesisClient({
      endpoint: this.#world.kinesis,
      region,
      credentials: { accessKeyId, secretAccessKey: secretKey },
      // Whoever asks asks again by himself.
      maxAttempts: 1,
      requestHandler: { requestTimeout: 20_000 },
    });
    this.#clients.set(key, fresh);
    return fresh;
  }

  /**
   * Whether the key is one. What Adobe's own test asks for is not said; a key that may not list streams is good all the same, as Adobe's
   * policy names a resource for `ListStreams`, for which AWS knows none.
   */
  async isKey(auth: JsonObject): Promise<boolean> {
    try {
      await this.with(auth).send(new ListStreamsCommand({ Limit: 1 }));
      return true;
    } catch (error) {
      return (error as Error).name === 'AccessDeniedException';
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }
}
