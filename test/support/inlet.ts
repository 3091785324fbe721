// A streaming inlet and IMS for tests: a scripted `fetch`, with a parser of its own for what it is sent.
import type { FetchInit } from '../../lib/aep/transport.ts';

/** One request to the inlet, as it arrived. */
export interface InletRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly text: string;
  /** The text of each item of `messages`, exactly. */
  readonly messages: readonly string[];
  /** 0 for the first. */
  readonly index: number;
}

export type Answer = (request: InletRequest) => Response | Promise<Response>;

export interface FakeInlet {
  readonly fetch: (url: string, init: FetchInit) => Promise<Response>;
  readonly requests: InletRequest[];
  /** Every message text that was acknowledged, in order, as the inlet saw it. */
  readonly acknowledged: string[];
  /** Tokens handed out by IMS. */
  readonly tokens: string[];
  /** Most requests that were open at once. */
  readonly peak: { open: number; most: number };
}

/** `answer` is asked for every request to the inlet; IMS hands out `token-1`, `token-2`, … unless `ims` says otherwise. */
export function fakeInlet(
  answer: Answer = acknowledgeAll,
  ims?: () => Response | Promise<Response>,
): FakeInlet {
  const requests: InletRequest[] = [];
  const acknowledged: string[] = [];
  const tokens: string[] = [];
  const peak = { open: 0, most: 0 };
  const inlet = async (url: string, init: FetchInit): Promise<Response> => {
    const text = typeof init.body === 'string' ? init.body : Buffer.from(init.body ?? []).toString('utf8');
    const request = {
      url,
      headers: init.headers,
      bytes: Buffer.byteLength(text),
      text,
      messages: itemsOf(text),
      index: requests.length,
    };
    requests.push(request);
    const response = await answer(request);
    if (response.status === 207) note(request, await response.clone().text(), acknowledged);
    return response;
  };
  return {
    requests,
    acknowledged,
    tokens,
    peak,
    async fetch(url, init) {
      if (new URL(url).pathname === '/ims/token/v3') {
        tokens.push(`token-${tokens.length + 1}`);
        return ims?.() ?? json(200, { access_token: tokens.at(-1), expires_in: 86_399 });
      }
      peak.most = Math.max(peak.most, ++peak.open);
      try {
        return await inlet(url, init);
      } finally {
        peak.open--;
      }
    },
  };
}

/** What a reader of the contract would take for acknowledged: by position, an id and nothing else. */
function note(request: InletRequest, text: string, acknowledged: string[]): void {
  const { responses } = JSON.parse(text) as { responses: (Record<string, unknown> | null)[] };
  if (responses.length !== request.messages.length) return;
  responses.forEach((entry, index) => {
    if (entry?.xactionId === undefined || entry.status !== undefined || entry.statusCode !== undefined)
      return;
    acknowledged.push(request.messages[index] as string);
  });
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** A 207 whose entries are given. */
export function multi(entries: readonly unknown[]): Response {
  return json(207, { inletId: 'x', batchId: '1771:3120:78', receivedTimeMs: 1, responses: entries });
}

export function acknowledgeAll({ messages }: { readonly messages: readonly string[] }): Response {
  return multi(messages.map((_, index) => ({ xactionId: `1771000200000:3120:78:${index}` })));
}

/** Acknowledges what `refuse` says nothing about; refuses the others with the entry it gives. */
export function acknowledgeBut(refuse: (message: string, request: InletRequest) => unknown): Answer {
  return (request) =>
    multi(
      request.messages.map(
        (message, index) => refuse(message, request) ?? { xactionId: `6f0b7c1e-8f43-${index}` },
      ),
    );
}

/** Answers from a list, the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (request) => (answers[Math.min(turn++, answers.length - 1)] as Answer)(request);
}

/** The items of `{"messages":[…]}`, told apart by a tokenizer on text; checked against the built-in parser. */
export function itemsOf(text: string): string[] {
  const whole = /^\{"messages":\[(.*)\]\}$/s.exec(text);
  if (whole === null) throw new Error('the body is not {"messages":[…]}');
  const items: string[] = [];
  let depth = 0;
  let item = '';
  for (const [token] of (whole[1] as string).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]|[^"{}[\],]+/gs)) {
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (token === ',' && depth === 0) {
      items.push(item);
      item = '';
    } else item += token;
  }
  if (item !== '') items.push(item);
  const parsed = (JSON.parse(text) as { messages: unknown[] }).messages;
  if (parsed.length !== items.length) throw new Error('the tokenizer and the parser disagree');
  return items;
}
