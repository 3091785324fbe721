// Identity Service: reads the namespaces of identities. Contract §2.7.
import * as z from 'zod';
import type { Request } from './request.ts';

const Namespace = z.object({ code: z.string().nullish(), id: z.number().nullish().catch(undefined) });

/** Identity Service's calls. Each throws the `Failure`s of `createRequest`. */
export function identityService(request: Request) {
  async function namespaces(): Promise<{ code: string; id: number | undefined }[]> {
    const { value } = await request({
      method: 'GET',
      path: '/data/core/idnamespace/identities',
      answer: z.array(Namespace),
    });
    return value.flatMap(({ code, id }) => (code ? [{ code, id: id ?? undefined }] : []));
  }

  return {
    /** The codes of all namespaces of the sandbox, Adobe's own and the organization's: `Email`, `ECID`, … */
    async namespaceCodes(): Promise<string[]> {
      return (await namespaces()).map(({ code }) => code);
    },

    /** The same with their numbers: a descriptor can name either. */
    namespaces,
  };
}
