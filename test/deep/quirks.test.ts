// `npm start` with everything that is in doubt about Adobe's behaviour the other way round, at once.
import { expect, it } from 'vitest';
import { QUIRK_NAMES, QUIRKS } from '../../local/aep/quirks.ts';
import { besidesProgress, start } from '../support/start.ts';

it('12 C 1: npm start delivers and accounts for all records under all other variants at once', async () => {
  const words = QUIRK_NAMES.flatMap((name) => ['--quirk', `${name}=${QUIRKS[name].variants.at(-1)?.name}`]);
  const { code, out, err } = await start('--generate', '200', '--warm-up', '1', '--retire', ...words);
  expect(besidesProgress(err)).toBe('');
  expect(out).toContain('Every record is accounted for: 200 produced, 200 accepted, 0 rejected');
  expect(code).toBe(0);
});
