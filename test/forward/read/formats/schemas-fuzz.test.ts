// A small share of `npm run fuzz` for the formats that need a schema.
import { describe, it } from 'vitest';
import { SCHEMAS } from '../../../fuzz/schemas.ts';

describe('14 B: avro and protobuf, whatever the bytes are', () => {
  it.each(Object.entries(SCHEMAS))('%s', (_, property) => property(200));
});
