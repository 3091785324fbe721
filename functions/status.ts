// Where does a pipeline stand, and how did its last execution end? `{"pipeline": "name"}`, or `{}` for all.
import { ledgerRuntime } from '../lib/aws/ledger-runtime.ts';
import { status } from '../lib/provision/status.ts';
import { plainStep } from '../lib/provision/step.ts';

export const handler = plainStep('status', ledgerRuntime, status);
