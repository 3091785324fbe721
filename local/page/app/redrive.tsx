// Sends dead letters again: first a dry run that says what would come of it, then what is left to send.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RedriveTold } from '../told.ts';
import { act } from './act.ts';
import { OutcomeOf, useActing } from './acting.tsx';
import { Facts, told } from './parts.tsx';

const PATH = '/api/redrive';

interface RedriveProps {
  readonly ids: readonly string[];
  readonly onEnd: () => void;
}

export function Redrive({ ids, onEnd }: RedriveProps) {
  const [dry, setDry] = useState<RedriveTold | undefined>();
  const [done, setDone] = useState<RedriveTold | undefined>();
  const acting = useActing();
  const heading = useRef<HTMLHeadingElement>(null);
  const ask = (dryRun: boolean) => act<RedriveTold>('POST', PATH, { ids, dryRun });
  useEffect(() => {
    heading.current?.focus();
    acting.run(async () => {
      setDry(await ask(true));
      return 'Nothing is sent yet. This is what would come of it.';
    });
  }, [ids]);
  const send = () =>
    acting.run(async () => {
      const answer = await ask(false);
      setDone(answer);
      if (answer.stopped !== undefined) throw new Error(`It ended early: ${answer.stopped}`);
      return `${told(answer.delivered)} of ${told(answer.chosen)} delivered.`;
    });
  const count = dry?.left ?? 0;
  return (
    <section class="panel" aria-label="Send again">
      <h2 ref={heading} tabIndex={-1}>
        Send again: {told(ids.length)} {ids.length === 1 ? 'message' : 'messages'}
      </h2>
      {dry === undefined && acting.outcome === undefined && <p class="says">Looking what would be sent …</p>}
      <OutcomeOf acting={acting} />
      {(done ?? dry) !== undefined && <RedriveFacts told={(done ?? dry) as RedriveTold} />}
      <div class="buttons">
        {done === undefined && count > 0 && (
          <button type="button" class="primary" aria-disabled={acting.isBusy} onClick={send}>
            Send {told(count)} now
          </button>
        )}
        <button type="button" onClick={onEnd}>
          {done === undefined ? 'Cancel' : 'Close'}
        </button>
      </div>
    </section>
  );
}

export function RedriveFacts({ told: answer }: { readonly told: RedriveTold }) {
  return <Facts facts={factsOf(answer)} />;
}

/** Zeros tell nothing. */
function factsOf(answer: RedriveTold): [string, string][] {
  const { dryRun, chosen, delivered, left, rejectedAgain, filtered, withheld, lost } = answer;
  const rows: [string, number][] = [
    ['chosen', chosen],
    [dryRun ? 'would be sent' : 'delivered', dryRun ? left : delivered],
    [dryRun ? 'would be rejected again' : 'rejected again', rejectedAgain],
    ['filtered by the pipeline', filtered],
    ...(dryRun ? [] : [['not sent', left] satisfies [string, number]]),
    ['withheld', withheld],
    ['lost', lost],
  ];
  return rows
    .filter(([, value], index) => index < 2 || value > 0)
    .map(([name, value]) => [name, told(value)]);
}
