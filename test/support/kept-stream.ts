// A stream of a process that keeps what is written to it as text.
import { Writable } from 'node:stream';

/** @param columns makes it a terminal of so many */
export function keptStream(columns?: number): { readonly stream: NodeJS.WriteStream; text(): string } {
  let text = '';
  const writable = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const stream = Object.assign(writable, columns === undefined ? {} : { isTTY: true, columns });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}
