// What a stranger reads first: README is short, sentences are short, links lead somewhere, and commands name what is there.

import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseManifestText } from '../lib/manifest.ts';
import { LOCAL_ACCOUNT } from '../local/aws/server.ts';
import { parseOptions } from '../local/start/options.ts';
import { LONGEST_SENTENCE, sentences, withoutCode, words } from './support/sentences.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Every page that is linked from README, or from one of those; records of decisions keep what was true then. */
const PAGES = globSync('{*.md,docs/*.md,docs/decisions/*.md,{bench,pipelines,local,lib}/**/*.md}', {
  cwd: ROOT,
}).sort();

/** Written in plain sentences. Add a page once it is. */
const PLAIN = [
  'CONTRIBUTING.md',
  'README.md',
  'bench/README.md',
  'docs/aep-contract.md',
  'docs/architecture.md',
  'docs/change.md',
  'docs/deploy.md',
  'docs/errors.md',
  'docs/fidelity.md',
  'docs/glossary.md',
  'docs/hooks.md',
  'docs/init.md',
  'docs/manifest.md',
  'docs/operate.md',
  'docs/promises.md',
  'docs/pull-requests.md',
  'docs/records.md',
  'docs/rejects.md',
  'docs/runbook.md',
  'docs/scale-and-cost.md',
  'docs/simulator.md',
  'docs/strangers.md',
  'docs/tutorial.md',
  'docs/upgrade.md',
  'lib/aep/README.md',
  'local/aep/README.md',
  'pipelines/README.md',
];

/** Plain as well; their titles and what they say of then keep the words of then. */
const DECISIONS = PAGES.filter((page) => page.startsWith('docs/decisions/'));

/** What stands between fences of the shell, a line for each command; a backslash at the end of a line joins it to the next. */
const commands = (text: string) =>
  [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = '']) => block.replace(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
      const anchor = heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return times === 0 ? anchor : `${anchor}-${times}`;
    }),
  );
}

/** The links of a page that lead nowhere. */
function deadLinks(page: string, text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to = '']) => to)
    .filter((to) => !/^[a-z]+:/i.test(to))
    .filter((to) => {
      const [path = '', anchor] = to.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, file))) return true;
      if (anchor === undefined || statSync(join(ROOT, file)).isDirectory()) return false;
      return !anchors(read(file)).has(anchor);
    });
}

describe('13 A 3: README', () => {
  const text = read('README.md');

  it('has at most 1,200 words, as wc counts them', () => {
    expect(text.split(/\s+/).filter((word) => word !== '').length).toBeLessThanOrEqual(1200);
  });

  it('has at most 200 lines of at most 120 characters', () => {
    const lines = text.replace(/\n$/, '').split('\n');
    expect(lines.length).toBeLessThanOrEqual(200);
    expect(lines.filter((line) => [...line].length > 120)).toEqual([]);
  });

  it('has its sections in the order in which a stranger asks', () => {
    expect(Array.from(text.matchAll(/^## (.+)$/gm), ([, title]) => title)).toEqual([
      'Try it: two commands',
      'Your own manifest',
      'Deploy: five commands',
      'Operate: five questions',
      'Promises and limits',
      'Cost and scale',
      'Where to read on',
      'Licence',
    ]);
  });

  it('has the commands that .ci/run runs, or CONTRIBUTING has them, word for word', () => {
    const ran = [...read('.ci/run').matchAll(/^run '(.*)'$/gm)].flatMap(([, line = '']) =>
      line.split(' && '),
    );
    expect(ran.length).toBeGreaterThan(8);
    const documented = [
      ...commands(text).flatMap((line) => line.split(' && ')),
      ...[...read('CONTRIBUTING.md').matchAll(/`([^`]+)`/g)].map(([, command = '']) => command),
    ];
    expect(ran.filter((command) => !documented.includes(command))).toEqual([]);
  });
});

describe('13 A 3: the pages', () => {
  it('have the figures of README: what it says that something costs stands in scale-and-cost.md', () => {
    const [, section = ''] = /^## Cost and scale\n([\s\S]*?)^## /m.exec(read('README.md')) ?? [];
    const amounts = section.match(/\$[\d,.]*\d/g) ?? [];
    expect(amounts.length).toBeGreaterThan(4);
    const page = read('docs/scale-and-cost.md');
    expect(amounts.filter((amount) => !page.includes(amount))).toEqual([]);
  });

  it('have no link that leads nowhere: a file that is not there, or a heading', () => {
    const dead = PAGES.flatMap((page) => deadLinks(page, read(page)).map((to) => `${page}: ${to}`));
    expect(dead).toEqual([]);
  });

  it('are there where code, template and messages name one, with the heading that they name', () => {
    const files = globSync(
      '{lib,functions,local,cloud,scripts,bench,examples,events}/**/*.{ts,cjs,yml,json}',
      {
        cwd: ROOT,
      },
    );
    const named = [...files, 'serverless.yml', 'package.json'].flatMap((file) =>
      Array.from(
        read(file).matchAll(/(?<![\w/])(docs\/[\w-]+\.md)(?:#([\w-]+))?/g),
        ([to, page = '', anchor]) => ({
          reference: `${file}: ${to}`,
          dead: !existsSync(join(ROOT, page)) || (anchor !== undefined && !anchors(read(page)).has(anchor)),
        }),
      ),
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter(({ dead }) => dead).map(({ reference }) => reference)).toEqual([]);
  });

  it('that stand in docs/ are reached from README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const [, to = ''] of read(page).matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)) {
        const file = normalize(join(dirname(page), to));
        if (!to.includes(':') && existsSync(join(ROOT, file))) reached.add(file);
      }
    }
    expect(PAGES.filter((page) => /^docs\/[^/]+\.md$/.test(page) && !reached.has(page))).toEqual([]);
  });

  it('name scripts, events and files that are there in their commands', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const wrong = PAGES.flatMap((page) =>
      commands(read(page)).flatMap((line) =>
        [
          ...[...line.matchAll(/npm (?:run (?:--silent )?|)(start|test\b|[a-z]+(?::[a-z]+)?)/g)]
            .filter(([whole, name = '']) => whole.startsWith('npm run') && !(name in scripts))
            .map(([whole]) => whole),
          ...[...line.matchAll(/(?:file:\/\/)?((?:events|examples|pipelines)\/[\w./-]+\.\w+)/g)]
            .filter(([, file = '']) => !existsSync(join(ROOT, file)))
            .map(([, file]) => file),
        ].map((what) => `${page}: ${what}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('invoke functions that are deployed, and start the state machine that is', () => {
    const { functions } = parse(read('serverless.yml'), { merge: true, logLevel: 'silent' }) as {
      functions: Record<string, unknown>;
    };
    const lines = PAGES.flatMap((page) => commands(read(page)));
    const named = lines.flatMap((line) =>
      Array.from(line.matchAll(/--function-name (\S+)/g), ([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name.replace(/^penstock-(?:dev|prod)-/, '') in functions))).toEqual([]);
    const machines = lines.flatMap((line) =>
      Array.from(line.matchAll(/--state-machine-arn (\S+)/g), ([, arn = '']) => arn),
    );
    expect(machines.length).toBeGreaterThan(3);
    const machine = /^arn:aws:states:[\w-]+:\d{12}:stateMachine:penstock-(?:dev|prod)-provision$/;
    // `{output …}` stands for a name that the reader looks up.
    expect(machines.filter((arn) => !arn.startsWith('{') && !machine.test(arn))).toEqual([]);
  });

  it('13 A 3: say what serverless.yml does about the region: the option, the variable, eu-west-1', () => {
    const { provider } = parse(read('serverless.yml'), { merge: true, logLevel: 'silent' }) as {
      provider: { region: string };
    };
    expect(provider.region).toBe("${opt:region, env:AWS_REGION, 'eu-west-1'}");
    expect(read('docs/deploy.md')).toMatch(
      /`serverless` reads it, too\. With neither of them it takes `eu-west-1`/,
    );
  });

  it('13 A 3: name one region: where serverless.yml deploys to is where the local AWS is, and so are all ARNs', () => {
    expect(LOCAL_ACCOUNT.region).toBe('eu-west-1');
    const files = [
      ...PAGES,
      'test/docs/commands.json',
      ...globSync('{events,examples}/**/*.json', { cwd: ROOT }),
    ];
    const named = files.flatMap((file) =>
      Array.from(
        read(file).matchAll(
          /arn:aws[\w-]*:[\w-]+:([a-z]{2}(?:-[a-z]+)+-\d):|AWS_(?:DEFAULT_)?REGION=([\w-]+)|--region (?!REGION\b)([\w-]+)/g,
        ),
        ([whole, arn, variable, option]) => ({ file, whole, region: arn ?? variable ?? option }),
      ),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ region }) => region !== LOCAL_ACCOUNT.region)).toEqual([]);
  });

  it('13 A 3: wait for a function as long as it may take: the AWS CLI invokes it again after 60 s by itself', () => {
    // https://awscli.amazonaws.com/v2/documentation/api/latest/reference/index.html, `--cli-read-timeout`: 60 s, 0 for ever.
    const { provider, functions } = parse(read('serverless.yml'), { merge: true, logLevel: 'silent' }) as {
      provider: { timeout: number };
      functions: Record<string, { timeout?: number }>;
    };
    const patient = PAGES.flatMap((page) => commands(read(page)))
      .filter((line) => line.startsWith('aws lambda invoke '))
      .filter((line) => {
        const [, name = ''] = /--function-name penstock-(?:dev|prod)-(\w+)/.exec(line) ?? [];
        return (functions[name]?.timeout ?? provider.timeout) >= 60;
      });
    expect(patient.length).toBeGreaterThan(5);
    expect(patient.filter((line) => !line.includes(' --cli-read-timeout 0 '))).toEqual([]);
  });

  it.each(['README.md', 'docs/manifest.md'])('have a manifest that is one: %s', (page) => {
    const manifests = Array.from(read(page).matchAll(/^```json\n([\s\S]*?)^```$/gm), ([, json = '']) => json)
      .filter((json) => json.includes('"version": 1'))
      .map((json) => parseManifestText(json, page));
    expect(manifests.map(({ name }) => name)).toEqual(['customer-profiles']);
  });

  it('give `npm start` nothing that it refuses', () => {
    const starts = PAGES.flatMap((page) =>
      commands(read(page)).filter((line) => /(?:^|&& )npm start( --|$)/.test(line)),
    );
    expect(starts.length).toBeGreaterThan(4);
    for (const line of starts) {
      const [, args = ''] = line.split('npm start --');
      expect(() => parseOptions(args.trim().split(/\s+/).filter(Boolean)), line).not.toThrow();
    }
  });
});

describe('13 A 1: a sentence of more than 25 words is two', () => {
  it.each([...PLAIN, ...DECISIONS])('in %s', (page) => {
    const all = sentences(read(page));
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter((sentence) => words(sentence) > LONGEST_SENTENCE)).toEqual([]);
  });

  it.each(PLAIN)('13 A 2: with the words of the glossary: %s', (page) => {
    const old = /\b(?:undelivered store|intakes?|g[ai]ven? up|gives up|doctor|(?:its|bears?|own) mark)\b/i;
    const prose = withoutCode(read(page))
      .replace(/`[^`]*`/g, 'CODE')
      .replace(/\]\([^)]*\)/g, ']')
      .split('\n')
      // Headings of the runbook are where alarms lead.
      .filter((line) => !line.startsWith('#'));
    expect(prose.filter((line) => old.test(line))).toEqual([]);
  });

  it('is seen', () => {
    const long = `One ${'word '.repeat(25)}is too many.`;
    expect(sentences(`- ${long}\n- Short. Also short.\n| cell | ${long} |`).map(words)).toEqual([
      29, 1, 2, 1, 29,
    ]);
  });
});
