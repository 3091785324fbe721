// Standard Webhooks: `webhook-signature` over id, timestamp and body. https://github.com/standard-webhooks/standard-webhooks
import { parseRequest } from '../asked.ts';
import type { WebhookSender } from '../sender.ts';
import { isSigned } from '../signature.ts';

/** How far the sender's clock and ours may be apart, either way. */
const TOLERANCE_MS = 300_000;
/** More than anybody rotates keys by at a time. */
const MAX_SIGNATURES = 16;

export const standardWebhooks: WebhookSender = {
  name: 'standard-webhooks',
  field: 'standardWebhooks',
  header: 'webhook-signature',

  /** The id is signed, and the same however often the delivery is sent; the timestamp is of the attempt. */
  verify(headers, body, keys, now) {
    const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '' } = headers;
    // A dot in the id would let it be read as id and timestamp.
    if (!/^[!-\-/-~]{1,256}$/.test(id)) return { refused: 'id' };
    if (!/^[1-9]\d{0,10}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > TOLERANCE_MS)
      return { refused: 'timestamp' };
    const given = signaturesIn(headers['webhook-signature'] ?? '');
    return isSigned([`${id}.${timestamp}.`, body], keys, given) ? { id } : { refused: 'signature' };
  },

  /**
   * The request, or the specification's payload: `type`, `timestamp`, and the request as `data` or beside them. Beside `data` a
   * sender may put whatever it likes.
   */
  asked(body) {
    return { kind: 'request', request: parseRequest(unwrapped(body)) };
  },
};

function unwrapped(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { type, timestamp: _, data, ...rest } = body as Record<string, unknown>;
  if (typeof type !== 'string') return body;
  return data === undefined ? rest : data;
}

/** `v1,{base64}`, separated by blanks; other versions are passed over. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(' ', MAX_SIGNATURES)
    .filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one))
    .map((one) => Buffer.from(one.slice(3), 'base64'));
}
