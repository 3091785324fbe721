// Mends a manifest's text by the edits of its lints, one lint after the other.
import { editJson } from './json-edit.ts';
import { lintsOf } from './lint.ts';
import type { Lint } from './written.ts';

/** What was mended, in order, and what is left. */
export interface Fixed {
  readonly text: string;
  readonly mended: readonly Lint[];
  readonly left: readonly Lint[];
}

/** More than any manifest has: a bound, should two rules undo each other. */
const MAX_ROUNDS = 500;

/**
 * The text with all edits that its lints have. An edit moves what stands behind it, so lints are looked for anew after each.
 * @param read the manifest in a text; may throw where it is not JSON
 */
export function fixText(text: string, read: (text: string) => unknown): Fixed {
  const mended: Lint[] = [];
  let now = text;
  for (let round = 0; ; round++) {
    const lints = lintsOf(read(now));
    const next = lints.find(({ edits }) => edits !== undefined);
    const after = next?.edits === undefined ? now : editJson(now, next.edits);
    if (next === undefined || after === now || round === MAX_ROUNDS)
      return { text: now, mended, left: lints };
    mended.push(next);
    now = after;
  }
}

/** One line: the rule, the place, what is wrong, and what the edit does. */
export function lintLine({ rule, at, says, does }: Lint): string {
  return `${rule} ${at}: ${says}${does === undefined ? '' : `; --fix ${does}`}`;
}
