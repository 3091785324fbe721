// Batching done the plain way: parse, wrap, stringify, one undici pool; everything imported the ordinary way.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { KinesisStreamEvent } from 'aws-lambda';
import { Pool } from 'undici';
import { z } from 'zod';

const MOST_BYTES = 990_000;

const Published = z.object({ inletUrl: z.url(), sandbox: z.string(), flowId: z.string() });

const secrets = new SecretsManagerClient({});
let target: { pool: Pool; path: string; headers: Record<string, string> } | undefined;

async function open(streamArn: string) {
  const SecretId = `penstock/dev/streams/${streamArn.split('/')[1]}`;
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const { inletUrl, sandbox, flowId } = Published.parse(JSON.parse(SecretString));
  const { origin, pathname } = new URL(inletUrl);
  return {
    pool: new Pool(origin, { connections: 8 }),
    path: pathname.replace('/collection/', '/collection/batch/'),
    headers: {
      'content-type': 'application/json',
      'sandbox-name': sandbox,
      'x-adobe-flow-id': flowId,
    },
  };
}

function bodiesOf(event: KinesisStreamEvent): string[] {
  const bodies: string[] = [];
  let messages: string[] = [];
  let bytes = 0;
  const close = () => {
    bodies.push(`{"messages":[${messages.join(',')}]}`);
    messages = [];
    bytes = 0;
  };
  for (const { kinesis } of event.Records) {
    const record: unknown = JSON.parse(Buffer.from(kinesis.data, 'base64').toString('utf8'));
    const text = JSON.stringify(record);
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > MOST_BYTES) close();
    messages.push(text);
    bytes += size;
  }
  close();
  return bodies;
}

export async function handler(event: KinesisStreamEvent): Promise<void> {
  target ??= await open(event.Records[0]?.eventSourceARN ?? '');
  const { pool, path, headers } = target;
  await Promise.all(
    bodiesOf(event).map(async (body) => {
      const response = await pool.request({ method: 'POST', path, headers, body });
      if (response.statusCode !== 207) throw new Error(`status ${response.statusCode}`);
      await response.body.json();
    }),
  );
}
