// Splits prose into sentences and counts their words, for the tests that hold our texts to plain language.

export const LONGEST_SENTENCE = 25;

/** `text` without what stands between fences. */
export const withoutCode = (text: string) => text.replace(/^ *```[^\n]*\n[\s\S]*?^ *```$/gm, '');

/** The sentences of a page's prose: paragraphs, list items, cells of tables; code and headings are none. */
export function sentences(text: string): string[] {
  return withoutCode(text)
    .replace(/^(?:#|<!--).*$/gm, '\n')
    .replace(/^ *\|.*$/gm, (row) => `\n\n${row.replace(/`[^`]*`/g, 'CODE').replaceAll('|', '\n\n')}\n\n`)
    .replace(/^\s*(?:[-*]|\d+\.) /gm, '\n\n')
    .split(/\n\s*\n/)
    .map((block) =>
      block
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        // What is between backticks is one word, whatever it holds.
        .replace(/`[^`]*`/g, 'CODE')
        .replace(/\*\*/g, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .flatMap((block) => block.split(/(?<=[.?!:;])["')]* (?=["'(]*(?:[\p{Lu}\d…]|[\w/-]+\.md))/u))
    .filter((sentence) => sentence !== '');
}

export const words = (sentence: string) =>
  sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
