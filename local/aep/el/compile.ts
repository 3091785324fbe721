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
  return new Parser(tokens(source)).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  whole(): Evaluate {
    const result = this.#choice();
    if (this.#peek().kind !== 'end') throw this.#unexpected(this.#peek(), 'an operator or the end');
    return result;
  }

  #choice(): Evaluate {
    return this.#deeper(() => this.#chosen());
  }

  #deeper(make: () => Evaluate): Evaluate {
    const { at } = this.#peek();
    if (++this.#depth > DEEPEST)
      throw new ExpressionError(`nested deeper than ${DEEPEST} levels at position ${at + 1}`);
    const made = make();
    this.#depth -= 1;
    return made;
  }

  #chosen(): Evaluate {
    const condition = this.#binary(0);
    if (this.#skip('?:') || this.#skip('??')) {
      const other = this.#choice();
      return (row, around) => condition(row, around) ?? other(row, around);
    }
    if (!this.#skip('?')) return condition;
    const yes = this.#choice();
    this.#expect(':');
    const no = this.#choice();
    return (row, around) => (asTruth(condition(row, around)) ? yes(row, around) : no(row, around));
  }

  #binary(level: number): Evaluate {
    const signs = LEVELS[level];
    if (!signs) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peek();
      const name = token.kind === 'sign' || token.kind === 'name' ? own(signs, token.value) : undefined;
      if (!name) return left;
      this.#at += 1;
      left = joined(BINARY[name], left, this.#binary(level + 1));
    }
  }

  #unary(): Evaluate {
    if (this.#skip('!') || this.#skip('not')) {
      const inner = this.#deeper(() => this.#unary());
      return (row, around) => !asTruth(inner(row, around));
    }
    if (this.#skip('-')) {
      const inner = this.#deeper(() => this.#unary());
      return (row, around) => negative(inner(row, around));
    }
    return this.#postfix(this.#primary());
  }

  #postfix(start: Evaluate): Evaluate {
    let value = start;
    for (;;) {
      if (this.#skip('[')) {
        const key = this.#skip('*') ? () => '*' : this.#choice();
        this.#expect(']');
        value = step(value, key);
      } else if (this.#skip('.')) {
        value = this.#member(value);
      } else return value;
    }
  }

  #member(value: Evaluate): Evaluate {
    const token = this.#next();
    if (token.kind === 'quoted')
      return splitQuoted(token.value).reduce((inner, name) => step(inner, () => name), value);
    if (token.kind !== 'name' && token.kind !== 'number') throw this.#unexpected(token, 'a name');
    if (!this.#skip('(')) return step(value, () => token.value);
    const method = own(METHODS, token.value);
    if (!method)
      throw new ExpressionError(
        `unknown method '${token.value}' at position ${token.at + 1}; known are ${Object.keys(METHODS).join(', ')}`,
      );
    const inputs = this.#inputs();
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

  #primary(): Evaluate {
    const token = this.#next();
    if (token.kind === 'number') return constant(numberOf(token.value));
    if (token.kind === 'text') return constant(token.value);
    if (token.kind === 'quoted') return readPath(splitQuoted(token.value));
    if (token.kind === 'name') return this.#named(token.value, token.at);
    if (token.value === '(') {
      const inner = this.#choice();
      this.#expect(')');
      return inner;
    }
    if (token.value === '[') return this.#list();
    if (token.value === '{') return this.#map();
    throw this.#unexpected(token, 'a value');
  }

  #named(name: string, at: number): Evaluate {
    if (name === 'true' || name === 'false') return constant(name === 'true');
    if (name === 'null') return constant(null);
    if (this.#skip('(')) return this.#function(name, at);
    if (RESERVED.has(name) || FUNCTIONS.has(name))
      throw new ExpressionError(
        `'${name}' at position ${at + 1} is reserved; write \${${name}} for a field of that name`,
      );
    return readPath([name]);
  }

  #function(name: string, at: number): Evaluate {
    const definition = FUNCTIONS.get(name);
    if (!definition) throw new ExpressionError(`${unknownFunction(name)} (at position ${at + 1})`);
    const inputs = this.#inputs();
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

  #inputs(): Evaluate[] {
    const found: Evaluate[] = [];
    if (this.#skip(')')) return found;
    do found.push(this.#choice());
    while (this.#skip(','));
    this.#expect(')');
    return found;
  }

  #list(): Evaluate {
    const items: Evaluate[] = [];
    if (!this.#skip(']')) {
      do items.push(this.#choice());
      while (this.#skip(','));
      this.#expect(']');
    }
    return (row, around) => items.map((item) => item(row, around));
  }

  #map(): Evaluate {
    const entries: [Evaluate, Evaluate][] = [];
    if (!this.#skip('}')) {
      do {
        const key = this.#choice();
        this.#expect(':');
        entries.push([key, this.#choice()]);
      } while (this.#skip(','));
      this.#expect('}');
    }
    return (row, around) =>
      Object.fromEntries(
        entries.map(([key, value]): [string, Value] => [asText(key(row, around)), value(row, around)]),
      );
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind === 'end') throw this.#unexpected(token, 'a value');
    this.#at += 1;
    return token;
  }

  #skip(value: string): boolean {
    const token = this.#peek();
    if ((token.kind !== 'sign' && token.kind !== 'name') || token.value !== value) return false;
    this.#at += 1;
    return true;
  }

  #expect(value: string): void {
    if (!this.#skip(value)) throw this.#unexpected(this.#peek(), `'${value}'`);
  }

  #unexpected(token: Token, wanted: string): ExpressionError {
    const found = token.kind === 'end' ? 'the end' : `'${token.value}'`;
    return new ExpressionError(`unexpected ${found} at position ${token.at + 1}, ${wanted} expected`);
  }
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
