// The runtime of the steps that look at triggers as well.
import type { ProvisionRuntime } from '../../runtime.ts';
import { createConsumers } from '../consumers.ts';
import { createTriggers } from '../triggers.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function provisionRuntime(): ProvisionRuntime {
  const base = ledgerRuntime();
  const { forwarder, onFailureArn, stage, tags } = base.settings;
  return {
    ...base,
    triggers: createTriggers({ forwarder, onFailureArn, tags }),
    consumers: createConsumers({ stage }),
  };
}
