// The tutorial's way: a fetch for each record, one after the other.
import type { KinesisStreamEvent } from 'aws-lambda';

const url = process.env.BENCH_INLET_URL ?? '';

export async function handler(event: KinesisStreamEvent): Promise<void> {
  for (const record of event.Records) {
    const body = Buffer.from(record.kinesis.data, 'base64').toString('utf8');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`status ${response.status}`);
    await response.json();
  }
}
