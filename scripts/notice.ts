// Who wrote what lies in the zips, and under which licence: the file NOTICE that each of them holds.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What asks for no more than to be named. Anything else in a bundle fails the build. */
const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0']);

/** What is in a bundle without being bundled: the WebAssembly holds parts of the library it was compiled with. */
const COMPILED_IN: Readonly<Record<string, string>> = {
  'lib/forward/json/wasm/json-check.wasm.ts': 'assemblyscript/asc',
};

export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Its licence, and its own notice where it has one. */
  readonly texts: readonly string[];
}

/** Packages share the terms of the Apache License, and not what is behind them. */
const AFTER_TERMS = /(?<=END OF TERMS AND CONDITIONS)/;

/** Every package of which something is in a bundle, by name. `files`: the inputs of all bundles, relative to `root`. */
export function packagesOf(files: readonly string[], root: string): Licensed[] {
  const folders = new Set(files.flatMap((file) => folderOf(compiledInto(file) ?? file) ?? []));
  return [...folders]
    .map((folder) => licensed(resolve(root, folder)))
    .sort((a, b) => compare(`${a.name} ${a.version}`, `${b.name} ${b.version}`));
}

function compiledInto(file: string): string | undefined {
  const name = COMPILED_IN[file];
  return name === undefined ? undefined : fileURLToPath(import.meta.resolve(name));
}

/** `…/node_modules/@scope/name` of a file below it; nothing for a file of our own. */
function folderOf(file: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function licensed(folder: string): Licensed {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    'name' | 'version' | 'license',
    string
  >;
  if (!PERMISSIVE.has(license))
    throw new Error(`${name} ${version} is in a bundle, and its licence is ${license}: no permissive one`);
  const texts = readdirSync(folder)
    .filter((entry) => /^(licen[cs]e|notice)/i.test(entry))
    .flatMap((entry) => readFileSync(join(folder, entry), 'utf8').split(AFTER_TERMS))
    .map((text) => text.trim());
  return { name, version, license, texts };
}

/** The text of NOTICE: the packages, then each text once, with the packages it came with. */
export function noticeOf(packages: readonly Licensed[]): string {
  const texts = new Map<string, { readonly text: string; readonly names: string[] }>();
  for (const { name, texts: own } of packages) {
    for (const text of own) {
      // Often they differ in nothing but white space.
      const key = text.replaceAll(/\s+/g, ' ');
      const one = texts.get(key) ?? { text, names: [] };
      one.names.push(name);
      texts.set(key, one);
    }
  }
  return [
    'Penstock holds parts of these packages:\n',
    ...packages.map(({ name, version, license }) => `  ${name} ${version} (${license})`),
    ...[...texts.values()].map(({ text, names }) => `\n${'-'.repeat(80)}\n${names.join(', ')}\n\n${text}`),
    '',
  ].join('\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
