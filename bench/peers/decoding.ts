// The decoding bound: reads the event, decodes, frames and sends, all by the same pool; it checks nothing and drops the answers.
import type { KinesisStreamEvent } from 'aws-lambda';
import { Pool } from 'undici';

const { origin, pathname } = new URL(process.env.BENCH_INLET_URL ?? '');
const path = pathname.replace('/collection/', '/collection/batch/');
const pool = new Pool(origin, { connections: 8 });

/** As large as the requests of the forwarder mostly are. */
const BODY_BYTES = 600_000;
const MEMORY_BYTES = 1_000_000;
const OPENING = Buffer.from('{"messages":[');
const CLOSING = Buffer.from(']}');
const COMMA = 0x2c;
const HEADERS = {
  'content-type': 'application/json',
  'x-sandbox-name': 'dev1',
  'sandbox-name': 'dev1',
  'x-adobe-flow-id': 'flow',
};
/** Memory that no request uses any more. */
const free: Buffer[] = [];

async function post(memory: Buffer, length: number): Promise<void> {
  const body = memory.subarray(0, length);
  const response = await pool.request({ method: 'POST', path, headers: HEADERS, body });
  if (response.statusCode !== 207) throw new Error(`status ${response.statusCode}`);
  await response.body.arrayBuffer();
  free.push(memory);
}

export async function handler(event: KinesisStreamEvent): Promise<void> {
  const requests: Promise<void>[] = [];
  let memory: Buffer | undefined;
  let at = 0;
  const leave = (whole: Buffer) => {
    // In the place of the last comma.
    CLOSING.copy(whole, at - 1);
    requests.push(post(whole, at + 1));
    memory = undefined;
  };
  for (const { kinesis } of event.Records) {
    if (memory === undefined) {
      memory = free.pop() ?? Buffer.allocUnsafeSlow(MEMORY_BYTES);
      at = OPENING.copy(memory);
    }
    at += memory.write(kinesis.data, at, 'base64');
    memory[at++] = COMMA;
    if (at < BODY_BYTES) continue;
    leave(memory);
    await new Promise(setImmediate);
  }
  if (memory !== undefined) leave(memory);
  await Promise.all(requests);
}
