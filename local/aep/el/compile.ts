// Turns a mapping expression into a function over a row, once, before any data comes.

import { numberOf } from '../exact-number.ts';
import { own } from '../json.ts';
import { FUNCTIONS, unknownFunction } from './functions/index.ts';
import { LAZY } from './functions/logic.ts';
import { METHODS } from './functions/methods.ts';
import { BINARY, type Binary } from './operators.ts';
import { readPath, splitQuoted } from './paths.ts';
import { ExpressionError, type Token, tokens } from './tokens.ts';
import { asText, asTruth, type Evaluate, inside, negative, type Value } from './values.ts';

/** Not usable as bare field names, nor are the names of functions; they need `${…}` (Adobe's page "Data Prep mapping functions"). */
const RESERVED = new Set([
  ...'new mod or break var lt for false while eq gt div not null continue else and'.split(' '),
  ...'ne true le if ge return _errors do function empty size'.split(' '),
]);

const LEVELS: readonly { readonly [sign: string]: keyof typeof BINARY }[] = [
  { '||': 'or', or: 'or' },
  { '&&': 'and', and: 'and' },
  {
    '==': 'eq',
    eq: 'eq',
    '!=': 'ne',
    ne: 'ne',
    '<': 'lt',
    lt: 'lt',
    '>': 'gt',
    gt: 'gt',
    '<=': 'le',
    le: 'le',
    '>=': 'ge',
    ge: 'ge',
    '=~': 'matches',
    '!~': 'unlike',
    '=^': 'starts',
  },
  { '+': 'add', '-': 'subtract' },
  { '*': 'multiply', '/': 'divide', div: 'divide', '%': 'modulo', mod: 'modulo' },
];

/** Ours: AEP's own limit is not documented, and what is deeper exhausts the stack. */
const DEEPEST = 500;

/** Throws an ExpressionError that says what is wrong with the expression. */
export function compileExpression(source: string): Evaluate {
  const parser: Parser = { tokens: tokens(source), at: 0, depth: 0 };
  const result = choice(parser);
  if (peek(parser).kind !== 'end') throw unexpected(peek(parser), 'an operator or the end');
  return result;
}

/** Where reading has come to. Each function below reads one kind of expression from there, and moves on behind it. */
interface Parser {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

function choice(parser: Parser): Evaluate {
  return deeper(parser, () => chosen(parser));
}

function deeper(parser: Parser, make: () => Evaluate): Evaluate {
  const { at } = peek(parser);
  if (++parser.depth > DEEPEST)
    throw new ExpressionError(`nested deeper than ${DEEPEST} levels at position ${at + 1}`);
  const made = make();
  parser.depth -= 1;
  return made;
}

function chosen(parser: Parser): Evaluate {
  const condition = binary(parser, 0);
  if (skip(parser, '?:') || skip(parser, '??')) {
    const other = choice(parser);
    return (row, around) => condition(row, around) ?? other(row, around);
  }
  if (!skip(parser, '?')) return condition;
  const yes = choice(parser);
  expect(parser, ':');
  const no = choice(parser);
  return (row, around) => (asTruth(condition(row, around)) ? yes(row, around) : no(row, around));
}

function binary(parser: Parser, level: number): Evaluate {
  const signs = LEVELS[level];
  if (!signs) return unary(parser);
  let left = binary(parser, level + 1);
  for (;;) {
    const token = peek(parser);
    const name = token.kind === 'sign' || token.kind === 'name' ? own(signs, token.value) : undefined;
    if (!name) return left;
    parser.at += 1;
    left = joined(BINARY[name], left, binary(parser, level + 1));
  }
}

function unary(parser: Parser): Evaluate {
  if (skip(parser, '!') || skip(parser, 'not')) {
    const inner = deeper(parser, () => unary(parser));
    return (row, around) => !asTruth(inner(row, around));
  }
  if (skip(parser, '-')) {
    const inner = deeper(parser, () => unary(parser));
    return (row, around) => negative(inner(row, around));
  }
  return postfix(parser, primary(parser));
}

function postfix(parser: Parser, start: Evaluate): Evaluate {
  let value = start;
  for (;;) {
    if (skip(parser, '[')) {
      const key = skip(parser, '*') ? () => '*' : choice(parser);
      expect(parser, ']');
      value = step(value, key);
    } else if (skip(parser, '.')) {
      value = member(parser, value);
    } else return value;
  }
}

function member(parser: Parser, value: Evaluate): Evaluate {
  const token = next(parser);
  if (token.kind === 'quoted')
    return splitQuoted(token.value).reduce((inner, name) => step(inner, () => name), value);
  if (token.kind !== 'name' && token.kind !== 'number') throw unexpected(token, 'a name');
  if (!skip(parser, '(')) return step(value, () => token.value);
  const method = own(METHODS, token.value);
  if (!method)
    throw new ExpressionError(
      `unknown method '${token.value}' at position ${token.at + 1}; known are ${Object.keys(METHODS).join(', ')}`,
    );
  const inputs = inputsOf(parser);
  return (row, around) => {
    const self = value(row, around);
    return self === null
      ? null
      : bounded(
          method(
            self,
            inputs.map((input) => input(row, around)),
          ),
        );
  };
}

function primary(parser: Parser): Evaluate {
  const token = next(parser);
  if (token.kind === 'number') return constant(numberOf(token.value));
  if (token.kind === 'text') return constant(token.value);
  if (token.kind === 'quoted') return readPath(splitQuoted(token.value));
  if (token.kind === 'name') return named(parser, token.value, token.at);
  if (token.value === '(') {
    const inner = choice(parser);
    expect(parser, ')');
    return inner;
  }
  if (token.value === '[') return list(parser);
  if (token.value === '{') return map(parser);
  throw unexpected(token, 'a value');
}

function named(parser: Parser, name: string, at: number): Evaluate {
  if (name === 'true' || name === 'false') return constant(name === 'true');
  if (name === 'null') return constant(null);
  if (skip(parser, '(')) return applied(parser, name, at);
  if (RESERVED.has(name) || FUNCTIONS.has(name))
    throw new ExpressionError(
      `'${name}' at position ${at + 1} is reserved; write \${${name}} for a field of that name`,
    );
  return readPath([name]);
}

function applied(parser: Parser, name: string, at: number): Evaluate {
  const definition = FUNCTIONS.get(name);
  if (!definition) throw new ExpressionError(`${unknownFunction(name)} (at position ${at + 1})`);
  const inputs = inputsOf(parser);
  if (inputs.length < definition.least || inputs.length > definition.most) {
    throw new ExpressionError(
      `function '${name}' at position ${at + 1} does not take ${inputs.length} arguments; its syntax is ${definition.syntax}`,
    );
  }
  const lazy = own(LAZY, name);
  if (lazy) return lazy(inputs);
  const { call } = definition;
  return (row, around) =>
    bounded(
      call(
        inputs.map((input) => input(row, around)),
        around,
        row,
      ),
    );
}

function inputsOf(parser: Parser): Evaluate[] {
  const found: Evaluate[] = [];
  if (skip(parser, ')')) return found;
  do found.push(choice(parser));
  while (skip(parser, ','));
  expect(parser, ')');
  return found;
}

function list(parser: Parser): Evaluate {
  const items: Evaluate[] = [];
  if (!skip(parser, ']')) {
    do items.push(choice(parser));
    while (skip(parser, ','));
    expect(parser, ']');
  }
  return (row, around) => items.map((item) => item(row, around));
}

function map(parser: Parser): Evaluate {
  const entries: [Evaluate, Evaluate][] = [];
  if (!skip(parser, '}')) {
    do {
      const key = choice(parser);
      expect(parser, ':');
      entries.push([key, choice(parser)]);
    } while (skip(parser, ','));
    expect(parser, '}');
  }
  return (row, around) =>
    Object.fromEntries(
      entries.map(([key, value]): [string, Value] => [asText(key(row, around)), value(row, around)]),
    );
}

function peek(parser: Parser): Token {
  return parser.tokens[parser.at] as Token;
}

function next(parser: Parser): Token {
  const token = peek(parser);
  if (token.kind === 'end') throw unexpected(token, 'a value');
  parser.at += 1;
  return token;
}

function skip(parser: Parser, value: string): boolean {
  const token = peek(parser);
  if ((token.kind !== 'sign' && token.kind !== 'name') || token.value !== value) return false;
  parser.at += 1;
  return true;
}

function expect(parser: Parser, value: string): void {
  if (!skip(parser, value)) throw unexpected(peek(parser), `'${value}'`);
}

function unexpected(token: Token, wanted: string): ExpressionError {
  const found = token.kind === 'end' ? 'the end' : `'${token.value}'`;
  return new ExpressionError(`unexpected ${found} at position ${token.at + 1}, ${wanted} expected`);
}

/** Ours, ten times what an inlet takes: functions that repeat a text in each other would fill the memory. */
const MAX_TEXT_LENGTH = 10_000_000;

function bounded(value: Value): Value {
  if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH)
    throw new ExpressionError(`the text is longer than ${MAX_TEXT_LENGTH} characters`);
  return value;
}

const constant =
  (value: Value): Evaluate =>
  () =>
    value;

function step(value: Evaluate, key: Evaluate): Evaluate {
  return (row, around) => inside(value(row, around), asText(key(row, around)));
}

function joined(operator: Binary, left: Evaluate, right: Evaluate): Evaluate {
  return (row, around) =>
    operator(
      () => left(row, around),
      () => right(row, around),
    );
}
