// What somebody does to a stage on the page: each action is looked at first, agreed to by names, and done once.
import { randomUUID } from 'node:crypto';
import { toldReport } from '../../local/page/reported.ts';
import type { ToldAction } from '../../local/page/told-stage.ts';
import { MistakeError, toldOf } from '../../terminal/mistake.ts';
import { RunFailedError } from '../../terminal/run-failed.ts';
import type { Context } from '../context.ts';
import type { ToldSandbox } from '../planning.ts';
import type { Named } from './named.ts';
import { quietOutput } from './quiet-output.ts';

/** Older ones are forgotten: AWS still has their executions. */
const MOST_KEPT = 100;

type Found = Partial<Omit<ToldAction, 'id' | 'kind' | 'what' | 'at' | 'state'>>;

/** What a look has found: what to show, and how it is done. Without `carryOut` there is nothing to do. */
export interface Looked {
  readonly found: Found;
  readonly sandbox?: ToldSandbox;
  /** @param sandbox its name, where somebody had to type it */
  readonly carryOut?: (hand: Hand, sandbox: string | undefined) => Promise<Found>;
}

/** What an action works with: a command's context, and what that command would have printed. */
export interface Hand {
  readonly context: Context;
  document(): unknown;
}

export interface AskedAction extends Pick<ToldAction, 'kind' | 'what'> {
  /** The same for the same thing: a file, or what was chosen. */
  readonly of: string;
}

export interface Agreement {
  /** As somebody has typed them. */
  readonly stage: string;
  readonly sandbox?: string | undefined;
}

export interface Actions {
  /** The newest last. */
  all(): readonly ToldAction[];
  /** Begins to look, and answers at once. While the same is being looked at, it only tells of that. */
  begin(asked: AskedAction, look: (hand: Hand) => Promise<Looked>): ToldAction;
  /**
   * Begins what was looked at, and answers at once. Asked again, it only tells how that goes.
   * @returns `undefined` where there is no such action
   * @throws MistakeError `WRONG_STAGE`, `WRONG_SANDBOX`
   */
  carryOut(id: string, agreement: Agreement): ToldAction | undefined;
}

interface Kept {
  readonly of: string;
  told: ToldAction;
  looked?: Looked;
}

/** @param stage the name that has to be typed */
export function createActions(context: Context, stage: string, named: Named): Actions {
  const kept = new Map<string, Kept>();
  const run = async (one: Kept, work: (hand: Hand) => Promise<Partial<ToldAction>>) => {
    const tell = (more: Partial<ToldAction>) => {
      one.told = { ...one.told, ...more };
    };
    const hand = handOf(context, named, one, tell);
    try {
      tell({ says: '', ...(await work(hand)) });
    } catch (error) {
      const obstacle = toldOf(error) ?? { code: 'UNFORESEEN', what: String(error) };
      const report = error instanceof RunFailedError ? error.report : undefined;
      tell({
        state: 'failed',
        says: '',
        obstacle,
        ...(report !== undefined && { report: toldReport(report) }),
      });
    }
  };
  return {
    all: () => [...kept.values()].map(({ told }) => told),
    begin({ kind, what, of }, look) {
      const same = [...kept.values()].find((one) => one.of === of && one.told.state === 'looking');
      if (same?.told.kind === kind) return same.told;
      const id = randomUUID();
      const one: Kept = { of, told: { id, kind, what, at: Date.now(), state: 'looking', says: '' } };
      kept.set(id, one);
      for (const old of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(old);
      void run(one, async (hand) => {
        one.looked = await look(hand);
        const { found, sandbox, carryOut } = one.looked;
        return {
          ...found,
          ...(sandbox !== undefined && { sandbox: toldSandbox(sandbox) }),
          state: carryOut === undefined ? 'nothing' : 'shown',
        };
      });
      return one.told;
    },
    carryOut(id, agreement) {
      const one = kept.get(id);
      if (one?.looked?.carryOut === undefined) return one?.told;
      checkTyped(agreement, stage, one.looked.sandbox);
      // A second click finds it begun: nothing comes between the look and the change.
      if (one.told.state !== 'shown') return one.told;
      one.told = { ...one.told, state: 'acting' };
      const { carryOut } = one.looked;
      void run(one, async (hand) => ({ ...(await carryOut(hand, agreement.sandbox)), state: 'done' }));
      return one.told;
    },
  };
}

function toldSandbox(sandbox: ToldSandbox): NonNullable<ToldAction['sandbox']> {
  const { name, type } = sandbox;
  return { name, isTyped: isTyped(sandbox), ...(type !== undefined && { type }) };
}

/** As the command line has it: a production sandbox needs its name, and one whose type is not told. */
function isTyped({ type }: ToldSandbox): boolean {
  return type !== 'development';
}

function checkTyped(
  { stage: typed, sandbox }: Agreement,
  stage: string,
  told: ToldSandbox | undefined,
): void {
  if (typed.trim() !== stage)
    throw new MistakeError('WRONG_STAGE', `this is the stage ${stage}, and another name was typed`);
  if (told !== undefined && isTyped(told) && sandbox !== told.name)
    throw new MistakeError(
      'WRONG_SANDBOX',
      `this is in the sandbox ${told.name}, and another name was typed`,
    );
}

function handOf(context: Context, named: Named, one: Kept, tell: (more: Partial<ToldAction>) => void): Hand {
  const quiet = quietOutput((says) => tell({ says }));
  const { target } = context;
  const execute: typeof target.execute = (input, watching) =>
    target.execute(input, {
      ...watching,
      onStarted(arn) {
        const execution = arn.split(':').at(-1) ?? '';
        named.learn(execution, one.told.pipeline ?? '');
        tell({ execution });
        watching?.onStarted?.(arn);
      },
    });
  return {
    // Its name is whole once it is reached, so it is not copied.
    context: {
      ...context,
      output: quiet.output,
      target: Object.create(target, { execute: { value: execute } }),
    },
    document: quiet.document,
  };
}
