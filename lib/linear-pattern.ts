// Regular expressions that take time in proportion to the text, whatever the expression and the text are.

/** A regular expression that is searched for anywhere in a text, as `RegExp.test` does with the flag `u`. */
export interface LinearPattern {
  test(text: string): boolean;
}

/** From the first to the last code point. */
type Range = readonly [number, number];

type PatternNode =
  | { readonly kind: 'set'; readonly ranges: readonly Range[] }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly least: number; readonly most: number }
  | { readonly kind: 'start' | 'end' };

/** A state of the automaton. `set`: goes on with a character of the set. */
type PatternState =
  | { readonly kind: 'set'; readonly ranges: readonly Range[]; next: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'fork'; next: number; other: number }
  | { readonly kind: 'found' };

/** The time for one character grows with them. */
const MAX_PATTERN_STATES = 500;
const LAST_CODE_POINT = 0x10ffff;
const ASCII = 128;

/** Why an expression is refused. Its message says so. */
class NotLinear extends Error {}

/**
 * The syntax is a part of ECMAScript's with the flag `u`: characters, `.`, classes, groups, `|`, `*`, `+`, `?`, `{n,m}`,
 * `^` and `$`. A text is read once, with all ways through the expression at the same time (Thompson 1968), so that
 * nothing is ever tried twice.
 * @returns why it is refused, as text
 */
export function linearPattern(text: string): LinearPattern | string {
  try {
    new RegExp(text, 'u');
  } catch {
    return 'expected a regular expression';
  }
  try {
    return searcher(automatonOf(parsed(text)));
  } catch (error) {
    if (error instanceof NotLinear) return error.message;
    throw error;
  }
}

const DIGITS: readonly Range[] = [[0x30, 0x39]];
const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMA-262, `WhiteSpace` and `LineTerminator`. */
const SPACE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_END: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

const NAMED_SETS: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  w: WORD,
  s: SPACE,
  D: others(DIGITS),
  W: others(WORD),
  S: others(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 };

/** All code points outside of the ranges. */
function others(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  let from = 0;
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (first > from) found.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  return from > LAST_CODE_POINT ? found : [...found, [from, LAST_CODE_POINT]];
}

/** `text` is an expression of ECMAScript. @throws NotLinear where it uses what cannot be linear, or is not needed */
function parsed(text: string): PatternNode {
  const characters = Array.from(text);
  let at = 0;

  const take = (wanted: string): boolean => {
    if (!characters.slice(at, at + wanted.length).every((one, index) => one === wanted[index])) return false;
    if (at + wanted.length > characters.length) return false;
    at += wanted.length;
    return true;
  };

  function alternatives(): PatternNode {
    const parts = [sequence()];
    while (take('|')) parts.push(sequence());
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'any', parts };
  }

  function sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') parts.push(term());
    return { kind: 'all', parts };
  }

  function term(): PatternNode {
    let part = atom();
    for (let bounds = quantifier(); bounds !== undefined; bounds = quantifier()) {
      part = { kind: 'repeat', part, ...bounds };
      // Whether the shortest or the longest is taken does not decide whether there is one.
      take('?');
    }
    return part;
  }

  function quantifier(): { least: number; most: number } | undefined {
    if (take('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (take('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (take('?')) return { least: 0, most: 1 };
    if (!take('{')) return undefined;
    const close = characters.indexOf('}', at);
    const [least = '', most] = characters.slice(at, close).join('').split(',');
    at = close + 1;
    const last = most === undefined ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most);
    return { least: Number(least), most: last };
  }

  function atom(): PatternNode {
    if (take('(')) return group();
    if (take('[')) return characterClass();
    if (take('^')) return { kind: 'start' };
    if (take('$')) return { kind: 'end' };
    if (take('.')) return { kind: 'set', ranges: others(LINE_END) };
    if (take('\\')) return { kind: 'set', ranges: escaped() };
    return { kind: 'set', ranges: [single(characters[at++] as string)] };
  }

  function group(): PatternNode {
    if (!take('?:') && characters[at] === '?')
      throw new NotLinear('expected no lookahead, no lookbehind and no named group: only ( ) and (?: )');
    const inner = alternatives();
    take(')');
    return inner;
  }

  function characterClass(): PatternNode {
    const isNegated = take('^');
    const ranges: Range[] = [];
    while (!take(']')) {
      const first = classMember();
      if (characters[at] === '-' && characters[at + 1] !== ']') {
        at++;
        const last = classMember();
        ranges.push([(first[0] as Range)[0], (last[0] as Range)[1]]);
      } else ranges.push(...first);
    }
    return { kind: 'set', ranges: isNegated ? others(ranges) : ranges };
  }

  const classMember = (): readonly Range[] =>
    take('\\') ? escaped(true) : [single(characters[at++] as string)];

  function escaped(isInClass = false): readonly Range[] {
    const letter = characters[at++] as string;
    const named = Object.hasOwn(NAMED_SETS, letter) ? NAMED_SETS[letter] : undefined;
    if (named !== undefined) return named;
    if (Object.hasOwn(CONTROLS, letter)) return [point(CONTROLS[letter] as number)];
    if (letter === 'x') return [point(hex(2))];
    if (letter === 'u') return [point(unicode())];
    if (/[1-9k]/.test(letter)) throw new NotLinear('expected no back reference');
    if (/[a-zA-Z]/.test(letter))
      throw new NotLinear(`expected no \\${letter}${isInClass ? ' in a class' : ''}, which is not supported`);
    return [single(letter)];
  }

  function unicode(): number {
    if (!take('{')) {
      const unit = hex(4);
      if (unit >= 0xd800 && unit <= 0xdfff)
        throw new NotLinear('expected \\u{…} for a character beyond \\uffff');
      return unit;
    }
    const close = characters.indexOf('}', at);
    const code = Number.parseInt(characters.slice(at, close).join(''), 16);
    at = close + 1;
    return code;
  }

  function hex(length: number): number {
    at += length;
    return Number.parseInt(characters.slice(at - length, at).join(''), 16);
  }

  return alternatives();
}

function single(character: string): Range {
  return point(character.codePointAt(0) as number);
}

function point(code: number): Range {
  return [code, code];
}

/** The states, the last of which is the first to be in. @throws NotLinear where there are too many */
function automatonOf(root: PatternNode): PatternState[] {
  const states: PatternState[] = [{ kind: 'found' }];
  let built = 0;

  function add(state: PatternState): number {
    states.push(state);
    return states.length - 1;
  }

  /** The state that leads through `node` to `next`. */
  function build(node: PatternNode, next: number): number {
    if (++built > 4 * MAX_PATTERN_STATES || states.length > MAX_PATTERN_STATES)
      throw new NotLinear(`expected a smaller expression: it has more than ${MAX_PATTERN_STATES} states`);
    switch (node.kind) {
      case 'set':
        return add({ kind: 'set', ranges: node.ranges, next });
      case 'start':
      case 'end':
        return add({ kind: node.kind, next });
      case 'all':
        return node.parts.reduceRight((behind, part) => build(part, behind), next);
      case 'any':
        return node.parts
          .map((part) => build(part, next))
          .reduceRight((other, first) => add({ kind: 'fork', next: first, other }));
      case 'repeat':
        return repeated(node, next);
    }
  }

  function repeated({ part, least, most }: Extract<PatternNode, { kind: 'repeat' }>, next: number): number {
    let first = next;
    if (most === Number.POSITIVE_INFINITY) {
      const fork = { kind: 'fork' as const, next: 0, other: next };
      first = add(fork);
      fork.next = build(part, first);
    } else
      for (let more = least; more < most; more++)
        first = add({ kind: 'fork', next: build(part, first), other: next });
    for (let count = 0; count < least; count++) first = build(part, first);
    return first;
  }

  const first = build(root, 0);
  return [...states, { kind: 'fork', next: first, other: first }];
}

/** States that the automaton is in together, behind the same characters, and where each kind of character leads from there. */
interface Together {
  readonly states: readonly number[];
  readonly isFound: boolean;
  /** By kind of character, as far as it was met; not at the end of the text. */
  readonly next: (Together | undefined)[];
}

/** Few expressions have more than a dozen. Where a text meets more, the rest of it is read without them. */
const MAX_TOGETHER = 500;

function searcher(states: readonly PatternState[]): LinearPattern {
  const first = states.length - 1;
  const { classOf, takes } = classesOf(states);
  /** In which round a state was last entered: each is entered once for each character. */
  const entered = new Uint32Array(states.length);
  let round = 0;

  /** Adds what is reached from `from` without a character. @returns whether the expression is found by then */
  function enter(from: number, into: number[], isStart: boolean, isEnd: boolean): boolean {
    const open = [from];
    let isFound = false;
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (entered[one] === round) continue;
      entered[one] = round;
      const state = states[one] as PatternState;
      if (state.kind === 'found') isFound = true;
      else if (state.kind === 'set') into.push(one);
      else if (state.kind === 'fork') open.push(state.other, state.next);
      else if (state.kind === 'start' ? isStart : isEnd) open.push(state.next);
    }
    return isFound;
  }

  function nextRound(): void {
    round = (round + 1) >>> 0;
    if (round !== 0) return;
    entered.fill(0);
    round = 1;
  }

  function begin(isEnd: boolean): Together {
    nextRound();
    const own: number[] = [];
    const isFound = enter(first, own, true, isEnd);
    return { states: own, isFound, next: [] };
  }

  function step(from: Together, kind: number, isEnd: boolean): Together {
    nextRound();
    const own: number[] = [];
    let isFound = false;
    for (const one of from.states)
      if (takes[one]?.[kind] === 1)
        isFound = enter((states[one] as { next: number }).next, own, false, isEnd) || isFound;
    // What is looked for may begin at any character.
    isFound = enter(first, own, false, isEnd) || isFound;
    return { states: own, isFound, next: [] };
  }

  const beginning = begin(false);
  const known = new Map<string, Together>();

  /** The same as `step` within a text, looked up where it was met before; `undefined` where there are too many. */
  function knownStep(from: Together, kind: number): Together | undefined {
    const before = from.next[kind];
    if (before !== undefined) return before;
    const made = step(from, kind, false);
    const key = `${made.isFound} ${made.states.join()}`;
    const same = known.get(key);
    if (same === undefined && known.size >= MAX_TOGETHER) return undefined;
    const found = same ?? made;
    known.set(key, found);
    from.next[kind] = found;
    return found;
  }

  return {
    test(text) {
      if (text.length === 0) return begin(true).isFound;
      let here = beginning;
      let isKnown = true;
      for (let at = 0; at < text.length && !here.isFound; ) {
        const code = text.codePointAt(at) as number;
        at += code > 0xffff ? 2 : 1;
        const kind = classOf(code);
        const looked: Together | undefined = isKnown && at < text.length ? knownStep(here, kind) : undefined;
        isKnown = looked !== undefined;
        here = looked ?? step(here, kind, at === text.length);
      }
      return here.isFound;
    },
  };
}

function isIn(ranges: readonly Range[], code: number): boolean {
  return ranges.some(([from, to]) => from <= code && code <= to);
}

/** Characters that all sets treat alike have one number. `takes`: for each state those of its set. */
function classesOf(states: readonly PatternState[]) {
  const ranges = states.flatMap((state) => (state.kind === 'set' ? state.ranges : []));
  const starts = [...new Set([0, ...ranges.flatMap(([from, to]) => [from, to + 1])])].sort((a, b) => a - b);
  const search = (code: number): number => {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= code) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const ascii = Array.from({ length: ASCII }, (_, code) => search(code));
  const bySet = new Map<readonly Range[], Uint8Array>();
  const takes = states.map((state) => {
    if (state.kind !== 'set') return undefined;
    const known = bySet.get(state.ranges);
    const taken = known ?? Uint8Array.from(starts, (code) => (isIn(state.ranges, code) ? 1 : 0));
    bySet.set(state.ranges, taken);
    return taken;
  });
  return { classOf: (code: number) => ascii[code] ?? search(code), takes };
}
