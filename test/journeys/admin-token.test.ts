import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAccess, TOKEN_HEADER } from '../../local/aep/access.ts';
import { startPage } from '../../local/page/server.ts';
import { addressOf, readAddress, writeAddress } from '../../local/start/address.ts';
import { parseOptions } from '../../local/start/options.ts';
import { startStack } from '../../local/start/stack.ts';
import { watchedOf } from '../../local/start/watched.ts';

it('--admin-token asks programs for the token, at the simulator and at the page, and hinders no work', async () => {
  expect(parseOptions(['--admin-token'])).toMatchObject({ needsToken: true });
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const access = createAccess(true);
  const stack = await startStack({ warmUpSeconds: 0, seed: 1, sandboxes: [], folder, access });
  const page = await startPage(watchedOf(stack), { access: stack.platform.access });
  const statusOf = async (address: string, token?: string) => {
    const headers = token === undefined ? {} : { [TOKEN_HEADER]: token };
    return (await fetch(address, { headers })).status;
  };
  try {
    for (const address of [`${stack.platform.origin}/_simulator/state`, `${page.origin}/api/about`]) {
      expect(await statusOf(address), address).toBe(401);
      expect(await statusOf(address, 'another'), address).toBe(401);
      expect(await statusOf(address, access.token), address).toBe(200);
    }
    // What the run itself looks at is found, or is not there.
    await expect(stack.readBack('none', 1)).rejects.toThrow('404');
    const forget = await writeAddress(folder, addressOf(stack, 1));
    expect(await readAddress(folder)).toMatchObject({ platformUrl: stack.platform.origin });
    await forget();
  } finally {
    await page.close();
    await stack.close();
    await rm(folder, { recursive: true });
  }
});
