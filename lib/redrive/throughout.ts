// A redrive from its first invocation to its last, for whoever calls the function and sees each answer.
import type { RedriveAnswer } from './request.ts';

type RedriveEvent = Readonly<Record<string, unknown>>;

/**
 * Each answer has the next request. The function does not go on by itself.
 * @param invoke calls the function once
 * @param isEnough told of what is done so far; `true` ends it there
 */
export async function redriveThroughout(
  invoke: (request: RedriveEvent) => Promise<RedriveAnswer>,
  request: RedriveEvent,
  isEnough: (soFar: RedriveAnswer) => boolean = () => false,
): Promise<RedriveAnswer> {
  let answer = await invoke({ ...request, continue: false });
  for (let before: RedriveAnswer | undefined; hasMore(answer, before) && !isEnough(answer); ) {
    before = answer;
    answer = await invoke(answer.next as RedriveEvent);
  }
  return answer;
}

/** Only where the time of an invocation ran out, and it got further than the one before: else it could run for ever. */
function hasMore({ stopped, next, delivered }: RedriveAnswer, before: RedriveAnswer | undefined): boolean {
  if (next === undefined || stopped?.why !== 'time') return false;
  const isFurther = JSON.stringify(next.cursor) !== JSON.stringify(before?.next?.cursor);
  return isFurther || delivered > (before?.delivered ?? 0);
}
