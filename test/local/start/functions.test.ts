// The functions of the local AWS are those that are deployed.
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { deployedFunctions, FUNCTION_KEYS, functionName } from '../../../local/start/functions.ts';

const FOLDERS = ['functions', 'functions/provision'];

it('13 A 3: each file of functions/ is one of them, and each of them is a file', () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`../../../${folder}/`, import.meta.url))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.slice(0, -3).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())),
  );
  expect([...FUNCTION_KEYS].toSorted()).toEqual(files.toSorted());
  expect(FUNCTION_KEYS).toEqual(
    expect.arrayContaining(['drift', 'cleanup', 'deployHook', 'begin', 'report']),
  );
  for (const { module } of Object.values(deployedFunctions(false)))
    expect(existsSync(module), String(module)).toBe(true);
});

it('13 A 3: they have the memory and the timeout of serverless.yml, its own or that of all', () => {
  const found = deployedFunctions(true);
  expect(found[functionName('redrive')]).toMatchObject({
    memoryMB: 1024,
    timeoutSeconds: 900,
    handler: 'handler',
  });
  expect(found['penstock-dev-baseConnection']).toMatchObject({ memoryMB: 256, timeoutSeconds: 120 });
  expect(found[functionName('baseConnection')]?.module).toMatch(
    /\/dist\/functions\/provision\/base-connection\.cjs$/,
  );
});
