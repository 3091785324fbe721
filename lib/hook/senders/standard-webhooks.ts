// Standard Webhooks: `webhook-signature` over id, timestamp and body. https://github.com/standard-webhooks/standard-webhooks
import { parseRequest } from '../asked.ts';
import type { WebhookSender } from '../sender.ts';
import { isSigned } from '../signature.ts';

/** Most difference between the sender's clock and ours, in either direction. */
const TOLERANCE_MS = 300_000;
/** More keys than anybody rotates at a time. */
const MAX_SIGNATURES = 16;

export const standardWebhooks: WebhookSender = {
  name: 'standard-webhooks',
  field: 'standardWebhooks',
  header: 'webhook-signature',

  /** The id is signed, and the same for every retry; the timestamp is the attempt's. */
  verify(headers, body, keys, now) {
    const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '' } = headers;
    // With a dot in the id, parts of it could be read as timestamp.
    if (!/^[!-\-/-~]{1,256}$/.test(id)) return { refused: 'id' };
    if (!/^[1-9]\d{0,10}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > TOLERANCE_MS)
      return { refused: 'timestamp' };
    const given = signaturesIn(headers['webhook-signature'] ?? '');
    return isSigned([`${id}.${timestamp}.`, body], keys, given) ? { id } : { refused: 'signature' };
  },

  /**
   * Our request, or the specification's payload: `type`, `timestamp`, and the request as `data` or beside
   * them. With `data`, other members are ignored.
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

/** `v1,{base64}`, separated by blanks; other versions are ignored. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(' ', MAX_SIGNATURES)
    .filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one))
    .map((one) => Buffer.from(one.slice(3), 'base64'));
}
