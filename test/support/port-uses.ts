// Which ports to AWS each function uses where there is no AWS at all: kept for the judge of the roles, each kind once.
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DriftRuntime } from '../../lib/runtime.ts';

export interface PortUse {
  /** The function. */
  readonly by: string;
  /** `ledger.names` */
  readonly port: string;
  /** Of secrets: which one. */
  readonly of?: string;
}

const PORTS = ['secrets', 'triggers', 'ledger', 'streams', 'routes', 'consumers'] as const;
const { PENSTOCK_CALLS: folder } = process.env;
const seen = new Set<string>();

/** @param first what the port is given first */
export function noteUse(by: string, port: string, method: string, first: unknown): void {
  if (folder === undefined) return;
  const of = port === 'secrets' ? String(first) : undefined;
  const kind = `${by} ${port}.${method} ${of}`;
  if (seen.has(kind)) return;
  seen.add(kind);
  const use: PortUse = { by, port: `${port}.${method}`, ...(of !== undefined && { of }) };
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, `${process.pid}.uses.jsonl`), `${JSON.stringify(use)}\n`);
}

/** The runtime, each use of a port noted; of whatever ports it has at that moment. */
export function noted(by: string, runtime: DriftRuntime): DriftRuntime {
  return new Proxy(runtime, {
    get(target, name) {
      const port = Reflect.get(target, name) as unknown;
      if (!PORTS.some((one) => one === name)) return port;
      return new Proxy(port as object, {
        get(inner, method) {
          const found = Reflect.get(inner, method) as unknown;
          if (typeof found !== 'function') return found;
          return (...given: unknown[]) => {
            noteUse(by, String(name), String(method), given[0]);
            return found.apply(inner, given) as unknown;
          };
        },
      });
    },
  });
}
