// The runtime of deploy hooks: the state machine, the ledger, the secret with the keys, and the pipelines of the bundle.
import { Failure } from '../../failure.ts';
import { bundle } from '../../hook/bundle.ts';
import type { HookRuntime } from '../../hook/hook.ts';
import { createExecutions } from '../executions.ts';
import { awsRuntime } from './aws.ts';

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
    // This client is used only after a failed run: most deliveries start without it.
    ledger: {
      read: async (pipeline) => (await import('../ledger.ts')).createLedger(settings.table).read(pipeline),
    },
    bundle: bundle(settings.pipelines),
  };
}
