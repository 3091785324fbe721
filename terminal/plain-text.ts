// A failure's message without its code and its advice, where these stand apart.

/** @param text `CODE: what | Next: what to do`, as the class `Failure` makes it, or any text */
export function plainText(text: string, code: string | undefined, next: string | undefined): string {
  const front = `${code}: `;
  const back = ` | Next: ${next}`;
  const rest = text.startsWith(front) ? text.slice(front.length) : text;
  return next !== undefined && rest.endsWith(back) ? rest.slice(0, -back.length) : rest;
}
