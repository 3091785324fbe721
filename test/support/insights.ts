// CloudWatch Logs Insights as far as docs/runbook.md uses it, over lines in memory. Ours: nobody else evaluates its language.
// What MiniStack (1.5.33) and moto (5.2.5) do not know of it they pass over in silence, and so would take any query for a good one.
// Here whatever is not known is an error. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html

/** A line as CloudWatch Logs holds it. */
export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

type Value = string | number | boolean | undefined;
export type Row = Readonly<Record<string, Value>>;

/**
 * The rows that a query gives, and every field that it names and no alias of its own.
 * @throws Error for what this does not know
 */
export function runQuery(query: string, lines: readonly LogLine[]): { rows: Row[]; fields: string[] } {
  const state: State = {
    rows: lines.map(discovered),
    shown: undefined,
    fields: new Set(),
    aliases: new Set(),
  };
  for (const command of splitAt(tokensOf(query), '|')) run(command, state);
  const { shown } = state;
  const rows = shown === undefined ? state.rows : state.rows.map((row) => only(row, shown));
  return { rows, fields: [...state.fields] };
}

interface State {
  rows: Row[];
  shown: readonly string[] | undefined;
  readonly fields: Set<string>;
  readonly aliases: Set<string>;
}

/** Fields are taken from the first JSON in a line of Lambda's; one that is not JSON has those with an @ alone. */
function discovered({ timestamp, message }: LogLine): Row {
  const system = { '@timestamp': timestamp, '@message': message };
  try {
    const json = JSON.parse(message.slice(Math.max(0, message.indexOf('{')))) as Record<string, unknown>;
    const flat = Object.entries(json).filter(([, value]) => typeof value !== 'object');
    return { ...Object.fromEntries(flat), ...system } as Row;
  } catch {
    return system;
  }
}

const TOKEN =
  /\s*("(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)*\/i?|[@A-Za-z_][\w.@]*|\d+(?:\.\d+)?|!=|<=|>=|[=<>|,()[\]*])/y;

function tokensOf(query: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < query.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(query)?.[1];
    if (found === undefined) throw new Error(`not known: ${query.slice(at)}`);
    tokens.push(found);
  }
  return tokens;
}

function splitAt(tokens: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token === '(' || token === '[') depth++;
    if (token === ')' || token === ']') depth--;
    if (token === separator && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function run([name = '', ...words]: string[], state: State): void {
  if (name === 'filter') {
    const reader = new Reader(words);
    const holds = condition(reader, state);
    reader.end();
    state.rows = state.rows.filter(holds);
  } else if (name === 'display') {
    state.shown = splitAt(words, ',').map((part) => field(single(part), state));
  } else if (name === 'stats') {
    stats(words, state);
  } else if (name === 'sort') {
    sort(words, state);
  } else if (name === 'limit') {
    const most = Number(single(words));
    if (!Number.isInteger(most) || most < 1) throw new Error(`not known: limit ${words.join(' ')}`);
    state.rows = state.rows.slice(0, most);
  } else throw new Error(`not known: the command ${name}`);
}

class Reader {
  #at = 0;
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  next(): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new Error(`ends too soon: ${this.#words.join(' ')}`);
    return word;
  }

  taken(word: string): boolean {
    if (this.#words[this.#at] !== word) return false;
    this.#at++;
    return true;
  }

  end(): void {
    if (this.#at < this.#words.length) throw new Error(`not known: ${this.#words.slice(this.#at).join(' ')}`);
  }
}

type Holds = (row: Row) => boolean;

function condition(reader: Reader, state: State): Holds {
  const any = [conjunction(reader, state)];
  while (reader.taken('or')) any.push(conjunction(reader, state));
  return (row) => any.some((holds) => holds(row));
}

function conjunction(reader: Reader, state: State): Holds {
  const all = [comparison(reader, state)];
  while (reader.taken('and')) all.push(comparison(reader, state));
  return (row) => all.every((holds) => holds(row));
}

/** What is compared must be there: what a comparison with an absent field comes to is not documented, and not relied on. */
function comparison(reader: Reader, state: State): Holds {
  const word = reader.next();
  if (word === 'ispresent') {
    expect(reader, '(');
    const name = field(reader.next(), state);
    expect(reader, ')');
    return (row) => row[name] !== undefined;
  }
  const name = field(word, state);
  const operator = reader.next();
  if (operator === 'like') {
    const pattern = regex(reader.next());
    return (row) => row[name] !== undefined && pattern.test(String(row[name]));
  }
  if (operator === 'in') {
    expect(reader, '[');
    const values = [literal(reader.next())];
    while (reader.taken(',')) values.push(literal(reader.next()));
    expect(reader, ']');
    return (row) => values.some((value) => value === row[name]);
  }
  if (operator !== '=' && operator !== '>') throw new Error(`not known: ${name} ${operator}`);
  const value = literal(reader.next());
  if (operator === '=') return (row) => row[name] === value;
  return (row) => typeof row[name] === 'number' && (row[name] as number) > Number(value);
}

function expect(reader: Reader, word: string): void {
  const found = reader.next();
  if (found !== word) throw new Error(`expected ${word}, found ${found}`);
}

function regex(word: string): RegExp {
  const [, source = '', flags = ''] = /^\/(.*)\/(i?)$/.exec(word) ?? [];
  if (source === '') throw new Error(`not known: like ${word}`);
  return new RegExp(source, flags);
}

function literal(word: string): string | number {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  if (/^\d/.test(word)) return Number(word);
  throw new Error(`not a value: ${word}`);
}

function field(word: string, { fields, aliases }: State): string {
  if (!/^[@A-Za-z_][\w.@]*$/.test(word)) throw new Error(`not a field: ${word}`);
  if (!aliases.has(word)) fields.add(word);
  return word;
}

function single(words: readonly string[]): string {
  const [word] = words;
  if (word === undefined || words.length > 1) throw new Error(`not known: ${words.join(' ')}`);
  return word;
}

const FUNCTIONS: Readonly<Record<string, (values: readonly number[]) => number | undefined>> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  min: (values) => (values.length === 0 ? undefined : Math.min(...values)),
  max: (values) => (values.length === 0 ? undefined : Math.max(...values)),
};

/** Into which group a line goes that has not the field they are made by is not documented: it is an error. */
function stats(words: readonly string[], state: State): void {
  const by = words.indexOf('by');
  if (by < 0) throw new Error('not known: stats without by');
  const names = splitAt(words.slice(by + 1), ',').map((part) => field(single(part), state));
  const columns = splitAt(words.slice(0, by), ',').map((part) => column(part, state));
  const groups = new Map<string, Row[]>();
  for (const row of state.rows) {
    const lacking = names.find((name) => row[name] === undefined);
    if (lacking !== undefined) throw new Error(`grouped by ${lacking}, which is not in ${row['@message']}`);
    const key = JSON.stringify(names.map((name) => row[name]));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  for (const { alias } of columns) state.aliases.add(alias);
  state.rows = [...groups.values()].map((rows) => ({
    ...only(rows[0] ?? {}, names),
    ...Object.fromEntries(columns.map(({ alias, of }) => [alias, of(rows)])),
  }));
}

function column(part: readonly string[], state: State): { alias: string; of: (rows: Row[]) => Value } {
  const [name = '', open, argument = '', close, as, alias] = part;
  if (open !== '(' || close !== ')' || as !== 'as' || alias === undefined || part.length !== 6)
    throw new Error(`not known: ${part.join(' ')}`);
  if (name === 'count' && argument === '*') return { alias, of: (rows) => rows.length };
  const made = FUNCTIONS[name];
  if (made === undefined) throw new Error(`not known: the function ${name}`);
  const of = field(argument, state);
  const numbers = (rows: Row[]) => rows.map((row) => row[of]).filter((value) => typeof value === 'number');
  return { alias, of: (rows) => made(numbers(rows)) };
}

function sort(words: readonly string[], state: State): void {
  const [name = '', direction, ...more] = words;
  if ((direction !== 'asc' && direction !== 'desc') || more.length > 0)
    throw new Error(`not known: sort ${words.join(' ')}`);
  const by = field(name, state);
  const sign = direction === 'asc' ? 1 : -1;
  const number = (row: Row) => {
    const value = row[by];
    if (typeof value !== 'number') throw new Error(`sorted by ${by}, which is no number in every line`);
    return value;
  };
  state.rows = state.rows.toSorted((a, b) => sign * (number(a) - number(b)));
}

function only(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}
