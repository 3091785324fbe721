import { expect, it } from 'vitest';
import { sendWhileTaken } from '../../../local/start/parked.ts';

// On this machine nobody waits for the schedule: what is parked is sent when the forwarder is done.

it.each([
  ['all is taken at once', [true], 1, 1],
  ['the inlet is back at the third try', [false, false, true], 1, 3],
  ['it takes a part each time', [true, false, false, true, true], 3, 5],
  ['it stays away', [false, false, false, true], 1, 3],
  ['nothing is parked', [true], 0, 0],
])('14 A 3: is tried as long as it gets on: %s', async (_, answers, parked, tries) => {
  let [left, tried] = [parked, 0];
  await sendWhileTaken(
    async () => left > 0,
    async () => {
      const isTaken = answers[tried++] ?? false;
      if (isTaken) left--;
      return isTaken;
    },
  );
  expect(tried).toBe(tries);
});
