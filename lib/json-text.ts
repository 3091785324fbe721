// What the text of a user's file says: JSON, and each thing once.
import { Failure } from './failure.ts';
import { repeatedMembers } from './json-members.ts';

/** Told at once. */
const MOST_TWICE = 30;

/**
 * The value in a file's text; a byte order mark is passed over. `origin` is what messages call it.
 * @throws Failure `MANIFEST_INVALID` where it is not JSON, or an object has a member twice: of those JSON.parse keeps the last
 */
export function jsonIn(text: string, origin: string): unknown {
  const plain = text.replace(/^\uFEFF/, '');
  const value = parsed(plain, origin);
  const twice = repeatedMembers(plain);
  if (twice.length === 0) return value;
  const lines = twice
    .slice(0, MOST_TWICE)
    .map(({ path, first, again }) => `  ${path}: expected once; found in line ${first} and in line ${again}`);
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} says twice what an object can say once:\n${lines.join('\n')}\n`,
  );
}

function parsed(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('MANIFEST_INVALID', `${origin} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
