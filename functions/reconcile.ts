// Fetches what AEP refused after it had received it. On a schedule, or by hand with `{"pipeline": "name"}`.
import type { Context } from 'aws-lambda';
import { reconcileRuntime } from '../lib/aws/runtimes/reconcile.ts';
import { passOn } from '../lib/failure.ts';
import { createReconcile, type Reconcile, type Reconciled } from '../lib/reconcile/reconcile.ts';

let reconcile: Reconcile | undefined;

/** Made on the first call, so that wrong settings fail the call with a message, and not the import. */
export const handler = async (event: unknown, context: Context): Promise<Reconciled> => {
  reconcile ??= createReconcile(reconcileRuntime());
  return reconcile(event, { remainingMs: () => context.getRemainingTimeInMillis() }).catch(passOn);
};
