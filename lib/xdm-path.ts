// Paths in XDM as a manifest writes them: names with dots between them.
import * as z from 'zod';

/** A path in XDM: names with dots, no JSON Pointer and no JSONPath. */
const path = (likePath: RegExp) =>
  z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\s.]+(\.[^\s.]+)*$/, 'expected an XDM path such as person.name.firstName')
    .regex(likePath, { error: dotted })
    .describe("`{tenant}` stands for the organization's own namespace, e.g. `_acmelab`.");

/** With Data Prep's escapes: `${…}`. */
export const xdmPath = path(/^(?!\/|#|\$(\.|\[|$)|["'])/);

/** A descriptor has the path as a JSON Pointer, so no name may have a slash. Contract §2.7. */
export const identityPath = path(/^(?!#|\$|["'])[^/]*$/);

/** A path instead of a JSON Pointer, a JSONPath or a quoted path. */
function dotted({ input }: { readonly input?: unknown }): string {
  const names = String(input)
    .split(/[/.]/)
    .map((name) => name.replace(/^["'#$]+|["']+$/g, ''))
    .filter((name) => name !== '');
  return `expected names with dots between them: ${names.join('.') || 'person.name.firstName'}`;
}
