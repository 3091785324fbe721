// The token of a plan: of each part of what was read a digest, and a letter for what was there. With it `apply` refuses another state, and
// says what has moved.
import { createHash } from 'node:crypto';
import { RESOURCE_KEYS } from '../../pipeline.ts';

/** Where a plan was made, and of what: all else follows from it. */
export const PLACE_PARTS = ['stage', 'organization', 'sandbox', 'pipeline', 'stream'] as const;

/**
 * The parts of a token in their order. Own field groups come after them. `resources` of the plan have their own names;
 * `flow-state` is the state of the dataflow alone, and `execution` the last one that succeeded.
 */
export const TOKEN_PARTS = [
  ...PLACE_PARTS,
  'manifest',
  'samples',
  'execution',
  'applied',
  'old',
  'routes',
  'flow-state',
  ...RESOURCE_KEYS,
  'publish',
  'trigger',
] as const;

export type TokenPart = (typeof TOKEN_PARTS)[number] | `field-group:${string}`;

/**
 * What is another than when a token was made. `version`: another version of Penstock made it; `form`: it is cut off.
 * Nothing of either can be compared.
 */
export type MovedPart = TokenPart | 'version' | 'form';

/** Each part with all of it that decides what is done. What is absent counts as nothing. */
export type PlanState = Readonly<Partial<Record<TokenPart, unknown>>>;

/** What there was of a part: what was planned for a resource, the state of a dataflow, or whether there was anything. */
const PART_LETTERS = {
  nothing: '0',
  something: '1',
  keep: 'k',
  create: 'c',
  adopt: 'a',
  update: 'u',
  replace: 'r',
  remove: 'd',
  conflict: 'x',
  enabled: 'E',
  disabled: 'D',
  draft: 'F',
} as const;
export type PartSeen = keyof typeof PART_LETTERS;
const SEEN_BY_LETTER = new Map(
  Object.entries(PART_LETTERS).map(([seen, letter]) => [letter as string, seen as PartSeen]),
);

/** Tokens of another form have another beginning: those with `p3.` do not say what there was. */
const TOKEN_START = 'p4.';
/** In characters of base64url: 132 bits of the whole. A part has its letter and 42 bits, which only have to name it. */
const WHOLE_LENGTH = 22;
const PART_LENGTH = 8;
/** Own field groups come after the fixed parts. */
const WHOLE_TOKEN = new RegExp(
  `^p4\\.[\\w-]{${WHOLE_LENGTH}}\\.(?:[\\w-]{${PART_LENGTH}}){${TOKEN_PARTS.length},}$`,
);

/** The same state gives the same token, whatever the order of members. It holds digests alone, and grants nothing. */
export function planToken(state: PlanState): string {
  const digests = [
    ...TOKEN_PARTS.map((part) => partDigest(part, state[part])),
    ...groupDigests(state).keys(),
  ];
  return `${TOKEN_START}${sha256(digests.join('.')).slice(0, WHOLE_LENGTH)}.${digests.map((one) => one.slice(0, PART_LENGTH)).join('')}`;
}

/** What differs between the state that a token was made of and another one; empty if nothing does. */
export function movedParts(token: string, state: PlanState): MovedPart[] {
  if (token === planToken(state)) return [];
  if (!token.startsWith(TOKEN_START)) return ['version'];
  if (!WHOLE_TOKEN.test(token)) return ['form'];
  const then = digestsIn(token);
  const fixed = TOKEN_PARTS.filter(
    (part, at) => partDigest(part, state[part]).slice(0, PART_LENGTH) !== then[at],
  );
  const groups = then.slice(TOKEN_PARTS.length);
  const own = [...groupDigests(state)].filter(([digest]) => !groups.includes(digest.slice(0, PART_LENGTH)));
  const moved = [...fixed, ...own.map(([, part]) => part)];
  return moved.length > 0 ? moved : ['manifest'];
}

/** What there was of a part when a whole token was made; `undefined` of an own field group that has no place in it. */
export function seenThen(token: string, part: TokenPart, state: PlanState): PartSeen | undefined {
  const then = digestsIn(token);
  const groups = [...groupDigests(state).values()];
  const at = [...TOKEN_PARTS, ...groups].indexOf(part);
  // Their names are not in the token: only the same number of them has the same order.
  if (at >= TOKEN_PARTS.length && then.length !== TOKEN_PARTS.length + groups.length) return undefined;
  return SEEN_BY_LETTER.get(then[at]?.charAt(0) ?? '');
}

/** What there is of a part of this state. */
export function seenIn(part: TokenPart, value: unknown): PartSeen {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'nothing';
  const { action, found } = { ...(value as { readonly action?: unknown; readonly found?: unknown } | null) };
  const seen = part === 'flow-state' ? (found as { readonly state?: unknown } | undefined)?.state : action;
  if (seen === 'none' || (part === 'flow-state' && seen === undefined)) return 'nothing';
  return typeof seen === 'string' && Object.hasOwn(PART_LETTERS, seen) ? (seen as PartSeen) : 'something';
}

function digestsIn(token: string): string[] {
  return token.slice(TOKEN_START.length + WHOLE_LENGTH + 1).match(new RegExp(`.{${PART_LENGTH}}`, 'g')) ?? [];
}

/** The own field groups by their digests, in an order of their own. */
function groupDigests(state: PlanState): Map<string, TokenPart> {
  const parts = Object.keys(state).filter((part) => part.startsWith('field-group:')) as TokenPart[];
  return new Map(parts.sort().map((part) => [partDigest(part, state[part]), part]));
}

function partDigest(part: TokenPart, value: unknown): string {
  return `${PART_LETTERS[seenIn(part, value)]}${sha256(`${part} ${orderedJson(value)}`)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** JSON with the members of every object in one order. */
function orderedJson(value: unknown): string {
  const ordered = (_: string, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one;
  return JSON.stringify(value, ordered) ?? 'nothing';
}
