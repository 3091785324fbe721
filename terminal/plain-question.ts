// A question in a terminal whose cursor cannot be moved (TERM=dumb): a line is printed, and a line is read.
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

/** @returns what was typed; `undefined` where Ctrl-C or the end of input came first */
export async function plainAnswer(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Promise<string | undefined> {
  const lines = createInterface({ input, output, terminal: true });
  // Not every Node 24 lets go of a question whose lines have ended.
  const ended = once(lines, 'close').then(() => undefined);
  try {
    const answer = await Promise.race([lines.question(`${question} `).catch(whereEnded), ended]);
    if (answer === undefined) output.write('\n');
    return answer;
  } finally {
    lines.close();
  }
}

function whereEnded(error: Error & { readonly code?: string }): undefined {
  if (error.code !== 'ABORT_ERR') throw error;
}
