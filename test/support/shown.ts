// What is shown to people, as text.
import { createOutput } from '../../terminal/create-output.ts';
import type { Output } from '../../terminal/output.ts';
import { keptStream } from './kept-stream.ts';

/** @param columns of a terminal; a pipe where there is none */
export async function shown(
  show: (output: Output) => Promise<void> | void,
  columns?: number,
): Promise<string> {
  const { stream, text } = keptStream(columns);
  const stdin = {} as NodeJS.ReadStream;
  const env = { NO_COLOR: '1' };
  await show(createOutput({ isJson: false, stdout: stream, stderr: stream, stdin, env }));
  return text();
}
