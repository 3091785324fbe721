// Decides what a redacting pipeline keeps of a refused row: the record behind it, redacted by the rules in force, or
// no bytes.
import { hash } from 'node:crypto';
import { MAX_OPENED_BYTES } from '../bounds.ts';
import { hiddenKey, rulesName } from '../forward/dead-letters.ts';
import { isObject, parseJson } from '../forward/json/check.ts';
import { unpack } from '../forward/read/unpack.ts';
import { createRedactor, type Redactor } from '../forward/transform/redact.ts';
import type { PublishedPipeline } from '../published.ts';
import type { DeadLetter } from '../runtime.ts';
import type { RefusedRow } from './row.ts';

export interface Hider {
  readonly rules: Redactor['applied'];
  hide(row: RefusedRow): RefusedRow;
}

/**
 * `undefined` if the pipeline does not redact. AEP's own version of a record is never kept otherwise. It may have
 * been sent before there were rules, and rules lead into the producer's record, not into AEP's rows.
 * One hider serves the rows of one document. Rows beyond its largest size are stored without bytes.
 */
export function createHider(pipeline: PublishedPipeline): Hider | undefined {
  const redactor = createRedactor(pipeline);
  if (redactor === undefined) return undefined;
  let held = 0;
  const redacted = ({ entry, joined }: RefusedRow): Buffer | undefined => {
    if (joined !== true) return undefined;
    const bytes = Buffer.from(entry.data, 'base64');
    const payload = entry.piece === true ? bytes : unpack(bytes, pipeline.compression);
    const parsed = 'kind' in payload ? payload : parseJson(payload);
    return 'kind' in parsed || !isObject(parsed.value) ? undefined : redactor.redact(parsed.json);
  };
  return {
    rules: redactor.applied,
    hide(row) {
      const bytes = redacted(row);
      // A record is unpacked as well, and may be many times larger then.
      held += bytes?.length ?? 0;
      const { asReceived: _, partitionKey, ...entry } = row.entry;
      const own: DeadLetter = {
        ...entry,
        ...(partitionKey !== undefined && { partitionKey: hiddenKey(partitionKey) }),
      };
      if (bytes === undefined || held > MAX_OPENED_BYTES) return { ...row, entry: withheldEntry(own) };
      const rules = rulesName(redactor.applied);
      return { ...row, entry: { ...own, data: bytes.toString('base64'), redacted: true, rules } };
    },
  };
}

function withheldEntry(entry: DeadLetter): DeadLetter {
  const bytes = Buffer.from(entry.data, 'base64');
  return { ...entry, data: '', withheld: true, length: bytes.length, sha256: hash('sha256', bytes, 'hex') };
}
