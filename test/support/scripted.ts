// A transport whose answers are written down beforehand, and a clock that only moves when somebody sleeps.
import type { FetchInit, Transport } from '../../lib/aep/transport.ts';

export interface Sent {
  readonly url: string;
  readonly init: FetchInit;
  readonly body: string;
}

export type Reply = Response | Error | ((sent: Sent) => Response | Promise<Response>);

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(text, { status, headers });
}

/** Answers in turn; the last one again and again. Token requests are answered by themselves unless `ims` is given. */
export function scripted(replies: Reply[], ims?: Reply[]) {
  const sent: Sent[] = [];
  const tokens: Sent[] = [];
  const sleeps: number[] = [];
  const clock = {
    time: Date.parse('2026-01-01T00:00:00Z'),
    now: () => clock.time,
    sleep: async (ms: number) => {
      sleeps.push(ms);
      clock.time += ms;
    },
  };
  const take = (from: Reply[]) => (from.length > 1 ? from.shift() : from[0]) as Reply;
  const transport: Transport = {
    clock,
    random: () => 0.5,
    fetch: async (url, init) => {
      const body = init.body === undefined ? '' : Buffer.from(init.body as string).toString();
      const isToken = url.includes('/ims/token');
      (isToken ? tokens : sent).push({ url, init, body });
      const reply = isToken
        ? take(ims ?? [() => json(200, { access_token: `token-${tokens.length}`, expires_in: 86_399 })])
        : take(replies);
      if (reply instanceof Error) throw reply;
      return typeof reply === 'function' ? reply({ url, init, body }) : reply.clone();
    },
  };
  return { transport, clock, sent, tokens, sleeps };
}

export const CREDENTIALS = {
  clientId: 'fake-client-id',
  clientSecret: 'fake-client-secret',
  organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
  scopes: 'openid,AdobeID',
};
