// Dead letters of a stage, sent again from the page by the command line's own function.
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import { toldRedrive } from '../../local/page/redrive.ts';
import { redriveAsked } from '../redriving.ts';
import { sandboxOf } from '../sandbox.ts';
import type { Hand, Looked } from './actions.ts';
import { type Chosen, chosenRequest } from './dead-letters.ts';

/** What would be sent, and what it takes to send it. */
export async function lookAtRedrive({ context, document }: Hand, chosen: Chosen): Promise<Looked> {
  const request = await chosenRequest(context.target, chosen);
  const words = [request.stream];
  await redriveAsked(context, { arguments: words, options: { 'dry-run': true } }, request);
  const dry = document() as RedriveAnswer;
  const found = { pipeline: dry.pipeline, dry: toldRedrive([dry]) };
  if (dry.left === 0) return { found };
  return {
    found,
    sandbox: await sandboxOf(context.target, dry.pipeline),
    carryOut: async (hand, sandbox) => {
      const options = { yes: true, ...(sandbox !== undefined && { sandbox }) } as const;
      await redriveAsked(hand.context, { arguments: words, options }, request);
      return { sent: toldRedrive([hand.document() as RedriveAnswer]) };
    },
  };
}
