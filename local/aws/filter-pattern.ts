// CloudWatch Logs' filter patterns, as far as they are simulated: terms, and comparisons of members of a line of JSON.
// By AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
import { AwsError } from './server.ts';

type Matches = (message: string) => boolean;

const TERM = /^([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?:\s+|$)/;
const COMPARISON = /^\$\.([\w.-]+)\s*(!=|=)\s*(?:"([^"]*)"|([\w.*-]+))$/;

/** @throws AwsError InvalidParameterException for a pattern that is none, or is not simulated */
export function filterOf(pattern: string): Matches {
  const text = pattern.trim();
  return text.startsWith('{') ? byMembers(text) : byTerms(text);
}

/** All of them: those with `-` must not be there, of those with `?` one is enough. Letters count as they are written. */
function byTerms(text: string): Matches {
  const terms: { sign: string; term: string }[] = [];
  for (let rest = text; rest !== ''; ) {
    const [whole, sign = '', quoted, plain] = TERM.exec(rest) ?? [];
    if (whole === undefined) throw notUnderstood(text);
    terms.push({ sign, term: plain ?? (quoted ?? '').replace(/\\(.)/g, '$1') });
    rest = rest.slice(whole.length);
  }
  const any = terms.filter(({ sign }) => sign === '?');
  // AWS passes `?` over beside other terms; who writes that does not want it.
  if (any.length > 0 && any.length < terms.length) throw notUnderstood(text);
  if (any.length > 0) return (message) => any.some(({ term }) => message.includes(term));
  return (message) => terms.every(({ sign, term }) => message.includes(term) !== (sign === '-'));
}

/** `{ $.level = "ERROR" && $.code != "X" }`: a line that is no JSON, or has no such member, matches nothing. */
function byMembers(text: string): Matches {
  const inner = /^\{([^{}()|]*)\}$/.exec(text)?.[1];
  if (inner === undefined) throw notUnderstood(text);
  const conditions = inner.split('&&').map((part) => conditionOf(part.trim(), text));
  return (message) => {
    const value = parsed(message);
    return value !== undefined && conditions.every((isMet) => isMet(value));
  };
}

function conditionOf(part: string, whole: string): (value: unknown) => boolean {
  const [, path, operator, quoted, plain] = COMPARISON.exec(part) ?? [];
  if (path === undefined) throw notUnderstood(whole);
  const wanted = quoted ?? plain ?? '';
  const shape = new RegExp(`^${wanted.split('*').map(escaped).join('.*')}$`, 's');
  return (value) => {
    const found = path.split('.').reduce(memberOf, value);
    if (found === undefined || typeof found === 'object') return false;
    return shape.test(String(found)) === (operator === '=');
  };
}

function escaped(text: string): string {
  return text.replace(/\W/g, '\\$&');
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function parsed(message: string): unknown {
  try {
    return JSON.parse(message) as unknown;
  } catch {
    return undefined;
  }
}

function notUnderstood(pattern: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `The local AWS does not simulate this filter pattern: ${pattern}. It knows terms (ERROR "two words" -without ?either ?or) and { $.member = "value" && … }.`,
  );
}
