// The runtime of deploy hooks: the state machine, the ledger, the secret with the keys, and the pipelines of the bundle.
import { Failure } from '../../failure.ts';
import { bundle } from '../../hook/bundle.ts';
import type { HookRuntime } from '../../hook/hook.ts';
import { createExecutions } from '../executions.ts';
import { createLedger } from '../ledger.ts';
import { awsRuntime, tableCall } from './aws.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function hookRuntime(): HookRuntime {
  const { clock, log, secrets, settings } = awsRuntime();
  if (settings.stateMachine === undefined)
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_STATE_MACHINE is not set: the state machine to start is unknown',
    );
  return {
    clock,
    log,
    secrets,
    settings,
    executions: createExecutions(settings.stateMachine),
    ledger: createLedger(settings.table, tableCall()),
    bundle: bundle(settings.pipelines),
  };
}
