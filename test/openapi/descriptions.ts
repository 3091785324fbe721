// Adobe's published API descriptions as something to hold an answer against: which operation it is of, and what may come back.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/** An answer as it went out. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

/** Where an answer is not what is described: the operation, and what of it. */
export interface Difference {
  readonly operation: string;
  readonly what: string;
}

type Node = { readonly [key: string]: unknown };

interface Described {
  /** Undefined: any. */
  readonly types: readonly string[] | undefined;
  readonly validate: ValidateFunction | undefined;
}

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
  /** Segments that are not variable. */
  readonly fixed: number;
  readonly answers: ReadonlyMap<string, Described>;
}

/** Says what is described of an answer; `undefined` where no file describes its path and method. */
export type Judge = (answer: Answered) => { operation: string; differences: Difference[] } | undefined;

export function judgeOf(folder: string): Judge {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  if (files.length === 0) throw new Error(`${folder} holds no description`);
  const operations = files
    .flatMap((file) => operationsOf(file, parse(readFileSync(join(folder, file), 'utf8')) as Node))
    .sort((a, b) => b.fixed - a.fixed);
  return (answer) => {
    const found = operations.find(({ method, path }) => method === answer.method && path.test(answer.path));
    return found && { operation: found.name, differences: differencesOf(found, answer) };
  };
}

function operationsOf(file: string, document: Node): Operation[] {
  const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true, logger: false }));
  const { components = {}, definitions = {}, responses = {} } = cleaned(document, file) as Node;
  ajv.addSchema({ components, definitions, responses }, file);
  const base = baseOf(document);
  return Object.entries(nodeOf(document.paths)).flatMap(([path, methods]) =>
    Object.entries(nodeOf(methods))
      .filter(([method]) => /^(get|post|put|patch|delete|head)$/.test(method))
      .map(([method, operation]) => {
        const name = `${method.toUpperCase()} ${base}${path}`;
        const answers = Object.entries(nodeOf(nodeOf(operation).responses)).map(
          ([status, answer]) => [status, described(ajv, file, document, nodeOf(answer))] as const,
        );
        return { name, method: method.toUpperCase(), ...matching(base + path), answers: new Map(answers) };
      }),
  );
}

/** Path of the server that the description names. */
function baseOf({ basePath, servers }: Node): string {
  const url = String(nodeOf((servers as unknown[] | undefined)?.[0]).url ?? basePath ?? '');
  return url.replace(/^(https?:)?\/\/[^/]+/, '').replace(/\/$/, '');
}

function matching(path: string): { path: RegExp; fixed: number } {
  const segments = path.replace(/\/$/, '').split('/');
  const variable = (segment: string) => segment.startsWith('{');
  const pattern = segments.map((each) => (variable(each) ? '[^/]+' : each.replace(/[.+]/g, '\\$&')));
  return { path: new RegExp(`^${pattern.join('/')}/?$`), fixed: segments.filter((s) => !variable(s)).length };
}

function described(ajv: Ajv, file: string, document: Node, given: Node): Described {
  const answer = typeof given.$ref === 'string' ? nodeOf(at(document, given.$ref)) : given;
  // Swagger 2.0 has the schema at the answer itself, and types elsewhere; empty content says nothing.
  const content = Object.entries(nodeOf(answer.content));
  const schema = answer.schema ?? nodeOf(content[0]?.[1]).schema;
  return {
    types: content.length === 0 ? undefined : content.map(([type]) => mediaType(type)),
    validate: schema === undefined ? undefined : ajv.compile(cleaned(schema, file) as Node),
  };
}

function at(document: Node, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((level, step) => nodeOf(level)[step], document);
}

const TEXTS = new Set(['description', 'title', 'summary', 'example', 'examples', 'xml', 'externalDocs']);

/**
 * A schema as ajv reads it: references lead into the file, texts and examples are left out, and so is what the files have by mistake: spaces
 * after `$ref`, siblings of a reference, `required: true` at a property.
 *
 * @param names whether the keys of this node are names of properties, and no keywords
 */
function cleaned(node: unknown, file: string, names = false): unknown {
  if (Array.isArray(node)) return node.map((each) => cleaned(each, file));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key.trim(), value] as const);
  const reference = names ? undefined : entries.find(([key]) => key === '$ref')?.[1];
  if (typeof reference === 'string') return { $ref: `${file}${reference}` };
  const kept = entries.filter(([key, value]) => names || !isMistaken(key, value));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, cleaned(value, file, !names && key === 'properties')]),
  );
}

function isMistaken(key: string, value: unknown): boolean {
  if (TEXTS.has(key) || key.startsWith('x-') || key === 'discriminator') return true;
  return key === 'required' && !Array.isArray(value);
}

function differencesOf({ name, answers }: Operation, answer: Answered): Difference[] {
  const found = answers.get(String(answer.status)) ?? answers.get('default');
  const differ = (what: string): Difference => ({ operation: name, what: `${answer.status} ${what}` });
  if (found === undefined) return [differ('is not described')];
  const differences: Difference[] = [];
  const type = answer.contentType && mediaType(answer.contentType);
  if (found.types !== undefined && !found.types.includes(type ?? '')) differences.push(differ(`is ${type}`));
  if (found.validate === undefined || found.validate(answer.body)) return differences;
  for (const { instancePath, keyword, params } of found.validate.errors ?? []) {
    const detail = Object.values(params).filter((value) => typeof value === 'string');
    differences.push(differ([placeOf(instancePath), keyword, ...detail].join(' ')));
  }
  return differences;
}

/** A place without what is different in every answer: positions and ids. */
function placeOf(pointer: string): string {
  return (
    pointer.replace(/\/(\d+|[0-9a-f]{24,}|[0-9A-Z]{26}|[0-9a-f]{8}-[0-9a-f-]{27})(?=\/|$)/g, '/*') || '/'
  );
}

function mediaType(type: string): string {
  return type.split(';')[0]?.trim().toLowerCase() ?? '';
}

function nodeOf(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}
