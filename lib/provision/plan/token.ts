// The token of a plan: a digest of each part of what was read. With it `apply` refuses another state, and names what has moved.
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

/** Tokens with other parts have another beginning: those with `p2.` do not say of which pipeline they are. */
const TOKEN_START = 'p3.';
/** In characters of base64url: 132 bits of the whole, 48 of each part, which only has to name it. */
const WHOLE_LENGTH = 22;
const PART_LENGTH = 8;
/** Own field groups come after the fixed parts. */
const WHOLE_TOKEN = new RegExp(
  `^p3\\.[\\w-]{${WHOLE_LENGTH}}\\.(?:[\\w-]{${PART_LENGTH}}){${TOKEN_PARTS.length},}$`,
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

function digestsIn(token: string): string[] {
  return token.slice(TOKEN_START.length + WHOLE_LENGTH + 1).match(new RegExp(`.{${PART_LENGTH}}`, 'g')) ?? [];
}

/** The own field groups by their digests, in an order of their own. */
function groupDigests(state: PlanState): Map<string, TokenPart> {
  const parts = Object.keys(state).filter((part) => part.startsWith('field-group:')) as TokenPart[];
  return new Map(parts.sort().map((part) => [partDigest(part, state[part]), part]));
}

function partDigest(part: TokenPart, value: unknown): string {
  return sha256(`${part} ${orderedJson(value)}`);
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
