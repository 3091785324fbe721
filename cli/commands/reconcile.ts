// `penstock reconcile`: fetches what Experience Platform refused after it had received it.
import type { Reconciled } from '../../lib/reconcile/reconcile.ts';
import { type Command, JSON_OPTION, SANDBOX, TARGET, YES } from '../words.ts';

export const reconcile: Command = {
  name: 'reconcile',
  summary: 'fetches what Experience Platform refused later into the dead-letter store',
  about: ['A production sandbox needs its name, typed or in --sandbox.'],
  arguments: [{ name: 'PIPELINE', summary: 'its name' }],
  options: [SANDBOX, ...TARGET, YES, JSON_OPTION],
  examples: ['penstock reconcile orders --stage prod'],
  isChanging: () => true,
  async run(context, given) {
    const { target, output } = context;
    const [{ agreed }, { sandboxOf }] = await Promise.all([
      import('../planning.ts'),
      import('../sandbox.ts'),
    ]);
    const [pipeline = ''] = given.arguments;
    const told = await sandboxOf(target, pipeline);
    const sandbox = await agreed(context, given, told, `Read the failed batches of ${pipeline}?`);
    const work = await output.work(`Reconciling ${pipeline}`);
    const event = { pipeline, ...(sandbox !== undefined && { sandbox }) };
    const answer = await target.invoke('reconcile', event).catch((error: unknown) => {
      work.failed('failed');
      throw error;
    });
    const { batches, stored, alreadyThere, unreadable, complete } = answer as Reconciled;
    work.done(complete ? 'complete' : 'not complete: run it again');
    await output.table(
      ['What', 'Count'],
      [
        ['failed batches', String(batches)],
        ['rows stored now', String(stored)],
        ['rows that were stored before', String(alreadyThere)],
        ['batches that cannot be read', String(unreadable.length)],
      ],
    );
    output.json(answer);
    return complete ? 0 : 1;
  },
};
