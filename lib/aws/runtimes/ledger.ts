// The runtime of the steps that work on a pipeline under its lease.
import type { LedgerRuntime } from '../../runtime.ts';
import { createLedger } from '../ledger.ts';
import { createRoutes } from '../routes.ts';
import { tableCall } from './aws.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function ledgerRuntime(): LedgerRuntime {
  const base = baseRuntime();
  const { table } = base.settings;
  const call = tableCall();
  return { ...base, ledger: createLedger(table, call), routes: createRoutes(table, call) };
}
