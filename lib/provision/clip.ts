// Cuts texts to a size in bytes. AWS counts bytes of JSON in UTF-8, with its escapes.

/** Longest text of a failure, in bytes. Step Functions takes 32,768 of a Cause, and a report quotes it. */
export const MAX_CAUSE = 8_000;

/** Bytes that a value takes in a state's input or output. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The text, or its beginning and an ellipsis if it has more than `most` bytes. */
export function clip(text: string, most: number): string {
  return fitsIn(text, most) ? text : `${first(text, most - 3)}…`;
}

/** Like `clip`, but also keeps the end of the text, which says what to do. */
export function clipMiddle(text: string, most: number): string {
  if (fitsIn(text, most)) return text;
  const half = Math.floor((most - 3) / 2);
  const backwards = [...text.slice(-half)].reverse().join('');
  return `${first(text, half)}…${[...first(backwards, half)].reverse().join('')}`;
}

function fitsIn(text: string, most: number): boolean {
  // The longest escape of a character has six bytes.
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
