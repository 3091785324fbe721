// How wide a text is on a terminal, and where it is broken into lines.
import stringWidth from 'string-width';

/** How many columns a text takes: a letter of China two, a code of colour none. As `cli-table3` measures. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** Lines no longer than that: between words, and within a word that is longer than a line. */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => brokenLines(line, width, (word) => piecesOf(word, width)))
    .join('\n');
}

/** What goes on in the next line stands a little further in. */
const HANGING = 2;

/** Prose: broken between words alone, so that an address stays whole. What stands further in goes on further in. */
export function wrappedProse(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      if (columnsOf(line) <= width) return [line];
      const indent = ' '.repeat(line.length - line.trimStart().length);
      const room = width - indent.length - HANGING;
      const [first, ...others] = brokenLines(line.trimStart(), room, (word) => [word]);
      return [`${indent}${first}`, ...others.map((other) => `${indent}${' '.repeat(HANGING)}${other}`)];
    })
    .join('\n');
}

/** So much of a text as fits, with a sign where something is left out. */
export function cutTo(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  return `${piecesOf(text, Math.max(1, width - 1))[0]}…`;
}

function brokenLines(line: string, width: number, broken: (word: string) => readonly string[]): string[] {
  const lines: string[] = [];
  let current: string | undefined;
  for (const word of line.split(' ')) {
    const longer: string = current === undefined ? word : `${current} ${word}`;
    if (columnsOf(longer) <= width) {
      current = longer;
      continue;
    }
    if (current !== undefined) lines.push(current.trimEnd());
    const pieces = broken(word);
    lines.push(...pieces.slice(0, -1));
    current = pieces.at(-1);
  }
  return [...lines, current ?? ''];
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ESCAPE = '\u001b';

/** A code of colour takes no room, and is not broken. */
function piecesOf(word: string, width: number): string[] {
  const pieces = [''];
  let used = 0;
  let isCode = false;
  for (const { segment } of graphemes.segment(word)) {
    if (segment === ESCAPE) isCode = true;
    const columns = isCode ? 0 : columnsOf(segment);
    if (used > 0 && used + columns > width) {
      pieces.push('');
      used = 0;
    }
    pieces.push(`${pieces.pop()}${segment}`);
    used += columns;
    if (segment === 'm') isCode = false;
  }
  return pieces;
}
