// Lists that come in pages: read to their end, or refused.
import { expect, test } from 'vitest';
import { everyItem } from '../../lib/aep/pages.ts';

test('B 4: a list whose every page brings something new, with one token or ever other ones, is given up', async () => {
  for (const token of [() => 'same', (page: number) => `token ${page}`]) {
    let asked = 0;
    const read = everyItem(
      '/flows',
      ({ id }) => id,
      async () => {
        asked++;
        if (asked > 1_000) throw new Error('it goes on for ever');
        return { items: [{ id: String(asked) }], next: token(asked) };
      },
    );
    await expect(read).rejects.toMatchObject({ code: 'AEP_UNEXPECTED', retryable: false });
    expect(asked).toBe(50);
  }
});
