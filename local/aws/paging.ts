// A list in pages, as AWS's services give it: the token of a page says where it begins.
import { AwsError } from './server.ts';

/**
 * One page, and the token of the next one where there is more.
 * @throws AwsError of type `refusal` for a token that no page has given
 */
export function pageOf<T>(
  all: readonly T[],
  token: unknown,
  size: number,
  refusal: string,
): { items: readonly T[]; next: string | undefined } {
  const start = Number(token ?? 0);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError(refusal, `The token ${JSON.stringify(token)} is of no page.`);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : undefined };
}
