// Members of a JSON text that are written twice: whoever parses it sees the last one, and never knows of the first.

/** A member written again within one object. */
export interface Repeated {
  /** Names and positions that lead to it, such as `source.stream`. */
  readonly path: string;
  /** Lines of the text, from 1 on: where it was first, and where it is again. */
  readonly first: number;
  readonly again: number;
}

/** What an object or an array of the text has shown so far. */
interface Level {
  readonly members: Map<string, number> | undefined;
  /** The name or the position that is being read. */
  at: string | number;
}

/** A text, which may be a name, or what opens, closes or divides. Blanks, numbers and words are passed over. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/gs;

/** Every member that is there already. @param text JSON that parses: nothing else is looked for */
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

/** Which line a position is in; asked for from the front to the back. */
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
