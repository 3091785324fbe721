// A failure's message without its code and its advice, where these stand apart.

/**
 * @param text `CODE: what | Next: what to do`, as the class `Failure` makes it, or any text. More may follow the advice: what
 *   was undone
 */
export function plainText(text: string, code: string | undefined, next: string | undefined): string {
  const front = `${code}: `;
  const rest = text.startsWith(front) ? text.slice(front.length) : text;
  return next === undefined ? rest : rest.replace(` | Next: ${next}`, () => '');
}
