// The JSON in a payload, for pipelines that look into their records.
import { isUtf8 } from 'node:buffer';
import { MAX_DEPTH } from './check.ts';
import { isDeeperThan } from './json.ts';
import { type Rejected, rejected } from './verdict.ts';

/** Its bytes without a byte order mark, and their value; or why it is none that may be looked into. */
export function parseJson(payload: Buffer): { readonly json: Buffer; readonly value: unknown } | Rejected {
  const hasMark = payload[0] === 0xef && payload[1] === 0xbb && payload[2] === 0xbf;
  const json = hasMark ? payload.subarray(3) : payload;
  if (json.length === 0) return rejected('empty', 'no data');
  if (!isUtf8(json)) return rejected('not-utf8', 'not UTF-8');
  if (isDeeperThan(json, MAX_DEPTH)) return rejected('too-deep', `more than ${MAX_DEPTH} levels`);
  try {
    return { json, value: JSON.parse(json.toString('utf8')) };
  } catch {
    // The parser's own message quotes the record.
    return rejected('not-json', 'not JSON');
  }
}
