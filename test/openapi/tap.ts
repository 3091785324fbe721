// Preloaded into a process that serves the simulated platform: writes each of its answers to the file PENSTOCK_ANSWERS as it goes out.
// The journal of the platform is not enough: it masks, cuts and sums up.
import { appendFileSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import type { Answered } from './descriptions.ts';

const file = process.env.PENSTOCK_ANSWERS;
/** What is Adobe's; the rest is the local AWS's, and the simulator's own pages. */
const ADOBES = /^\/(ims|data|collection)(\/|$)/;
const types = new WeakMap<ServerResponse, string | undefined>();
const { writeHead, end } = ServerResponse.prototype;

ServerResponse.prototype.writeHead = function (this: ServerResponse, status: number, ...more: unknown[]) {
  const headers = (more.at(-1) ?? {}) as Readonly<Record<string, string>>;
  types.set(this, headers['content-type']);
  return (writeHead as (...all: unknown[]) => ServerResponse).call(this, status, ...more);
} as typeof writeHead;

ServerResponse.prototype.end = function (this: ServerResponse, ...given: unknown[]) {
  note(this, given[0]);
  return (end as (...all: unknown[]) => ServerResponse).apply(this, given);
} as typeof end;

function note(response: ServerResponse, text: unknown): void {
  const { method = '', url = '' } = response.req;
  const path = url.split('?')[0] as string;
  if (file === undefined || !ADOBES.test(path)) return;
  const type = types.get(response);
  const isJson = type?.includes('json') && typeof text === 'string' && text !== '';
  const body: unknown = isJson ? JSON.parse(text) : text;
  const answered: Answered = { method, path, status: response.statusCode, contentType: type, body };
  appendFileSync(file, `${JSON.stringify(answered)}\n`);
}
