// Finds what people read in a source file: its comments, and its strings and templates of more than three words.
import { stripTypeScriptTypes } from 'node:module';
import { parseAst } from 'vitest/node';
import { words } from './sentences.ts';

export interface Text {
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Without the marks around it; an expression in a template is one word. */
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const FEWEST_WORDS = 4;

/** @throws SyntaxError where `source` is no TypeScript whose types can be stripped */
export function textsOf(source: string): Text[] {
  // Types are blanked, and so are the casts of AssemblyScript: places in the code are places in the source.
  const typed = source.replace(/(?<=[=(+\s])<\w+>(?=[\w(])/g, (cast) => ' '.repeat(cast.length));
  const literals = literalsOf(parseAst(stripTypeScriptTypes(typed)) as unknown as Node);
  const spans = [...commentsOf(source, literals), ...literals];
  return spans
    .filter(({ text }) => words(text.replace(/\s+/g, ' ')) >= FEWEST_WORDS)
    .sort((a, b) => a.start - b.start)
    .map(({ start, text }) => ({ line: source.slice(0, start).split('\n').length, text }));
}

function literalsOf(root: Node): Span[] {
  const found: Span[] = [];
  const walk = (node: Node): void => {
    const { type, start, end, value } = node;
    // A regular expression or a number is kept as well: no comment begins in it.
    if (type === 'Literal') found.push({ start, end, text: typeof value === 'string' ? value : '' });
    if (type === 'TemplateLiteral') {
      const parts = node.quasis as readonly (Node & { value: { cooked: string } })[];
      found.push({ start, end, text: parts.map((part) => part.value.cooked).join('CODE') });
    }
    for (const child of Object.values(node).flat())
      if (typeof child === 'object' && child !== null && 'type' in child) walk(child as Node);
  };
  walk(root);
  return found;
}

/** Comments outside literals; lines of `//` below each other are one. */
function commentsOf(source: string, literals: readonly Span[]): Span[] {
  const quoted = new Set(literals.map(({ start }) => start));
  const endOf = new Map(literals.map(({ start, end }) => [start, end]));
  const found: Span[] = [];
  for (let at = 0; at < source.length; at++) {
    if (quoted.has(at)) {
      at = (endOf.get(at) ?? at) - 1;
    } else if (source.startsWith('//', at) || source.startsWith('/*', at)) {
      const [whole = ''] =
        /^(?:\/\*[\s\S]*?\*\/|(?:\/\/.*(?:\n[ \t]*(?=\/\/))?)+)/.exec(source.slice(at)) ?? [];
      found.push({ start: at, end: at + whole.length, text: plain(whole) });
      at += whole.length - 1;
    }
  }
  return found;
}

/** A comment without its marks; a tag of a docstring begins a paragraph. */
function plain(comment: string): string {
  return comment
    .replace(/^\/\*\*?|\*\/$/g, '')
    .replace(/^[ \t]*(?:\/\/+|\*(?!\*))[ \t]?/gm, '')
    .replace(/^[ \t]*@\w+/gm, '\n\n')
    .replace(/\{@link ([^}]*)\}/g, '`$1`');
}
