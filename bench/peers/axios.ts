// `Promise.all` over the records, each posted with axios.
import type { KinesisStreamEvent } from 'aws-lambda';
import axios from 'axios';

const url = process.env.BENCH_INLET_URL ?? '';

export async function handler(event: KinesisStreamEvent): Promise<void> {
  await Promise.all(
    event.Records.map((record) =>
      axios.post(url, JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString('utf8'))),
    ),
  );
}
