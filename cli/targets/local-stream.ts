// Makes the stream that a manifest names, in the local AWS.
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { limited } from '../../lib/aws/client.ts';
import type { Address } from '../../local/start/address.ts';

const LIMITS = { connectMs: 5_000, answerMs: 20_000 };

/** Nothing where AEP reads the source by itself: that source is not this machine's to make. */
export async function ensureStreamOf(address: Address, manifest: unknown): Promise<void> {
  const { source } = manifest as { source?: { kind?: unknown; stream?: unknown } };
  if (source?.kind !== 'inlet' || typeof source.stream !== 'string') return;
  const [{ streamNameOf }, { ensureNamed }] = await Promise.all([
    import('../../lib/published.ts'),
    import('../../local/start/streams.ts'),
  ]);
  const { awsUrl: endpoint, region, accessKeyId, secretAccessKey } = address;
  const credentials = { accessKeyId, secretAccessKey };
  const kinesis = limited(
    (config) => new KinesisClient({ ...config, endpoint, region, credentials }),
    LIMITS,
  );
  try {
    await ensureNamed(kinesis, streamNameOf(source.stream), 1);
  } finally {
    kinesis.destroy();
  }
}
