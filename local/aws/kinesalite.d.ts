// Types of the part of kinesalite that `kinesis.ts` uses; the package brings none.
declare module 'kinesalite' {
  import type { Server } from 'node:http';

  interface KinesaliteOptions {
    createStreamMs?: number;
    deleteStreamMs?: number;
    updateStreamMs?: number;
    shardLimit?: number;
  }

  /** A server that is not listening yet; without `path` everything stays in memory. */
  export default function kinesalite(options?: KinesaliteOptions): Server;
}

declare module 'kinesalite/db/index.js' {
  /** What its iterators are hidden with. */
  const db: { readonly ITERATOR_PWD_KEY: Buffer; readonly ITERATOR_PWD_IV: Buffer };
  export default db;
}
