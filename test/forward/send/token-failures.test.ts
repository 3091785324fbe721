import { expect, it } from 'vitest';
import { world } from '../../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, json } from '../../support/inlet.ts';

// What the alarm on tokens goes by: each try for one that failed, whether records still flow or not.

const WITH_TOKEN = { authenticationRequired: true };

it('a token that is refused is counted, in the invocation that fails of it', async () => {
  const inlet = fakeInlet(acknowledgeAll, () => json(400, { error: 'invalid_client' }));
  const own = world({ inlet, published: WITH_TOKEN });
  await expect(own.run(['{}'])).rejects.toThrow(/IMS_REFUSED/);
  expect(own.counted).toMatchObject({ TokenFailures: 1, RecordsReturned: 1 });
});

it('so is a secret that is not there', async () => {
  const own = world({ published: WITH_TOKEN });
  own.secrets.delete('penstock/dev/credentials');
  await expect(own.run(['{}'])).rejects.toThrow(/SECRET_MISSING/);
  expect(own.counted).toMatchObject({ TokenFailures: 1 });
});

it('and a renewal that fails while the old token still does', async () => {
  let well = true;
  const inlet = fakeInlet(acknowledgeAll, () =>
    well ? json(200, { access_token: 'token-1', expires_in: 86_399 }) : json(503, {}),
  );
  const own = world({ inlet, published: WITH_TOKEN });
  await own.run(['{"a":1}']);
  expect(own.counted).not.toHaveProperty('TokenFailures');
  well = false;
  await own.clock.sleep(86_399_000 - 200_000);
  await own.run(['{"a":2}']);
  expect(own.counted).toMatchObject({ TokenFailures: 1, RecordsAcknowledged: 2 });
});
