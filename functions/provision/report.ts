// The state `report`: writes down what an execution did.
import { ledgerRuntime } from '../../lib/aws/runtimes/ledger.ts';
import { report } from '../../lib/provision/steps/report.ts';
import { plainStep } from '../../lib/provision/steps/step.ts';

export const handler = plainStep('report', ledgerRuntime, report);
