// Who asked the local AWS for what, in the words in which IAM decides about it: action, resource, condition keys.
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a request asks for. */
export interface Asked {
  /** The SDK's package and operation: `s3:ListObjectsV2`. Absent of what AWS does by itself with somebody's role. */
  readonly api?: string;
  /** IAM's word for it: `s3:ListBucket`. */
  readonly action: string;
  /** An ARN, or `*` where the action knows no resource. */
  readonly resource: string;
  /** Condition keys that the service gives, as far as policies of ours use them. */
  readonly conditions?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Call extends Asked {
  /** The function, or the state machine, by the name it has on this machine. */
  readonly by: string;
}

export interface Calls {
  /** What a request asks for. Looked at only where the access key is a function's or the state machine's. */
  request(authorization: string | undefined, asked: () => readonly Asked[]): void;
  /** What AWS does by itself with the role of that name. */
  by(name: string, asked: Asked): void;
}

/** Kept as text in an access key, whose letters are `\w` alone. */
const KEY_PREFIX = 'LOCAL_ROLE_';
/** A hyphen in there. */
const HYPHEN = '__';

/** Of whoever runs the local AWS. */
export const OWN_KEY = 'local';

/** By it the local AWS knows the caller. */
export function accessKeyOf(name: string): string {
  return KEY_PREFIX + name.replaceAll('-', HYPHEN);
}

/** Whether it is a function's, the state machine's, or of whoever runs the local AWS. */
export function isOwnKey(accessKeyId: string): boolean {
  return accessKeyId === OWN_KEY || accessKeyId.startsWith(KEY_PREFIX);
}

function callerIn(authorization: string | undefined): string | undefined {
  const key = /Credential=([^/,\s]+)\//.exec(authorization ?? '')?.[1];
  return key?.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length).replaceAll(HYPHEN, '-') : undefined;
}

/** Tells each kind of call once. */
export function createCalls(tell: (call: Call) => void): Calls {
  const seen = new Set<string>();
  const note = (by: string, asked: Asked) => {
    const kind = JSON.stringify([by, asked.api, asked.action, kindOf(asked.resource), asked.conditions]);
    if (seen.has(kind)) return;
    seen.add(kind);
    tell({ by, ...asked });
  };
  return {
    request(authorization, asked) {
      const by = callerIn(authorization);
      if (by !== undefined) for (const one of asked()) note(by, one);
    },
    by: note,
  };
}

/** Of a bucket's objects and a machine's executions there are many: one each stands for the others. */
function kindOf(resource: string): string {
  return resource
    .replace(/^(arn:aws[a-z-]*:s3:::[^/]+\/[^/]+)\/.*$/, '$1')
    .replace(/^(arn:aws[a-z-]*:states:[^:]*:\d+:execution:[^:]+):.*$/, '$1')
    .replace(/(:event-source-mapping:).*$/, '$1');
}

/** Tells nobody. */
export const noCalls: Calls = { request: () => undefined, by: () => undefined };

let kept: Calls | undefined;

/** Where tests keep what was asked for: in the folder that `PENSTOCK_CALLS` names, a file for each process, a line of JSON for each kind. */
export function callsOfTests(): Calls {
  const { PENSTOCK_CALLS: folder } = process.env;
  if (folder === undefined) return noCalls;
  const file = join(folder, `${process.pid}.jsonl`);
  kept ??= createCalls((call) => {
    mkdirSync(folder, { recursive: true });
    appendFileSync(file, `${JSON.stringify(call)}\n`);
  });
  return kept;
}
