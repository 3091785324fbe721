// A runtime for a forwarder of which only some parts matter: the others do nothing, and take no notice.
import { systemClock } from '../../lib/aep/transport.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import type { DeadLetterDocument, ForwardRuntime } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { PUBLISHED, SECRET } from './forwarding.ts';
import { memoryMarks } from './marks.ts';
import { memoryRoutes } from './routes.ts';

export interface PlainRuntime extends ForwardRuntime {
  readonly documents: DeadLetterDocument[];
}

/** @param parts what is not given is a system clock, a random number of 0, and a store that takes all */
export function plainRuntime(
  parts: Pick<ForwardRuntime, 'fetch'> & Partial<ForwardRuntime>,
  published: Partial<PublishedPipeline> = {},
): PlainRuntime {
  const documents: DeadLetterDocument[] = [];
  const nothing = () => undefined;
  const credentials = { clientId: 'c', clientSecret: SECRET, organizationId: PUBLISHED.organizationId };
  return {
    settings: settingsFrom({}),
    clock: systemClock,
    random: () => 0,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: { count: nothing, measure: nothing, flush: nothing },
    secrets: {
      get: async (id) =>
        JSON.stringify(id.endsWith('/credentials') ? credentials : { ...PUBLISHED, ...published }),
      create: async () => false,
      put: async () => undefined,
      remove: async () => undefined,
    },
    routes: memoryRoutes(),
    marks: memoryMarks(),
    deadLetters: {
      put: async (document) => {
        documents.push(document);
        return { key: 'k', entries: document.entries.length };
      },
    },
    ...parts,
    documents,
  };
}
