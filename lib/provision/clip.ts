// Texts cut to a size in bytes: what AWS counts is the JSON, in UTF-8, escapes and all.

/** What is said of a failure, in bytes: Step Functions takes 32,768 of a Cause, and a report quotes it. */
export const MAX_CAUSE = 8_000;

/** What a value takes in a state's input or output, in bytes. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The beginning of a text that is longer than so many bytes, and a sign that it is one. */
export function clip(text: string, most: number): string {
  return fitsIn(text, most) ? text : `${first(text, most - 3)}…`;
}

/** The same, with what stands at the end as well: there is what to do about it. */
export function clipMiddle(text: string, most: number): string {
  if (fitsIn(text, most)) return text;
  const half = Math.floor((most - 3) / 2);
  const backwards = [...text.slice(-half)].reverse().join('');
  return `${first(text, half)}…${[...first(backwards, half)].reverse().join('')}`;
}

function fitsIn(text: string, most: number): boolean {
  // The longest escape of a character: six bytes.
  return text.length * 6 <= most || jsonBytes(text) - 2 <= most;
}

function first(text: string, most: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += jsonBytes(character) - 2;
    if (bytes > most) break;
    end += character.length;
  }
  return text.slice(0, end);
}
