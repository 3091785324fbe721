// How the waits of the state machine pass on a laptop.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { prepareSource } from '../../../local/start/journey.ts';
import { pass } from '../../../local/start/provisioning.ts';
import type { Stack } from '../../../local/start/stack.ts';
import { turn } from '../../support/eventually.ts';

const ASL = new URL('../../../functions/provision/states.asl.json', import.meta.url);

it('a drain does not end while an invocation is under way that may still go by the old flow; other waits do', async () => {
  const { States } = JSON.parse(readFileSync(ASL, 'utf8')) as { States: Record<string, { Type: string }> };
  expect(States.drain?.Type).toBe('Wait');
  const underWay = Promise.withResolvers<void>();
  const asked: string[] = [];
  const ended = (name: string) => {
    asked.push(name);
    return underWay.promise;
  };
  const about = { functions: { ended }, forwarder: 'forward', signal: new AbortController().signal };
  await pass(0, 'warm-up', about);
  expect(asked).toEqual([]);
  let over = false;
  const drain = pass(0, 'drain', about).then(() => {
    over = true;
  });
  while (asked.length === 0) await turn();
  await turn();
  expect([asked, over]).toEqual([['forward'], false]);
  underWay.resolve();
  await drain;
});

it('B: a consumer in AWS is refused with what to name instead', async () => {
  const manifest = parseManifest({
    version: 1,
    name: 'fanned',
    sandbox: 'dev1',
    source: {
      kind: 'inlet',
      stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/shop:1767225600',
      data: 'xdm',
    },
    schema: { class: 'profile' },
  });
  await expect(prepareSource({} as Stack, manifest, 1)).rejects.toMatchObject({
    code: 'JOURNEY_FAILED',
    next: expect.stringContaining('with "fanOut": true'),
  });
});
