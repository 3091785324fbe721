// The command `penstock import`: what it asks the function, the files that it writes, and what it says of each flow.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importCommand } from '../../cli/commands/import.ts';
import type { Context } from '../../cli/context.ts';
import { parseManifest } from '../../lib/manifest.ts';
import type { World } from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import { byTutorial, planOf } from './hands.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-import-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the command with the function itself behind it. */
async function command(own: World, options: Record<string, string | true>) {
  const lines: string[] = [];
  const asked: unknown[] = [];
  const documents: unknown[] = [];
  const work = { to: () => undefined, done: () => undefined, failed: () => undefined };
  const context = {
    target: {
      name: 'the world of a test',
      words: [],
      invoke: (functionName: string, event: unknown) => {
        asked.push(event);
        if (functionName !== 'import') throw new Error(`${functionName} was asked`);
        return own.steps.import?.(event);
      },
    },
    output: {
      colours: createColors(false),
      line: (text = '') => void lines.push(text),
      whole: (text: string) => void lines.push(text),
      json: (value: unknown) => void documents.push(value),
      work: async () => work,
    },
    folder,
    env: {},
    signal: new AbortController().signal,
  } as unknown as Context;
  const given = { arguments: [], options: { sandbox: 'dev1', ...options } };
  const exitCode = await importCommand.run(context, given);
  return { exitCode, text: lines.join('\n'), asked, document: documents[0] };
}

const read = async (file: string) => JSON.parse(await readFile(join(folder, file), 'utf8')) as unknown;

describe('15 import: the command', () => {
  it('writes a manifest whose next plan says no change', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    const done = await command(own, { flow, stream: 'customers' });
    expect(done.exitCode).toBe(0);
    expect(done.asked).toEqual([{ sandbox: 'dev1', flow, stream: 'customers' }]);
    const file = join('pipelines', 'tutorial-customers-flow.json');
    expect(done.text).toContain(`penstock plan ${file}`);
    const manifest = await read(file);
    parseManifest(manifest);
    expect(await planOf(own, manifest)).toEqual([]);
  });

  it('a file that is there stays as it is, and the exit code says so', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    await writeFile(join(folder, 'people.json'), 'mine');
    const done = await command(own, { flow, name: 'people', out: '.' });
    expect(done.exitCode).toBe(1);
    expect(done.text).toContain('not written: people.json is there');
    expect(await readFile(join(folder, 'people.json'), 'utf8')).toBe('mine');
  });

  it('asked again it writes nothing twice: what it wrote is there, and a file that was edited stays', async () => {
    const own = world();
    await byTutorial(own, { flow: { name: 'Same name' } });
    await byTutorial(own, { title: 'Second', flow: { name: 'Same name' } });
    await byTutorial(own, { title: 'Third' });
    expect((await command(own, { all: true })).exitCode).toBe(0);
    const files = (await readdir(join(folder, 'pipelines'))).sort();
    const again = await command(own, { all: true });
    expect([again.exitCode, (await readdir(join(folder, 'pipelines'))).sort()]).toEqual([0, files]);
    await writeFile(join(folder, 'pipelines/same-name.json'), 'edited');
    const third = await command(own, { all: true });
    expect([third.exitCode, (await readdir(join(folder, 'pipelines'))).sort()]).toEqual([1, files]);
    expect(third.text).toContain('3 flows looked at: 2 incomplete, 1 not written.');
    expect(await readFile(join(folder, 'pipelines/same-name.json'), 'utf8')).toBe('edited');
  });

  it('writes where it says, also into a folder named from the top', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    const out = join(folder, 'elsewhere', 'imported');
    const done = await command(own, { flow, out });
    expect(done.text).toContain(`penstock plan ${join(out, 'tutorial-customers-flow.json')}`);
    expect(await readdir(out)).toEqual(['tutorial-customers-flow.json']);
  });

  it.each([
    ['Orders.samples', undefined, 'orders-samples.json', 'orders.samples'],
    ['Orders.records', undefined, 'orders-records.json', 'orders.records'],
    ['All', undefined, expect.stringMatching(/^flow-\w{8}\.json$/), expect.stringMatching(/^flow-/)],
    ['Клиенты', undefined, expect.stringMatching(/^flow-\w{8}\.json$/), expect.stringMatching(/^flow-/)],
    ['Shop', '[penstock pipeline=../../shop execution=a@b]', 'shop.json', 'shop'],
  ])(
    'of the flow %j (%j) the file is a manifest, in the folder',
    async (name, description, file, pipeline) => {
      const own = world();
      const { flow } = await byTutorial(own, { flow: { name, ...(description && { description }) } });
      const done = await command(own, { flow, stream: 'customers' });
      expect(done.exitCode).toBe(0);
      const there = await readdir(join(folder, 'pipelines'));
      expect(there).toEqual([file]);
      const manifest = await read(join('pipelines', String(there[0])));
      expect(parseManifest(manifest).name).toEqual(pipeline);
    },
  );

  it('a flow that cannot be read is told and counted, the others are written, and the exit code says so', async () => {
    const own = world();
    const { dataset } = await byTutorial(own);
    await byTutorial(own, { title: 'Second' });
    own.platform.faults.add({ kind: 'refuse', status: 403, path: `/**/dataSets/${dataset}` });
    const done = await command(own, { all: true });
    expect(done.exitCode).toBe(1);
    expect(done.text).toContain('2 flows looked at: 1 incomplete, 1 not readable.');
    expect(done.document).toMatchObject({
      imported: [{ failed: 'AEP_FORBIDDEN' }, { flow: expect.any(String) }],
    });
    expect(await readdir(join(folder, 'pipelines'))).toEqual(['second-flow.json']);
  });

  it('a sandbox page by page: two flows of one name get a file each, and what is no pipeline is told', async () => {
    const own = world();
    const { flow } = await byTutorial(own, { flow: { name: 'Same name' } });
    const second = await byTutorial(own, { title: 'Second', flow: { name: 'Same name' } });
    const { flows } = own.platform.state.sandboxes.get('dev1') ?? {};
    const there = flows?.get(flow);
    if (flows !== undefined && there !== undefined)
      flows.put('a-destination', {
        ...there,
        id: 'a-destination',
        body: { name: 'To a bucket', flowSpec: { id: 'of-a-destination', version: '1.0' } },
      });
    const done = await command(own, { all: true });
    expect(done.exitCode).toBe(0);
    const name = `same-name-${second.flow.slice(0, 8)}`;
    expect((await readdir(join(folder, 'pipelines'))).sort()).toEqual([`${name}.json`, 'same-name.json']);
    expect(await read(join('pipelines', `${name}.json`))).toMatchObject({ name });
    expect(done.text).toMatch(/To a bucket a-destination {2}no manifest\n {2}prevents flow: /);
    expect(done.text).toMatch(/missing source\.stream: /);
    expect(done.document).toMatchObject({
      imported: [{ flow, complete: false }, { flow: second.flow }, { flow: 'a-destination' }],
    });
  });

  it('a key in place of the name of a secret is refused, and shown nowhere', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    const key = 'AKIAFAKEFAKEFAKEFAKE';
    const failed: unknown = await command(own, { flow, 'source-credentials': key }).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 'EVENT_INVALID' });
    expect(String(failed)).not.toContain(key);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    [{}, /--flow ID, --dataset ID or --all/],
    [{ flow: 'f', all: true }, /--flow ID, --dataset ID or --all/],
  ] as const)('%j is no question', async (options, said) => {
    await expect(command(world(), options)).rejects.toThrow(said);
  });
});
