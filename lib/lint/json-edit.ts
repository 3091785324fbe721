// Changes a few places of a JSON text and leaves every other byte as it is: blanks, order of members, long numbers.

/** `at` and `to` are JSON Pointers (RFC 6901); `-` is behind the last item of a list. */
export type Edit =
  | { readonly op: 'set'; readonly at: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly at: string }
  | { readonly op: 'rename'; readonly at: string; readonly to: string };

/** A value in the text, from `start` to before `end`. */
interface JsonNode {
  readonly start: number;
  readonly end: number;
  readonly kind: 'object' | 'array' | 'other';
  readonly children: readonly JsonChild[];
}

interface JsonChild {
  readonly key: string;
  /** Where the member begins: its key, or the item. */
  readonly start: number;
  /** Behind the key. */
  readonly keyEnd: number;
  readonly node: JsonNode;
}

/** The text after the edits, one after the other. An edit of a place that is not there changes nothing. */
export function editJson(text: string, edits: readonly Edit[]): string {
  return edits.reduce(editOnce, text);
}

/** The names in a JSON Pointer. */
export function pointerNames(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The JSON Pointer of a path. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function editOnce(text: string, edit: Edit): string {
  const names = pointerNames(edit.at);
  const key = names.pop();
  const root = nodeAt(text, skipBlanks(text, 0));
  const parent = names.reduce<JsonNode | undefined>((node, name) => node && childOf(node, name)?.node, root);
  if (parent === undefined || key === undefined) return edit.op === 'set' ? setBelow(text, edit) : text;
  const child = childOf(parent, key);
  if (edit.op === 'set') {
    if (child !== undefined) return spliced(text, child.node.start, child.node.end, inline(edit.value));
    const hasPlace = parent.kind === 'array' || (parent.kind === 'object' && key !== '-');
    return !hasPlace ? text : withChild(text, parent, key, edit.value);
  }
  if (child === undefined) return text;
  if (edit.op === 'remove') return withoutChild(text, parent, child);
  return spliced(text, child.start, child.keyEnd, JSON.stringify(edit.to));
}

/** Sets a member of an object that is not there yet. */
function setBelow(text: string, { at, value }: Extract<Edit, { op: 'set' }>): string {
  const [key = ''] = pointerNames(at).slice(-1);
  const above = at.slice(0, at.lastIndexOf('/'));
  return above === '' ? text : editOnce(text, { op: 'set', at: above, value: { [key]: value } });
}

function childOf({ kind, children }: JsonNode, name: string): JsonChild | undefined {
  // Of two members of one name JSON.parse takes the last.
  return kind === 'array' ? children[Number(name)] : children.findLast(({ key }) => key === name);
}

function withChild(text: string, parent: JsonNode, key: string, value: unknown): string {
  const said = parent.kind === 'array' ? inline(value) : `${JSON.stringify(key)}: ${inline(value)}`;
  const last = parent.children.at(-1);
  if (last === undefined)
    return spliced(text, parent.start, parent.end, parent.kind === 'array' ? `[${said}]` : `{ ${said} }`);
  const before = text.slice(0, last.start).match(/\r?\n[ \t]*$/)?.[0] ?? ' ';
  return spliced(text, last.node.end, last.node.end, `,${before}${said}`);
}

function withoutChild(text: string, { children }: JsonNode, child: JsonChild): string {
  const index = children.indexOf(child);
  const before = children[index - 1];
  if (before !== undefined) return spliced(text, before.node.end, child.node.end, '');
  const after = children[index + 1];
  return spliced(text, child.start, after === undefined ? child.node.end : after.start, '');
}

function spliced(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** In one line, as this project writes JSON. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${inline(one)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function skipBlanks(text: string, at: number): number {
  let here = at;
  while (here < text.length && ' \t\r\n\uFEFF'.includes(text.charAt(here))) here++;
  return here;
}

/** The value that begins there. The text is JSON: whoever calls has parsed it. */
function nodeAt(text: string, start: number): JsonNode {
  const first = text.charAt(start);
  if (first === '{' || first === '[') return listAt(text, start, first === '{' ? 'object' : 'array');
  return {
    start,
    end: first === '"' ? stringEnd(text, start) : scalarEnd(text, start),
    kind: 'other',
    children: [],
  };
}

function listAt(text: string, start: number, kind: 'object' | 'array'): JsonNode {
  const children: JsonChild[] = [];
  let here = skipBlanks(text, start + 1);
  while (!'}]'.includes(text.charAt(here))) {
    const begin = here;
    const keyEnd = kind === 'object' ? stringEnd(text, begin) : begin;
    const key =
      kind === 'object' ? (JSON.parse(text.slice(begin, keyEnd)) as string) : String(children.length);
    const node = nodeAt(text, kind === 'object' ? skipBlanks(text, skipBlanks(text, keyEnd) + 1) : begin);
    children.push({ key, start: begin, keyEnd, node });
    here = skipBlanks(text, node.end);
    if (text.charAt(here) === ',') here = skipBlanks(text, here + 1);
  }
  return { start, end: here + 1, kind, children };
}

function stringEnd(text: string, start: number): number {
  let here = start + 1;
  while (text.charAt(here) !== '"') here += text.charAt(here) === '\\' ? 2 : 1;
  return here + 1;
}

function scalarEnd(text: string, start: number): number {
  let here = start;
  while (here < text.length && !/[\s,\]}]/.test(text.charAt(here))) here++;
  return here;
}
