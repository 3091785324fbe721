// Types of the part of dynalite that `dynamodb.ts` uses; the package brings none.
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }

  /** A server that is not listening yet; without `path` everything stays in memory. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
