// The ledger in memory: the real one over a table that a Map stands in for, with the state machine's integrations on the same items.
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  type GetItemCommandInput,
  ResourceNotFoundException,
  ScanCommand,
  type ScanCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { DynamoDbError, type TableCall, type TableOperation } from '../../lib/aws/dynamodb.ts';
import { awsCall } from '../../lib/aws/failure.ts';
import { createLedger } from '../../lib/aws/ledger.ts';
import type { Ledger } from '../../lib/runtime.ts';
import {
  type ExecutionDescription,
  type Integration,
  serviceIntegrations,
} from '../../local/aws/integrations.ts';

type Item = Record<string, AttributeValue>;

export interface MemoryLedger {
  readonly ledger: Ledger;
  /** The table itself, for other ports to it. */
  readonly call: TableCall;
  /** For `runStateMachine`. */
  readonly integrations: Record<string, Integration>;
  /** For `runStateMachine`: the name that `{"Ref": "PipelineTable"}` stands for. */
  readonly refs: Readonly<Record<string, string>>;
  readonly executions: MemoryExecutions;
  /** The items as they are, by pipeline; to look at, or to begin with. */
  readonly items: Map<string, Item>;
}

export interface MemoryExecutions {
  readonly all: Map<string, ExecutionDescription>;
  running(arn: string): void;
  ended(arn: string, status: Exclude<ExecutionDescription['status'], 'RUNNING'>): void;
  describe(arn: string): ExecutionDescription | undefined;
}

/** @param from what it holds at first: the ledger that this is a copy of */
export function memoryLedger(table = 'penstock-dev-pipelines', from?: MemoryLedger): MemoryLedger {
  const items = new Map<string, Item>(structuredClone(from?.items));
  const executions = memoryExecutions(from?.executions.all);
  const dynamoDb = memoryClient(table, items);
  const call = callOf(dynamoDb);
  return {
    ledger: createLedger(table, call),
    call,
    integrations: serviceIntegrations({ dynamoDb, describe: executions.describe }),
    refs: { PipelineTable: table },
    executions,
    items,
  };
}

function memoryExecutions(from?: MemoryExecutions['all']): MemoryExecutions {
  const all = new Map(from);
  const set = (arn: string, status: ExecutionDescription['status']) =>
    void all.set(arn, { name: arn.slice(arn.lastIndexOf(':') + 1), status, startDate: new Date(0) });
  return { all, running: (arn) => set(arn, 'RUNNING'), ended: set, describe: (arn) => all.get(arn) };
}

/** As many items as a page of a Scan has; DynamoDB's pages end at 1 MB. */
const PAGE = 10;

/** A client for one table whose key is `pipeline`; each call is done in one go, as DynamoDB does it for one item. */
function memoryClient(table: string, items: Map<string, Item>): Pick<DynamoDBClient, 'send'> {
  const answer = (command: unknown): object => {
    const { input } = command as { input: { TableName?: string } };
    if (input.TableName !== table) throw noTable(input.TableName);
    if (command instanceof GetItemCommand) return getItem(items, command.input);
    if (command instanceof UpdateItemCommand) return updateItem(items, command.input);
    if (command instanceof ScanCommand) return scan(items, command.input);
    throw new TypeError('the table in memory knows GetItem, UpdateItem and Scan');
  };
  const send = async (command: unknown) => structuredClone(answer(command));
  return { send } as unknown as Pick<DynamoDBClient, 'send'>;
}

/** What the ports to the table call, over a client of the SDK's. */
function callOf(client: Pick<DynamoDBClient, 'send'>): TableCall {
  const commands: Partial<Record<TableOperation, new (input: never) => object>> = {
    GetItem: GetItemCommand,
    UpdateItem: UpdateItemCommand,
    Scan: ScanCommand,
  };
  return (what, operation, input) =>
    awsCall(what, async () => {
      const Command = commands[operation];
      if (Command === undefined) throw new TypeError(`the table in memory knows no ${operation}`);
      try {
        return (await client.send(new Command(input as never) as never)) as Awaited<ReturnType<TableCall>>;
      } catch (error) {
        if (!(error instanceof DynamoDBServiceException)) throw error;
        const { Item } = error as { Item?: Item };
        const { httpStatusCode = 0 } = error.$metadata;
        throw new DynamoDbError(error.name, error.message, httpStatusCode, Item as never);
      }
    });
}

function getItem(items: Map<string, Item>, input: GetItemCommandInput): object {
  const expressions = new Expressions(input);
  const project = expressions.projection(input.ProjectionExpression);
  expressions.allUsed();
  const item = items.get(keyOf(input));
  return item === undefined ? {} : { Item: project(item) };
}

function scan(items: Map<string, Item>, input: ScanCommandInput): object {
  const expressions = new Expressions(input);
  const project = expressions.projection(input.ProjectionExpression);
  expressions.allUsed();
  const keys = [...items.keys()];
  const from = keys.indexOf(input.ExclusiveStartKey?.pipeline?.S ?? '') + 1;
  const page = keys.slice(from, from + PAGE);
  const last = page.at(-1);
  const more = last !== undefined && from + PAGE < keys.length;
  return {
    Items: page.map((key) => project(items.get(key) ?? {})),
    ...(more && { LastEvaluatedKey: { pipeline: { S: last } } }),
  };
}

function updateItem(items: Map<string, Item>, input: UpdateItemCommandInput): object {
  const key = keyOf(input);
  const before = items.get(key);
  const expressions = new Expressions(input);
  const met = expressions.condition(input.ConditionExpression, before ?? {});
  const changes = expressions.update(input.UpdateExpression);
  expressions.allUsed();
  if (!met) throw notMet(input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? before : undefined);
  const after: Item = { pipeline: { S: key }, ...before };
  for (const { path, change } of changes) {
    const value = change(after[path]);
    if (value === undefined) delete after[path];
    else after[path] = value;
  }
  if (itemBytes(after) > LARGEST_ITEM)
    throw invalid('Item size to update has exceeded the maximum allowed size');
  items.set(key, after);
  if (input.ReturnValues === 'ALL_NEW') return { Attributes: after };
  if (input.ReturnValues !== 'UPDATED_NEW') return {};
  return {
    Attributes: picked(
      after,
      changes.map(({ path }) => path),
    ),
  };
}

/** AWS: "Quotas in Amazon DynamoDB", items: 400 KB, names of attributes included. */
export const LARGEST_ITEM = 400 * 1024;

/** AWS: "DynamoDB item sizes and formats". What is not kept here is not counted here. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  // Two significant digits a byte, and one more, and another one for a sign.
  if (value.N !== undefined) return Math.ceil(value.N.replace(/\D/g, '').length / 2) + 2;
  if (value.SS !== undefined) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  throw new TypeError('the table in memory knows texts, numbers and sets of texts');
}

interface Change {
  readonly path: string;
  /** From the attribute there is to the one there will be; `undefined` is none. */
  change(before: AttributeValue | undefined): AttributeValue | undefined;
}

/** Words of DynamoDB's own among the attributes there are: they need a `#name`. */
const RESERVED = /^owner$/i;

/**
 * The expressions of one request, and what they may name. Understood are `attribute_exists`, `attribute_not_exists`, `=`,
 * `size(a) <= :b` of a set, `AND`, `OR` and parentheses; `SET a = :b, …`, `REMOVE a, …` and `ADD a :b, …`.
 */
class Expressions {
  readonly #names: Record<string, string>;
  readonly #values: Item;
  readonly #unused: Set<string>;

  constructor(request: {
    ExpressionAttributeNames?: Record<string, string> | undefined;
    ExpressionAttributeValues?: Item | undefined;
  }) {
    this.#names = request.ExpressionAttributeNames ?? {};
    this.#values = request.ExpressionAttributeValues ?? {};
    this.#unused = new Set([...Object.keys(this.#names), ...Object.keys(this.#values)]);
  }

  /** Like DynamoDB, refuses what no expression mentions. */
  allUsed(): void {
    if (this.#unused.size > 0) throw invalid(`unused in expressions: ${[...this.#unused].join(', ')}`);
  }

  projection(text: string | undefined): (item: Item) => Item {
    if (text === undefined) return (item) => item;
    const paths = text.split(',').map((path) => this.#path(path.trim()));
    return (item) => picked(item, paths);
  }

  condition(text: string | undefined, item: Item): boolean {
    if (text === undefined) return true;
    const tokens = text.match(/[#:]?\w+|<=|\S/g) ?? [];
    const met = this.#or(tokens, item);
    if (tokens.length > 0) throw invalid(`Syntax error; token: ${tokens[0]}`);
    return met;
  }

  update(text = ''): Change[] {
    const sections = text.split(/\b(SET|REMOVE|ADD)\b/i).map((part) => part.trim());
    const changes: Change[] = [];
    for (let i = 1; i < sections.length; i += 2) {
      const action = sections[i]?.toUpperCase() ?? '';
      for (const clause of sections[i + 1]?.split(',') ?? [])
        changes.push(this.#clause(action, clause.trim()));
    }
    if (sections[0] !== '' || changes.length === 0) throw invalid(`Syntax error; expression: ${text}`);
    return changes;
  }

  #or(tokens: string[], item: Item): boolean {
    let met = this.#and(tokens, item);
    // Both sides are read whatever the first one says: what is wrong on the right is wrong anyway.
    while (taken(tokens, /^OR$/i)) met = this.#and(tokens, item) || met;
    return met;
  }

  #and(tokens: string[], item: Item): boolean {
    let met = this.#term(tokens, item);
    while (taken(tokens, /^AND$/i)) met = this.#term(tokens, item) && met;
    return met;
  }

  #term(tokens: string[], item: Item): boolean {
    if (taken(tokens, /^\($/)) {
      const met = this.#or(tokens, item);
      expected(tokens, /^\)$/);
      return met;
    }
    if (taken(tokens, /^size$/)) return this.#atMost(tokens, item);
    const wanted = /^attribute_(not_)?exists$/.exec(tokens[0] ?? '');
    if (wanted === null) return this.#equality(tokens, item);
    tokens.shift();
    expected(tokens, /^\($/);
    const path = this.#path(tokens.shift());
    expected(tokens, /^\)$/);
    return path in item === (wanted[1] === undefined);
  }

  /** Of what is not there there is no size, and no comparison holds. */
  #atMost(tokens: string[], item: Item): boolean {
    expected(tokens, /^\($/);
    const set = item[this.#path(tokens.shift())]?.SS;
    expected(tokens, /^\)$/);
    expected(tokens, /^<=$/);
    const most = Number(this.#value(tokens.shift() ?? '').N);
    return set !== undefined && set.length <= most;
  }

  #equality(tokens: string[], item: Item): boolean {
    const left = this.#operand(tokens.shift(), item);
    expected(tokens, /^=$/);
    const right = this.#operand(tokens.shift(), item);
    return left !== undefined && right !== undefined && JSON.stringify(left) === JSON.stringify(right);
  }

  #clause(action: string, clause: string): Change {
    const form = { SET: /^(\S+)\s*=\s*(:\w+)$/, ADD: /^(\S+)\s+(:\w+)$/, REMOVE: /^(\S+)$/ }[action];
    const [, name, token] = form?.exec(clause) ?? [];
    if (name === undefined) throw invalid(`Syntax error; clause: ${clause}`);
    const path = this.#path(name);
    if (token === undefined) return { path, change: () => undefined };
    const value = this.#value(token);
    if (action === 'SET') return { path, change: () => value };
    const { SS: more } = value;
    if (more === undefined)
      return { path, change: (before) => ({ N: String(Number(before?.N ?? 0) + Number(value.N)) }) };
    return { path, change: (before) => ({ SS: [...new Set([...(before?.SS ?? []), ...more])] }) };
  }

  #operand(token: string | undefined, item: Item): AttributeValue | undefined {
    return token?.startsWith(':') ? this.#value(token) : item[this.#path(token)];
  }

  #path(token = ''): string {
    this.#unused.delete(token);
    const path = token.startsWith('#') ? this.#names[token] : token;
    if (path === undefined) throw invalid(`An expression attribute name is not defined: ${token}`);
    if (!/^\w+$/.test(token.replace('#', ''))) throw invalid(`Syntax error; token: ${token}`);
    if (RESERVED.test(token)) throw invalid(`Attribute name is a reserved keyword: ${token}`);
    return path;
  }

  #value(token: string): AttributeValue {
    this.#unused.delete(token);
    const value = this.#values[token];
    if (value === undefined) throw invalid(`An expression attribute value is not defined: ${token}`);
    return value;
  }
}

function taken(tokens: string[], wanted: RegExp): boolean {
  if (!wanted.test(tokens[0] ?? '')) return false;
  tokens.shift();
  return true;
}

function expected(tokens: string[], wanted: RegExp): void {
  if (!taken(tokens, wanted)) throw invalid(`Syntax error; token: ${tokens[0]}`);
}

function picked(item: Item, paths: readonly string[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([path]) => paths.includes(path)));
}

function keyOf({ Key }: { Key?: Item | undefined }): string {
  const key = Key?.pipeline?.S;
  if (key === undefined || Object.keys(Key ?? {}).length !== 1) throw invalid('the key is not of the schema');
  return key;
}

const $metadata = { httpStatusCode: 400, requestId: 'in-memory' };

function invalid(message: string): Error {
  return new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', $metadata, message });
}

function noTable(name: string | undefined): Error {
  return new ResourceNotFoundException({ message: `there is no table ${name}`, $metadata });
}

function notMet(item: Item | undefined): Error {
  const message = 'The conditional request failed';
  return new ConditionalCheckFailedException({
    message,
    $metadata,
    ...(item && { Item: structuredClone(item) }),
  });
}
