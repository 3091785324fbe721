// Text of records, which are anybody's, for a terminal.

/** What would move the terminal's cursor is shown as an escape. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}|\p{Cf}/gu,
    (letter) => `\\u${letter.codePointAt(0)?.toString(16).padStart(4, '0')}`,
  );
}
