// A button that looks at what would be sent again of a stage's dead letters, and leads to that action.
import type { StoreKind, ToldAction } from '../told-stage.ts';
import { act } from './act.ts';
import { OutcomeOf, useActing } from './acting.tsx';
import { go, pathOf } from './place.tsx';

interface SendAgainProps {
  readonly chosen: {
    readonly kind: StoreKind;
    readonly pipeline: string;
    readonly since: string;
    readonly key?: string;
    readonly number?: number;
  };
  /** What was chosen, in words. */
  readonly what: string;
  /** What stands on the button. */
  readonly label: string;
}

export function SendAgain({ chosen, what, label }: SendAgainProps) {
  const acting = useActing();
  const look = () =>
    acting.run(async () => {
      const { id } = await act<ToldAction>('POST', '/api/actions/redrive', { ...chosen, what });
      go(pathOf('actions', id));
      return '';
    });
  return (
    <>
      <button type="button" aria-disabled={acting.isBusy} onClick={look}>
        {label}
      </button>
      <OutcomeOf acting={acting} />
    </>
  );
}
