// A log line for people: its time, its level, its function and its message, then its other fields.
import type { Colours } from '../terminal/output.ts';
import type { LogLine } from './target.ts';

/** Told by the front of the line, or the same in every line. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
  'xray_trace_id',
  // How CloudWatch is to read the counts, which stand beside it.
  '_aws',
]);

export function logText({ at, functionName, text }: LogLine, colours: Colours): string {
  const front = `${new Date(at).toISOString()} ${functionName}`;
  const fields = fieldsIn(text);
  if (fields === undefined) return `${front} ${text}`;
  const { level = '', message = '' } = fields;
  const paint = level === 'ERROR' ? colours.red : level === 'WARN' ? colours.yellow : colours.dim;
  const rest = Object.entries(fields)
    .filter(([name]) => !ELSEWHERE.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [front, paint(String(level).padEnd(5)), String(message), colours.dim(rest.join(' '))]
    .join(' ')
    .trimEnd();
}

function fieldsIn(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
