// `import('…?noise')`: the module and all of the project that it imports, a second time, with noise for texts.
import type { Plugin } from 'vitest/config';
import { noisySource, ROOT } from './sources.ts';

const QUERY = '?noise';

export function noise(): Plugin {
  return {
    name: 'noise',
    enforce: 'pre',
    async resolveId(source, importer) {
      const isNoisy = importer?.endsWith(QUERY) === true;
      if (!isNoisy && !source.endsWith(QUERY)) return undefined;
      const found = await this.resolve(source.replace(QUERY, ''), importer?.replace(QUERY, ''), {
        skipSelf: true,
      });
      const isOurs =
        found?.id.startsWith(ROOT) === true && /\.ts$/.test(found.id) && !found.id.includes('node_modules');
      return isOurs ? `${found.id}${QUERY}` : found;
    },
    load: (id) =>
      id.endsWith(QUERY) ? { code: noisySource(id.slice(0, -QUERY.length)), map: null } : undefined,
  };
}
