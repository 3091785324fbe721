// JSON Pointers (RFC 6901): finds what they name, in a value and in its bytes.
import { itemSpan, memberSpan, type Span, skipSpace } from './json.ts';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

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

/** The place of that value in the bytes, which must be JSON. */
export function spanAt(json: Buffer, steps: readonly string[]): Span | undefined {
  let span: Span | undefined = { start: skipSpace(json, 0), end: json.length };
  for (const step of steps) {
    span = stepInto(json, step, span.start);
    if (span === undefined) return undefined;
  }
  return span;
}

function stepInto(json: Buffer, step: string, start: number): Span | undefined {
  if (json[start] === OPENING_BRACE) return memberSpan(json, step, start);
  const index = json[start] === OPENING_BRACKET ? indexOf(step) : undefined;
  return index === undefined ? undefined : itemSpan(json, index, start);
}
