// What a format that needs a schema makes of one: how records are read by it.
import type { Expander } from './expander.ts';

export type Expand = Expander['expand'];

/** What reads records by one schema; in words why none can be read by it. */
export type SchemaReader = { readonly expand: Expand } | { readonly problem: string };
