// Standard Webhooks: `webhook-signature` over id, timestamp and body. https://github.com/standard-webhooks/standard-webhooks
import { parseRequest } from '../asked.ts';
import type { WebhookSender } from '../sender.ts';
import { isSigned } from '../signature.ts';

/** How far the sender's clock and ours may be apart, either way. */
const TOLERANCE_MS = 300_000;
/** More than anybody rotates keys by at a time. */
const MOST_SIGNATURES = 16;

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

  /** The request, or the specification's envelope around it: `{"type", "timestamp", "data"}`. */
  asked(body) {
    const { type, data, ...rest } = (body ?? {}) as { type?: unknown; data?: unknown };
    const wrapped =
      typeof type === 'string' && data !== undefined && Object.keys(rest).every((key) => key === 'timestamp');
    return { kind: 'request', request: parseRequest(wrapped ? data : body) };
  },
};

/** `v1,{base64}`, separated by blanks; other versions are passed over. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(' ', MOST_SIGNATURES)
    .filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one))
    .map((one) => Buffer.from(one.slice(3), 'base64'));
}
