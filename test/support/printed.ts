// What a page says that a command prints: its blocks of text, as patterns for what is really printed.

/**
 * Of each block of text on the page a pattern for each of its lines: any figure will do for a figure, any space for space, and
 * anything for `…`, where the page leaves something out.
 */
export function printedBlocks(page: string): RegExp[][] {
  return Array.from(page.matchAll(/^```text\n([\s\S]*?)^```$/gm), ([, block = '']) =>
    block
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => new RegExp(`^${pattern(line)}$`, 'm')),
  );
}

function pattern(line: string): string {
  return line
    .replace(/[\\^$*+?.()|[\]{}]/g, '\\$&')
    .replace(/\d(?:[\d,]|\\\.\d)*/g, '\\d[\\d,.]*')
    .replace(/ +/g, ' +')
    .replaceAll('…', '.*');
}
