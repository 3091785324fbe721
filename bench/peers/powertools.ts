// Powertools' batch processor, which handles all records of an event at the same time, each with a fetch.
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';

const url = process.env.BENCH_INLET_URL ?? '';
const processor = new BatchProcessor(EventType.KinesisDataStreams);

async function send(record: KinesisStreamRecord): Promise<void> {
  const payload: unknown = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString('utf8'));
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(payload) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  await response.json();
}

export const handler = (event: KinesisStreamEvent) => processPartialResponse(event, send, processor);
