// JSON Pointers (RFC 6901): their steps, and what they lead to in a value.

/** An array index has no sign and no leading zero. RFC 6901 §4. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** The steps of a pointer: names of members, or positions in arrays. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The array position that a step names. */
export function indexOf(step: string): number | undefined {
  return INDEX.test(step) ? Number(step) : undefined;
}

/** What the steps lead to in `value`; `undefined` where there is nothing, since JSON has no `undefined`. */
export function valueAt(value: unknown, steps: readonly string[]): unknown {
  let here = value;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null) return undefined;
    if (Array.isArray(here) && indexOf(step) === undefined) return undefined;
    if (!Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}
