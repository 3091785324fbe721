// Puts noise in the place of every text for people in a source file: whoever looks for words in one finds none.
import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';
import { parseAst } from 'vitest/node';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

/** The platforms' own words, which are values of their APIs: `authSpec` names of Flow Service (contract §4.3, §4.4). */
const PLATFORMS = [
  'Streaming Connection',
  'Aws Kinesis authentication credentials',
  'Azure EventHub authentication credentials',
  'Project Based Authentication',
  'Topic & Subscription Based Authentication',
];

/** Codes of ours that are two words: of the health check, and of what became of a resource. */
const CODES = ['not ok', 'not reached'];

/** DynamoDB's expressions, projections among them, and media types. */
const EXPRESSION =
  /^application\/|^(\w+, )+[a-z]+[A-Z]\w*$|\b(SET|REMOVE|attribute_(not_)?exists)\b|[#:]\w+ (=|<|>)/;

/** Two words beside each other. */
const PROSE = /[A-Za-z]{2,}[,.;:'")]* +[("]?[A-Za-z]/;
const LETTERS = /[A-Za-z]/;

const ERRORS = /(^|\.)\w*(Failure|Error)$/;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];
/** Properties that hold a text for people, also where it is one word. */
const TEXTS = ['next', 'Cause', 'found'];
/** What a text is compared with is left as it is: it does not match noise. */
const SEARCHES = ['includes', 'startsWith', 'endsWith', 'indexOf', 'search', 'match', 'split', 'has'];

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The JavaScript of a source file, its texts replaced; `file` makes each place's noise another one. */
export function withNoise(source: string, file: string): { code: string; replaced: number } {
  const js = stripTypeScriptTypes(source);
  const edits: Edit[] = [];
  const noise = (at: number) => `zq${createHash('sha1').update(`${file} ${at}`).digest('hex').slice(0, 9)}`;
  const replaceIn = (node: Node, always: boolean) => {
    if (node.type === 'Literal' && typeof node.value === 'string') {
      const isText = LETTERS.test(node.value) && (always || PROSE.test(node.value));
      if (isText && ![...PLATFORMS, ...CODES].includes(node.value) && !EXPRESSION.test(node.value))
        edits.push({ start: node.start, end: node.end, text: `'${noise(node.start)}'` });
    } else if (node.type === 'TemplateLiteral') {
      const quasis = node.quasis as readonly (Node & { value: { cooked: string } })[];
      if (!always && !quasis.some(({ value }) => PROSE.test(value.cooked))) return;
      if (quasis.some(({ value }) => EXPRESSION.test(value.cooked))) return;
      for (const [index, { start, end, value }] of quasis.entries()) {
        // A message begins with noise: nobody reads what it opens with.
        if (!LETTERS.test(value.cooked) && !(always && index === 0)) continue;
        // What an element spans differs from parser to parser: the marks around it are kept.
        const raw = js.slice(start, end);
        const before = /^[`}]/.exec(raw)?.[0] ?? '';
        const after = /(`|\$\{)$/.exec(raw)?.[0] ?? '';
        edits.push({ start, end, text: `${before} ${noise(start)} ${after}` });
      }
    }
  };
  const walk = (node: Node, always: boolean): void => {
    replaceIn(node, always);
    for (const [member, child] of childrenOf(node)) {
      if (isSpared(node, member)) continue;
      walk(child, isMessage(node, member, child) || (always && isPart(node, member)));
    }
  };
  walk(parseAst(js) as unknown as Node, false);
  let code = js;
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start))
    code = code.slice(0, start) + text + code.slice(end);
  return { code, replaced: edits.length };
}

function* childrenOf(node: Node): Generator<[member: string, child: Node]> {
  for (const [member, value] of Object.entries(node)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (typeof one === 'object' && one !== null && typeof (one as Node).type === 'string')
        yield [member, one as Node];
  }
}

/** Names of modules and members, and what something is compared with. */
function isSpared(node: Node, member: string): boolean {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return member === 'source';
    case 'ImportExpression':
    case 'TaggedTemplateExpression':
      return true;
    case 'Property':
      return member === 'key' || nameOf(node.key as Node).endsWith('Expression');
    case 'MemberExpression':
      return member === 'property';
    case 'SwitchCase':
      return member === 'test';
    case 'BinaryExpression':
      return ['===', '!==', '==', '!=', 'in'].includes(String(node.operator));
    case 'CallExpression':
      return member === 'arguments' && SEARCHES.includes(nameOf(node.callee as Node));
    default:
      return false;
  }
}

/** The first argument of a log's methods, what a failure or an error says, and the properties for texts. */
function isMessage(node: Node, member: string, child: Node): boolean {
  const at = member === 'arguments' ? (node.arguments as readonly Node[]).indexOf(child) : -1;
  if (node.type === 'NewExpression' && at >= 0 && ERRORS.test(nameOf(node.callee as Node)))
    return at === (nameOf(node.callee as Node) === 'Failure' ? 1 : 0);
  if (node.type === 'CallExpression' && at === 0) {
    const callee = node.callee as Node;
    if (callee.type === 'Super') return true;
    if (callee.type !== 'MemberExpression') return false;
    return callee.computed === true
      ? nameOf(callee.object as Node) === 'log'
      : LOG_LEVELS.includes(nameOf(callee));
  }
  return node.type === 'Property' && member === 'value' && TEXTS.includes(nameOf(node.key as Node));
}

/** Whether a text within is part of the message, and not something that it depends on. */
function isPart({ type }: Node, member: string): boolean {
  return (
    (type === 'ConditionalExpression' && member !== 'test') ||
    (type === 'LogicalExpression' && member === 'right') ||
    type === 'BinaryExpression'
  );
}

function nameOf(node: Node): string {
  if (node.type === 'Identifier') return String(node.name);
  return node.type === 'MemberExpression' && node.computed !== true ? nameOf(node.property as Node) : '';
}

/** Members of an answer that hold a text for people. */
const SAID = new Set([
  'title',
  'detail',
  'message',
  'detailed-message',
  'errorMessage',
  'errorDetails',
  'error_description',
  'description',
]);

/** The body of an answer that refuses, or that refuses a part, with noise for texts; codes, types and ids stay. */
export function noisyAnswer(text: string | undefined, status: number): string | undefined {
  if (text === undefined || (status < 400 && status !== 207)) return text;
  try {
    let at = 0;
    return JSON.stringify(JSON.parse(text), (name, value: unknown) =>
      typeof value === 'string' && SAID.has(name) ? `zq said ${at++} qz` : value,
    );
  } catch {
    return text;
  }
}

/** The one place where answers of the simulated platform become text, so that they go through `noisyAnswer`. */
const WIRE = 'export function wireText(answer';

export function withNoisyAnswers(js: string, from: string): string {
  if (!js.includes(WIRE)) throw new Error('local/aep/platform.ts has no wireText any more: noise needs it');
  return `import { noisyAnswer } from ${JSON.stringify(from)};\n${js.replace(WIRE, 'function plainText(answer')}
export function wireText(answer) { return noisyAnswer(plainText(answer), answer.status); }\n`;
}
