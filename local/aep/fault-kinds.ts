// What a fault can do, and what may be said of it: it imports nothing, so that a page can name it too.

/** What a fault does. `kind` decides; the comment names the fields it reads. */
export const FAULT_KINDS = {
  latency: 'waits `latencyMs`, then goes on as usual (every kind takes `latencyMs`)',
  late: 'applies the call, then waits `latencyMs` before it answers',
  refuse: 'answers `status` with `body`, `headers`, `retryAfter`; nothing is applied',
  failAfter: 'applies the call, then answers `status` (500) with `body`',
  dropBefore: 'cuts the connection; nothing is applied',
  dropAfter: 'applies the call, then cuts the connection',
  truncate: 'applies the call; the answer stops after `bytes` (half)',
  breakOff: 'applies the call; the connection breaks after `bytes` (half) of the answer',
  notJson: 'applies the call; the answer is `body` (an HTML page) instead of JSON, with `status` if given',
  expireTokens: 'takes back every token given so far, then goes on as usual',
  stale: 'a list is `staleMs` (30000) old',
  partial:
    'a batch in which some messages fail: `messages`, `count` or `containing`; `status`, `shape`, `field`, `asText`',
  short: 'a 207 that misses `count` (1) entries at its end',
  long: 'a 207 with `count` (1) entries too many',
  reorder: 'a 207 whose entries are in reverse order',
  nullItems: 'a 207 whose entries `messages` (all) are null',
  emptyItems: 'a 207 whose entries `messages` (all) are {}',
  foreignIds: 'a 207 whose xactionIds say nothing about positions',
  single: "a batch answered in a single message's shape, with 200",
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface FaultSpec {
  kind: FaultKind;
  /** Any method when absent. */
  method?: string;
  /** `*` is one segment, `**` any number; any path when absent. */
  path?: string;
  /** Leaves the first calls that match alone. */
  after?: number;
  /** How often it strikes. Without it, always. */
  times?: number;
  /** Strikes with this chance, from the seed. */
  probability?: number;
  latencyMs?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  retryAfter?: number | string;
  bytes?: number;
  staleMs?: number;
  count?: number;
  messages?: number[];
  containing?: string;
  shape?: 'A' | 'B';
  field?: 'status' | 'statusCode';
  asText?: boolean;
  message?: string;
}
