// The place in the bytes of JSON that a JSON Pointer leads to.
import { indexOf } from '../../pointer.ts';
import { itemSpan, memberSpan, type Span, skipSpace } from './json.ts';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

/** The place of what the steps lead to in the bytes, which must be JSON. */
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
