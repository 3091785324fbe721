// `npm run lint` runs it: no top-level name of lib stands in two files, but where it means the same in all of them.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Names that may stand in several files, and what each of them means there. */
const SAME: Readonly<Record<string, string>> = {
  BASE: 'where a service of Experience Platform begins',
  CLOSING_BRACE: 'the byte',
  COMMA: 'the byte',
  Complain: 'how a check of a manifest says what is wrong',
  DAY_MS: 'a day',
  DISORDER_MS: "how far Kinesis' times are out of order",
  LIMITS: 'how long a call of AWS may take, in the file that makes the client',
  LINE_FEED: 'the byte',
  OPENING_BRACE: 'the byte',
  OPENING_BRACKET: 'the byte',
  PASSING: 'states of a flow that pass by themselves',
  QUOTE: 'the byte',
  Question: 'what a function may be asked by hand',
  asFound: 'a resource of one kind as it was found',
  classOf: 'the class of the schema that a manifest asks for',
  differencesOf: 'what differs of a resource of one kind from what is wanted',
  isObject: 'whether a value is an object of JSON, and no list',
  mappingOf: 'the mapping set that a flow names',
  mayChange: 'whether a call may change something in Experience Platform',
  moment: 'a time in ISO 8601, with its zone',
  numberOf: 'a sequence number as a number',
  own: 'a member of an object itself, not of its prototype',
};

const TOP_LEVEL =
  /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) +([A-Za-z_$][\w$]*)/gm;

const files = new Map<string, Set<string>>();
for (const file of globSync('lib/**/*.ts', { cwd: ROOT })) {
  if (/\.d\.ts$|\/wasm\//.test(file)) continue;
  for (const [, name = ''] of readFileSync(`${ROOT}${file}`, 'utf8').matchAll(TOP_LEVEL))
    files.set(name, (files.get(name) ?? new Set()).add(file));
}

const alike = [...files].filter(([, where]) => where.size > 1);
const mistakes = [
  ...alike
    .filter(([name]) => !Object.hasOwn(SAME, name))
    .map(
      ([name, where]) =>
        `${name} is in ${[...where].join(', ')}: rename all but one, or say in scripts/names.ts what all of them mean`,
    ),
  ...Object.keys(SAME)
    .filter((name) => (files.get(name)?.size ?? 0) < 2)
    .map((name) => `${name} is in the list of scripts/names.ts, and not in two files of lib`),
];
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exit(1);
