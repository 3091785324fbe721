// Identity Service: the namespaces an identity can be in. Contract §2.7.
import * as z from 'zod';
import type { Request } from './request.ts';

const Namespace = z.object({ code: z.string().nullish() });

/** Identity Service's calls. Each throws the `Failure`s of `createRequest`. */
export function identityService(request: Request) {
  return {
    /** The codes of all namespaces of the sandbox, Adobe's own and the organization's: `Email`, `ECID`, … */
    async namespaceCodes(): Promise<string[]> {
      const { value } = await request({
        method: 'GET',
        path: '/data/core/idnamespace/identities',
        answer: z.array(Namespace),
      });
      return value.flatMap(({ code }) => (code ? [code] : []));
    },
  };
}
