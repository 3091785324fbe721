// Amazon States Language's paths and payload templates, the part that the state machine uses; anything else is refused.

/** What paths lead into: a state's input or a result, and the context object. */
export interface Scope {
  readonly $: unknown;
  readonly $$: unknown;
}

/** A definition that this machine does not run: said when it is compiled, never in the middle of a run. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
}

/** A path that leads nowhere. AWS calls it `States.Runtime`: neither Retry nor Catch sees it. */
export class PathError extends Error {
  override readonly name = 'States.Runtime';
}

type Reader = (scope: Scope) => unknown;

interface Path {
  readonly root: '$' | '$$';
  readonly steps: readonly (string | number)[];
}

const WHOLE = /^\$\$?(?:\.[A-Za-z_]\w*|\['[^']+'\]|\[\d+\])*$/;
const STEP = /\.([A-Za-z_]\w*)|\['([^']+)'\]|\[(\d+)\]/g;
const FORMAT = /^States\.Format\((.*)\)$/s;
const ARGUMENT = /\s*(?:'((?:\\.|[^'\\])*)'|(\$[^,\s)]*)|(-?\d+(?:\.\d+)?|true|false|null))\s*(?:,|$)/gy;

function parsePath(text: string): Path {
  if (!WHOLE.test(text)) throw new DefinitionError(`${text} is not a path that runs here.`);
  const steps = [...text.matchAll(STEP)].map(([, name, quoted, index]) => name ?? quoted ?? Number(index));
  return { root: text.startsWith('$$') ? '$$' : '$', steps };
}

function follow({ root, steps }: Path, scope: Scope): unknown {
  let at = scope[root];
  for (const step of steps) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** Reads a path; `undefined` where it leads nowhere. */
export function lookUp(text: string): Reader {
  const path = parsePath(text);
  return (scope) => follow(path, scope);
}

/** Reads a path that has to lead somewhere. */
export function read(text: string): Reader {
  const find = lookUp(text);
  return (scope) => {
    const found = find(scope);
    if (found === undefined) throw new PathError(`The path ${text} leads nowhere.`);
    return found;
  };
}

/** A path or `States.Format(…)`: what may stand behind a name that ends in `.$`. */
function expression(text: string): Reader {
  const [, inner] = FORMAT.exec(text) ?? [];
  return inner === undefined ? read(text) : format(text, inner);
}

function format(text: string, inner: string): Reader {
  const found = [...inner.matchAll(ARGUMENT)];
  if (found.map(([whole]) => whole).join('') !== inner)
    throw new DefinitionError(`${text} does not run here.`);
  const [template, ...values] = found.map(([, quoted, path, literal]): Reader => {
    if (quoted !== undefined) return () => quoted.replace(/\\(.)/g, '$1');
    return path === undefined ? () => JSON.parse(literal ?? 'null') as unknown : read(path);
  });
  return (scope) => {
    const rest = values.map((value) => value(scope));
    return String(template?.(scope)).replace(/\{\}/g, () => shown(rest.shift()));
  };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A payload template: names that end in `.$` are read, everything else stands as it is. */
export function template(source: unknown): Reader {
  if (Array.isArray(source)) {
    const items = source.map(template);
    return (scope) => items.map((item) => item(scope));
  }
  if (typeof source !== 'object' || source === null) return () => source;
  const fields = Object.entries(source).map(([name, value]): [string, Reader] =>
    name.endsWith('.$') ? [name.slice(0, -2), expression(String(value))] : [name, template(value)],
  );
  return (scope) => Object.fromEntries(fields.map(([name, value]) => [name, value(scope)]));
}

/** Puts a result where ResultPath says: in place of the input, nowhere (`null`), or at a path inside it. */
export function placement(path: string | null | undefined): (input: unknown, result: unknown) => unknown {
  if (path === null) return (input) => input;
  const { root, steps } = parsePath(path ?? '$');
  if (root === '$$' || steps.some((step) => typeof step === 'number'))
    throw new DefinitionError(`ResultPath ${path} does not run here.`);
  return (input, result) => placed(input, result, steps as string[]);
}

function placed(input: unknown, result: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return result;
  const object = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  return { ...object, [step]: placed(object[step], result, rest) };
}
