// What the page asks to be done to a stage, read and handed on.
import * as z from 'zod';
import type { Act, Acted, Asked } from '../../local/page/serve.ts';
import { toldOf } from '../../terminal/mistake.ts';
import type { Actions } from './actions.ts';
import { lookAtPlan } from './apply.ts';
import { lookAtRedrive } from './redrive.ts';

const Plan = z.strictObject({ file: z.string().min(1) });
const Redrive = z.strictObject({
  kind: z.enum(['rejected', 'parked', 'on-failure']),
  pipeline: z.string(),
  since: z.union([z.literal(''), z.iso.date()]),
  key: z.string().min(1).optional(),
  number: z.int().min(0).optional(),
  /** For people. */
  what: z.string().min(1).max(200),
});
const Agreement = z.strictObject({ id: z.string(), stage: z.string(), sandbox: z.string().optional() });

/** By what stands behind the name of the act. */
const PATHS: Readonly<Record<string, (actions: Actions, body: unknown) => unknown>> = {
  plan(actions, body) {
    const { file } = Plan.parse(body);
    return actions.begin({ kind: 'apply', what: file, of: file }, (hand) => lookAtPlan(hand, file));
  },
  redrive(actions, body) {
    const { what, ...chosen } = Redrive.parse(body);
    const of = JSON.stringify(chosen);
    return actions.begin({ kind: 'redrive', what, of }, (hand) => lookAtRedrive(hand, chosen));
  },
  'carry-out'(actions, body) {
    const { id, ...agreement } = Agreement.parse(body);
    return actions.carryOut(id, agreement);
  },
};

/** Each answers at once with the action as it is: what becomes of it is followed. */
export function actionsAct(actions: Actions): Act {
  return async ({ method, path, body }: Asked): Promise<Acted | undefined> => {
    const named = method === 'POST' && Object.hasOwn(PATHS, path) ? PATHS[path] : undefined;
    if (named === undefined) return undefined;
    try {
      const told = named(actions, JSON.parse(body.toString('utf8')));
      return told === undefined ? undefined : { status: 202, body: told };
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError)
        return { status: 400, body: { why: 'This is not understood.' } };
      const told = toldOf(error);
      if (told === undefined) throw error;
      return { status: 400, body: { why: `${told.code}: ${told.what}` } };
    }
  };
}
