// A process that makes ten blocks, and tells how many bytes they took, and how many a small collection left of them.
import { createBlockWriter } from '../../../lib/forward/frame/block.ts';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { kinesisEvent } from '../../support/forwarding.ts';

const nothing = Buffer.alloc(0);
const write = createBlockWriter({ before: nothing, after: nothing });
const memory = Buffer.alloc(MAX_REQUEST_BYTES);
const inputs = Array.from({ length: 500 }, (_, n) => ({
  data: JSON.stringify({ n, pad: 'x'.repeat(1_000) }),
}));
const text = JSON.stringify(kinesisEvent(inputs).Records);
const collect = globalThis.gc as (options?: { type: 'minor' }) => void;
const used = () => process.memoryUsage().heapUsed;

function makeOne(): void {
  const block = write(JSON.parse(text), () => memory, inputs.length);
  if (block?.last() === undefined) throw new Error('these records are ordinary');
}

makeOne();
collect();
const before = used();
for (let made = 0; made < 10; made++) makeOne();
const made = used() - before;
collect({ type: 'minor' });
console.log(JSON.stringify({ made, left: used() - before }));
