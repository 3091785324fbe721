// Finds members that an object of a JSON text has twice. A parser keeps the last, and does not report the
// first.

/** A member that occurs twice in one object. */
export interface Repeated {
  /** Names and positions that lead to it, such as `source.stream`. */
  readonly path: string;
  /** Lines of the text, from 1: the first and the second occurrence. */
  readonly first: number;
  readonly again: number;
}

/** What an object or an array of the text has shown so far. */
interface Level {
  readonly members: Map<string, number> | undefined;
  /** The name or the position that is being read. */
  at: string | number;
}

/** A string, which may be a name, or a punctuation mark. Blanks, numbers and words are skipped. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/gs;

/**
 * Every member that occurred before.
 * @param text JSON that can be parsed: other mistakes are not looked for
 */
export function repeatedMembers(text: string): Repeated[] {
  const found: Repeated[] = [];
  const levels: Level[] = [];
  const lineOf = lineCounter(text);
  for (const token of text.matchAll(TOKEN)) {
    const [all, isName] = token;
    const level = levels.at(-1);
    if (all === '{') levels.push({ members: new Map(), at: '' });
    else if (all === '[') levels.push({ members: undefined, at: 0 });
    else if (all === '}' || all === ']') levels.pop();
    else if (all === ',') {
      if (typeof level?.at === 'number') level.at++;
    } else if (isName !== undefined && level?.members !== undefined) {
      const name = JSON.parse(all.slice(0, all.lastIndexOf('"') + 1)) as string;
      const again = lineOf(token.index);
      level.at = name;
      const first = level.members.get(name);
      if (first === undefined) level.members.set(name, again);
      else found.push({ path: levels.map(({ at }) => at).join('.'), first, again });
    }
  }
  return found;
}

/** The line of a position; positions must be asked for in ascending order. */
function lineCounter(text: string): (position: number) => number {
  let line = 1;
  let from = 0;
  return (position) => {
    for (
      let next = text.indexOf('\n', from);
      next !== -1 && next < position;
      next = text.indexOf('\n', from)
    ) {
      line++;
      from = next + 1;
    }
    return line;
  };
}
