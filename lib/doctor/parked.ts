// Whether something of the pipeline is parked: then its inlet has taken nothing for a while.
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

const WHAT_TO_DO =
  'Mend what `flow` and `inlet` say, if they say something. Reconcile has it sent within 15 minutes after the inlet answers; a redrive with "source": "parked" sends it now.';

export async function parkedCheck({ runtime, record }: Patient): Promise<Said> {
  const { objects, more } = await runtime.deadLetters.list({ kind: 'parked', pipeline: record.pipeline });
  const [first] = objects;
  if (first === undefined) return ok('nothing is parked');
  const count = more ? `${objects.length} documents or more are` : documentsSaid(objects.length);
  return wrong(`${count} parked, the oldest of ${dayOfKey(first.key)}: the inlet took nothing`, WHAT_TO_DO);
}

function documentsSaid(documents: number): string {
  return documents === 1 ? '1 document is' : `${documents} documents are`;
}

/** Keys begin with the day, so the first one has the oldest. */
function dayOfKey(key: string): string {
  return key.split('/').slice(-4, -1).join('-');
}
