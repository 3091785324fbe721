// What a fault that struck does to a call and to its answer.

import { type Answer, json, text } from './answer.ts';
import { legacyProblem } from './errors.ts';
import type { Fault } from './faults.ts';
import { arrayAt, isObject, type Json } from './json.ts';

const PAGE = '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>';

/** The answer of a fault that keeps the call from being applied. */
export function refusedBefore(faults: readonly Fault[]): Answer | undefined {
  for (const fault of faults) {
    if (fault.kind === 'refuse') return statusAnswer(fault, 503);
    if (fault.kind === 'dropBefore') return { status: 0, headers: {}, dropped: true };
  }
  return undefined;
}

/** The answer after every fault that struck has changed it. */
export function spoiled(faults: readonly Fault[], answer: Answer): Answer {
  return faults.reduce((current, fault) => AFTER[fault.kind]?.(fault, current) ?? current, answer);
}

const AFTER: { readonly [kind in Fault['kind']]?: (fault: Fault, answer: Answer) => Answer } = {
  failAfter: (fault) => statusAnswer(fault, 500),
  dropAfter: (_fault, answer) => ({ ...answer, dropped: true }),
  truncate: (fault, answer) => {
    const whole = answer.text ?? JSON.stringify(answer.body ?? '');
    return { ...answer, text: whole.slice(0, fault.bytes ?? Math.floor(whole.length / 2)) };
  },
  breakOff: (fault, answer) => {
    const whole = answer.text ?? JSON.stringify(answer.body ?? '');
    return { ...answer, text: whole, breaksAfter: fault.bytes ?? Math.floor(whole.length / 2) };
  },
  notJson: (fault, answer) => {
    const page = typeof fault.body === 'string' ? fault.body : PAGE;
    return text(fault.status ?? answer.status, page, 'text/html');
  },
  short: (fault, answer) =>
    withResponses(answer, (entries) => entries.slice(0, -(fault.count ?? 1) || entries.length)),
  long: (fault, answer) =>
    withResponses(answer, (entries) => [
      ...entries,
      ...Array.from({ length: fault.count ?? 1 }, (_, index) => ({
        xactionId: `surplus-${entries.length + index}`,
        // In a shortened answer this entry stands in a message's place, and must not say that the message was taken.
        statusCode: 503,
      })),
    ]),
  reorder: (_fault, answer) => withResponses(answer, (entries) => [...entries].reverse()),
  nullItems: (fault, answer) =>
    withResponses(answer, (entries) => entries.map((each, at) => (picked(fault, at) ? null : each))),
  emptyItems: (fault, answer) =>
    withResponses(answer, (entries) => entries.map((each, at) => (picked(fault, at) ? {} : each))),
  foreignIds: (_fault, answer) =>
    withResponses(answer, (entries) =>
      entries.map((each, at) =>
        // An entry of nothing but an id would say that a message was taken.
        isObject(each) && Object.keys(each).length > 0
          ? { ...each, xactionId: `foreign.${(at * 7919 + 13).toString(36)}x` }
          : each,
      ),
    ),
  single: (_fault, answer) => {
    if (!isObject(answer.body) || !('responses' in answer.body)) return answer;
    const { inletId = null, batchId = null, receivedTimeMs = null } = answer.body;
    return json(200, { inletId, xactionId: batchId, receivedTimeMs, syncValidation: { skipped: true } });
  },
};

function withResponses(answer: Answer, change: (entries: Json[]) => Json[]): Answer {
  if (!isObject(answer.body) || !('responses' in answer.body)) return answer;
  return { ...answer, body: { ...answer.body, responses: change(arrayAt(answer.body, 'responses')) } };
}

function picked(fault: Fault, position: number): boolean {
  return fault.messages?.includes(position) ?? true;
}

function statusAnswer(fault: Fault, fallback: number): Answer {
  const status = fault.status ?? fallback;
  const headers: Record<string, string> = { ...fault.headers };
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
  if (typeof fault.body === 'string')
    return { status, headers: { 'content-type': 'text/html', ...headers }, text: fault.body };
  if (fault.body === null) return { status, headers };
  const usual = legacyProblem(status, 'Simulated fault', fault.message ?? fault.id);
  return json(status, (fault.body ?? usual) as Json, headers);
}
