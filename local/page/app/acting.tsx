// An act that somebody asks for: while it is under way, and what came of it in words.
import { useRef, useState } from 'preact/hooks';
import { Sign } from './parts.tsx';

export interface Acting {
  /** A button that is disabled meanwhile loses the keyboard's focus. One that is `aria-disabled` keeps it. */
  readonly isBusy: boolean;
  readonly outcome: Outcome | undefined;
  /**
   * Does nothing while another is under way.
   * @param work says in words what it has done; nothing where that shows elsewhere
   */
  readonly run: (work: () => Promise<string>) => void;
}

interface Outcome {
  readonly isBad: boolean;
  readonly text: string;
}

export function useActing(): Acting {
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | undefined>();
  const isUnderWay = useRef(false);
  const run = async (work: () => Promise<string>) => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    setBusy(true);
    try {
      setOutcome({ isBad: false, text: await work() });
    } catch (error) {
      setOutcome({ isBad: true, text: error instanceof Error ? error.message : String(error) });
    }
    isUnderWay.current = false;
    setBusy(false);
  };
  return { isBusy, outcome, run: (work) => void run(work) };
}

/** It is told to whoever cannot see it, too. */
export function OutcomeOf({ acting: { outcome } }: { readonly acting: Acting }) {
  return (
    <p class="outcome" role="status">
      {outcome !== undefined && outcome.text !== '' && (
        <>
          <Sign health={outcome.isBad ? 'bad' : 'good'} />
          {outcome.text}
        </>
      )}
    </p>
  );
}
