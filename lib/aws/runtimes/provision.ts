// The runtime of the steps that look at intakes as well.
import type { ProvisionRuntime } from '../../runtime.ts';
import { createIntakes } from '../triggers.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function provisionRuntime(): ProvisionRuntime {
  const base = ledgerRuntime();
  const { forwarder, onFailureArn, tags } = base.settings;
  return { ...base, intakes: createIntakes({ forwarder, onFailureArn, tags }) };
}
