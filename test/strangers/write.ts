// Writes docs/strangers.md anew: `node test/strangers/write.ts`, after `npm ci --prefix test/strangers`. Needs Python.
import { writeFileSync } from 'node:fs';
import { aeppRows } from './aepp.ts';
import { document } from './document.ts';
import { libraries } from './ims-steps.ts';

const page = new URL('../../docs/strangers.md', import.meta.url);
writeFileSync(page, document([...libraries(), ...aeppRows()]));
