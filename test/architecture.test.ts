import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const files = globSync('{functions,lib,cli,terminal,local,scripts}/**/*.ts', { cwd: ROOT }).map((file) => ({
  file,
  text: readFileSync(join(ROOT, file), 'utf8'),
}));

/** Every relative import of the project's own files, as `from → to`. */
const imports = files.flatMap(({ file, text }) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) => ({
    from: file,
    to: normalize(join(dirname(file), to ?? '')),
  })),
);

/** Modules that a process of their own runs: by their address, or by their place in the project. */
const started = files.flatMap(({ file, text }) => [
  ...[...text.matchAll(/new URL\(\s*'(\.[^']+\.ts)'/g)].map(([, to]) => ({
    from: file,
    to: normalize(join(dirname(file), to ?? '')),
  })),
  ...[...text.matchAll(/scriptAt\('([^']+\.ts)'\)/g)].map(([, to = '']) => ({ from: file, to })),
]);

/** Files that come back to themselves by what they import, types included: each circle once. */
function circles(): string[] {
  const ahead = (from: string, seen = new Set<string>()): Set<string> => {
    for (const one of imports) if (one.from === from && !seen.has(one.to)) ahead(one.to, seen.add(one.to));
    return seen;
  };
  const reached = new Map(files.map(({ file }) => [file, ahead(file)]));
  const groups = files
    .filter(({ file }) => reached.get(file)?.has(file))
    .map(({ file }) =>
      [...(reached.get(file) ?? [])]
        .filter((other) => reached.get(other)?.has(file))
        .sort()
        .join(', '),
    );
  return [...new Set(groups)];
}

const breaking = (rule: (from: string, to: string) => boolean) =>
  imports.filter(({ from, to }) => rule(from, to)).map(({ from, to }) => `${from} → ${to}`);

const CARRYING = /^lib\/(forward|redrive|reconcile|where)\//;

/** -1 for what ties the stages together. */
const stageOf = (file: string): number =>
  ['read', 'transform', 'frame', 'send'].indexOf(/^lib\/forward\/(\w+)\//.exec(file)?.[1] ?? '');

describe('imports run one way', () => {
  it('there are imports to look at', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it.each([
    [
      'lib imports nothing but lib',
      (from: string, to: string) => from.startsWith('lib/') && !to.startsWith('lib/'),
    ],
    [
      'functions import lib alone',
      (from: string, to: string) => from.startsWith('functions/') && !to.startsWith('lib/'),
    ],
    [
      'lib/aep imports nothing of the rest but failure',
      (from: string, to: string) =>
        from.startsWith('lib/aep/') && !to.startsWith('lib/aep/') && to !== 'lib/failure.ts',
    ],
    [
      'provisioning and what carries records do not know each other',
      (from: string, to: string) =>
        (from.startsWith('lib/provision/') && CARRYING.test(to)) ||
        (CARRYING.test(from) && to.startsWith('lib/provision/')),
    ],
    [
      'what a record passes is read, transformed, framed and sent, and no stage knows a later one',
      (from: string, to: string) => stageOf(to) > stageOf(from) && stageOf(from) >= 0,
    ],
    [
      'the forwarder knows nothing of what comes after it',
      (from: string, to: string) =>
        from.startsWith('lib/forward/') && /^lib\/(redrive|reconcile|where)\//.test(to),
    ],
    [
      'a resource knows neither the steps nor the plan, and a step not the plan',
      (from: string, to: string) =>
        (from.startsWith('lib/provision/resources/') && /^lib\/provision\/(steps|plan)\//.test(to)) ||
        (from.startsWith('lib/provision/steps/') && to.startsWith('lib/provision/plan/')),
    ],
    [
      'nothing but functions knows the doctor, and the command line what it says',
      (from: string, to: string) =>
        !/^(functions|lib\/doctor|cli)\//.test(from) && to.startsWith('lib/doctor/'),
    ],
    [
      'the simulated platform shares nothing with the client',
      (from: string, to: string) => from.startsWith('local/aep/') && !to.startsWith('local/aep/'),
    ],
    [
      'nothing but itself knows the command line',
      (from: string, to: string) => !/^(cli|scripts)\//.test(from) && to.startsWith('cli/'),
    ],
    [
      'nothing but the command line knows local',
      (from: string, to: string) => !/^(cli|local|scripts)\//.test(from) && to.startsWith('local/'),
    ],
    [
      'what is shown on a terminal knows nothing but lib, and only what talks to people knows it',
      (from: string, to: string) =>
        (from.startsWith('terminal/') && !/^(terminal|lib)\//.test(to)) ||
        (to.startsWith('terminal/') && !/^(terminal|cli|local|scripts)\//.test(from)),
    ],
    ['nothing imports test or bench', (_: string, to: string) => /^(test|bench)\//.test(to)],
  ])('%s', (_, rule) => {
    expect(breaking(rule)).toEqual([]);
  });

  it('13 B 1: and in no circle', () => {
    expect(circles()).toEqual([]);
  });

  it('C 4: what guesses at words is in no bundle that records wait for', () => {
    const reached = new Set(['functions/forward.ts']);
    for (const file of reached) for (const { from, to } of imports) if (from === file) reached.add(to);
    expect(reached).toContain('lib/strict-object.ts');
    expect([...reached].filter((file) => /nearest|mistakes|manifest/.test(file))).toEqual([]);
  });

  it('the environment is read in one place', () => {
    const readers = files.filter(
      ({ file, text }) => /^(lib|functions)\//.test(file) && /process\.env/.test(text),
    );
    expect(readers.map(({ file }) => file).sort()).toEqual(['lib/aep/example.ts', 'lib/aws/runtimes/aws.ts']);
  });

  it("an oracle shares no code with what it judges: its imports are Node's", () => {
    for (const file of ['test/support/checkpoint-oracle.ts', 'test/soak/oracle.ts', 'test/soak/copies.ts']) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const modules = [...text.matchAll(/from '([^']+)'/g)].map(([, module = '']) => module);
      expect(modules.filter((module) => !module.startsWith('node:'))).toEqual([]);
    }
  });

  it("Lambda's rules know no time but that of the clock they are handed", () => {
    const rules = /^local\/aws\/(polling|shard-reader|delivery|checkpoint|retry-rules|batch-response)\.ts$/;
    const found = files.filter(({ file }) => rules.test(file));
    expect(found).toHaveLength(6);
    const other = /node:timers|performance\.|Date\.now|new Date\(\)|setTimeout|setInterval/;
    expect(found.filter(({ text }) => other.test(text)).map(({ file }) => file)).toEqual([]);
  });
});

/** Where a test names a timer, and why that is no wait for the machine. */
const TIMERS = new Map([
  ['test/architecture.test.ts', 'names them here'],
  ['test/aws/client.test.ts', 'fakes them'],
  ['test/aws/executions.test.ts', 'fakes them'],
  ['test/cli/ending.test.ts', 'presses Ctrl-C until the process hears it again'],
  ['test/cli/tap.test.ts', 'fakes them'],
  ['test/forward/promises-time.test.ts', 'fakes them'],
  ['test/journeys/swap.test.ts', 'a producer has its pace'],
  ['test/local/aws/state-machine.test.ts', 'two timers of one process, and which of them goes off first'],
  ['test/local/page/events.test.ts', 'fakes them'],
]);

describe('every test', () => {
  const tests = globSync('test/**/*.test.ts', { cwd: ROOT }).map((file) => ({
    file,
    text: readFileSync(join(ROOT, file), 'utf8'),
  }));
  const naming = (what: RegExp) => tests.filter(({ text }) => what.test(text)).map(({ file }) => file);

  it('waits for what happens, by `eventually` where nobody tells: not for a time', () => {
    const found = [
      ...naming(/setTimeout|setInterval|timers\/promises|AbortSignal\.timeout|expect\.poll\(/),
      // In a browser it waits for what is shown.
      ...naming(/waitFor\(/).filter((file) => !file.startsWith('test/browser/')),
    ];
    expect([...new Set(found)].toSorted()).toEqual([...TIMERS.keys()]);
  });

  it('asserts nothing about how long something takes: that is what bench/ is for', () => {
    expect(naming(/performance\.now|hrtime/)).toEqual(['test/architecture.test.ts']);
  });
});

/** Classes that are no errors, and why each is one. */
const CLASSES = new Map([
  ['lib/aep/session.ts: Session', 'nothing that prints or logs it shows its token'],
  [
    'lib/forward/frame/direct.ts: RecordMessage',
    'there is one for each record: its bytes are decoded where they are asked for',
  ],
  [
    'lib/forward/read/formats/protobuf-json.ts: Counting',
    'protobufjs reads with a reader that is its own class',
  ],
  ['lib/schemas/avro.ts: Logical', 'avsc knows logical types as classes of its own'],
  ['local/aep/el/moments.ts: Moment', 'a value is told from the other values of an expression'],
  ['local/aep/exact-number.ts: ExactNumber', 'JavaScript asks it for its number, its text and its JSON'],
]);

/** The classes of a file that extend no error; one without a name is `class`. */
const classesIn = (text: string) =>
  [...text.matchAll(/(?:^[ \t]*|[=(:,?]\s*|return )(?:export |default |abstract )*class\b([^{}'";:?]*)\{/gm)]
    .map(([, head = '']) => head.trim())
    .filter((head) => !/\bextends \w*Error$/.test(head))
    .map((head) => /^(?!extends)\w+/.exec(head)?.[0] ?? 'class');

describe('13 B 5: what keeps something is made by a function', () => {
  it('and a class is an error, or has a reason of its own', () => {
    const found = files.flatMap(({ file, text }) => classesIn(text).map((name) => `${file}: ${name}`));
    expect(found.toSorted()).toEqual([...CLASSES.keys()]);
  });

  it.each([
    ['export class Poller<T> implements Other {', ['Poller']],
    ['  abstract class Base extends Map<string, T> {', ['Base']],
    ['const Made = class extends Base {', ['class']],
    ['export class Refusal extends Error {\n}\nclass Other extends UsageError {}', []],
    ["// the class of a schema\nconst a = { class: 'profile', classes: {} };", []],
  ])('is seen in %j', (text, names) => {
    expect(classesIn(text)).toEqual(names);
  });
});

describe('every file', () => {
  it('opens with one sentence that says what it is for', () => {
    const silent = files.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*) \S/.test(text));
    expect(silent.map(({ file }) => file)).toEqual([]);
  });
});

describe('13 B 7: the packages in package.json', () => {
  const { name, dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, Readonly<Record<string, string>>> & { readonly name: string };

  /** What the package runs: functions, lib, cli and terminal, and all that they import or start. */
  const shipped = new Set(
    files.map(({ file }) => file).filter((file) => /^(functions|lib|cli|terminal)\//.test(file)),
  );
  for (const file of shipped)
    for (const { from, to } of [...imports, ...started]) if (from === file) shipped.add(to);

  /** What that imports when it runs: not types, nor what Node or the project itself has. */
  const imported = new Set(
    files
      .filter(({ file }) => shipped.has(file) && !file.endsWith('.d.ts'))
      .flatMap(({ text }) => packagesIn(text))
      .filter((one) => one !== name),
  );

  it('are dependencies where the package imports them when it runs, and no others are', () => {
    expect([...imported].toSorted()).toEqual(Object.keys(dependencies ?? {}).toSorted());
  });

  it('are development dependencies, or optional, where none does', () => {
    const others = Object.keys({ ...devDependencies, ...optionalDependencies });
    expect(others.length).toBeGreaterThan(15);
    expect(others.filter((one) => imported.has(one))).toEqual([]);
  });

  it.each([
    ["import type { Context } from 'aws-lambda';", []],
    ["import { type Logger } from '@scope/logger';", []],
    ["import { type Logger, log } from '@scope/logger';", ['@scope/logger']],
    ["import { type One } from './one.ts';\nimport * as z from 'zod/mini';", ['zod']],
    ["export { z } from 'zod';\nimport 'side/effect.js';", ['zod', 'side']],
    ["const all = Promise.all([import('@aws-sdk/client-s3'), client]);", ['@aws-sdk/client-s3']],
    ["type Sdk = typeof import('@aws-sdk/client-s3');", []],
    ["import { join } from 'node:path';\nconst m: import('zod').ZodType = one;", []],
  ])('are read from %j', (text, expected) => {
    expect(packagesIn(text)).toEqual(expected);
  });
});

/** Packages that a file imports when it runs, late ones included: `zod` of `import { z } from 'zod/mini'`. */
function packagesIn(text: string): string[] {
  const statements = [
    ...text.matchAll(/^(?:import|export) (?!type )(?:([^;']*) from )?'([^.'][^']*)'/gm),
    ...text.matchAll(/(?<!typeof |: |\| |<)\b(import)\('([^.'][^']*)'\)/g),
  ];
  return statements.flatMap(([, names = '', from = '']) => {
    const taken = /^\{(.*)\}$/s
      .exec(names)?.[1]
      ?.split(',')
      .map((one) => one.trim());
    const isTypes = taken?.filter(Boolean).every((one) => one.startsWith('type ')) ?? false;
    return isTypes || from.startsWith('node:') ? [] : (/^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? []);
  });
}

describe('the lock file', () => {
  it('names no registry', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
    expect(lock).not.toMatch(/"resolved"/);
    expect(lock).not.toMatch(/https?:\/\/registry\./);
  });
});
