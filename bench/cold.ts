// One event in a process that has just begun; small, so that what is measured is the candidate.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Handler } from './load.ts';

const [bundle = '', event = ''] = process.argv.slice(2);
const { handler } = createRequire(bundle)(bundle) as { handler: Handler };
const deadline = Date.now() + 60_000;
const context = {
  awsRequestId: 'cold',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:cold',
  getRemainingTimeInMillis: () => deadline - Date.now(),
};
handler(JSON.parse(readFileSync(event, 'utf8')), context).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
