// 14 A 1: a pipeline may belong to another organization than the stage's own: it then has credentials of its own.
import { expect, it } from 'vitest';
import { world } from '../support/provisioning.ts';
import { CREDENTIALS } from '../support/scripted.ts';
import { inletManifest, type World } from './cases.ts';

const PARTNER = 'penstock/dev/credentials/partner';
const manifest = inletManifest({ credentials: 'partner' });

/** The stage's own credentials are not those of the platform: whoever uses them is refused. */
function partnersWorld(): World {
  const own = world({
    credentials: [{ clientId: 'partner-client', clientSecrets: ['partner-secret-canary'] }],
  });
  const secret = { ...CREDENTIALS, clientId: 'partner-client', clientSecret: 'partner-secret-canary' };
  own.secrets.values.set(PARTNER, JSON.stringify(secret));
  return own;
}

it('is provisioned with them, and published with their name', async () => {
  const own = partnersWorld();
  expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
  const published = [...own.secrets.values].filter(([name]) => name.startsWith('penstock/dev/streams/'));
  expect(published.map(([, text]) => JSON.parse(text).credentials)).toEqual(['partner']);
  const other = await own.run({ manifest: inletManifest({ name: 'other' }) });
  expect([other.status, other.error]).toEqual(['FAILED', 'PermanentFailure']);
});

it('says which secret is missing', async () => {
  const own = partnersWorld();
  own.secrets.values.delete(PARTNER);
  const { error, cause } = await own.run({ manifest });
  expect(error).toBe('PermanentFailure');
  expect(cause).toContain(`there is no secret ${PARTNER}`);
});

it.each([undefined, 'somebody-else'])(
  'is not moved to other credentials (%s): the plan refuses it',
  async (to) => {
    const own = partnersWorld();
    await own.run({ manifest });
    own.secrets.values.set('penstock/dev/credentials/somebody-else', own.secrets.values.get(PARTNER) ?? '');
    own.secrets.values.set('penstock/dev/credentials', own.secrets.values.get(PARTNER) ?? '');
    const { cause } = await own.run({ manifest: inletManifest(to === undefined ? {} : { credentials: to }) });
    expect(cause).toContain('the pipeline was made with the credentials partner');
  },
);
