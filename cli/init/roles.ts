// What a record is: an event with a time, and with a kind where it has one; else what is known of somebody or something.
import { decide, isLeft } from './fields.ts';
import { type Class, plainName } from './known.ts';
import type { Roles } from './rows.ts';
import { formCount, kindCount, kindsOf, type Node } from './tally.ts';

/** Names of the time at which something happened. The first is the best. */
const TIMES = [
  ...[
    'timestamp',
    'eventtime',
    'eventtimestamp',
    'occurredat',
    'eventdate',
    'happenedat',
    'time',
    'ts',
    'at',
  ],
  ...[
    'datetime',
    'date',
    'placedat',
    'orderedat',
    'purchasedat',
    'orderdate',
    'sentat',
    'receivedat',
    'measuredat',
  ],
  ...['recordedat', 'loggedat', 'starttime', 'startedat', 'viewedat', 'clickedat'],
];

/** Names of a time that a record keeps of itself: beside a kind it is that of an event. */
const OF_RECORDS = ['createdat', 'created', 'createdtime', 'creationtime', 'createdon', 'createtime'];

/** Names of what happened. */
const KINDS = [
  ...['eventtype', 'eventname', 'event', 'type', 'kind', 'action', 'activity', 'verb', 'topic', 'detailtype'],
  ...['activitytype', 'actiontype', 'recordtype', 'messagetype', 'category'],
];

/** More kinds than these are no kinds but names. */
const MAX_DEPTH = 2;

export interface Said {
  readonly roles: Roles;
  /** Why it is of this class, for the report. */
  readonly why: string;
}

/** The class of the records, by whether they have a time and a kind. */
export function rolesOf(root: Node): Said {
  const all = fieldsOf(root, [], root.count);
  const kind = best(
    all.filter(({ node }) => isKind(node)),
    KINDS,
  );
  const times = all.filter(({ steps, node }) => isTime(steps.at(-1) ?? '', node));
  const time = best(times, TIMES) ?? (kind === undefined ? undefined : best(times, OF_RECORDS));
  if (time === undefined) {
    const why = kind === undefined ? 'no time and no kind' : `a kind (${kind.join('.')}) and no time`;
    return { roles: { class: 'profile' satisfies Class }, why: `${why} in every record` };
  }
  const what = kind === undefined ? 'no kind' : `a kind (${kind.join('.')})`;
  const why = `a time (${time.join('.')}) and ${what} in every record`;
  return { roles: { class: 'experienceevent' satisfies Class, time, kind }, why };
}

interface Place {
  readonly steps: readonly string[];
  readonly node: Node;
}

/** Fields that every record has, and never null; those of objects as well. */
function fieldsOf(node: Node, steps: readonly string[], all: number): Place[] {
  if (steps.length > MAX_DEPTH || node.members === undefined) return [];
  return [...node.members].flatMap(([name, member]) => {
    if (member.count !== all || kindCount(member, 'null') > 0 || name === '') return [];
    const own = [...steps, name];
    return [{ steps: own, node: member }, ...fieldsOf(member, own, all)];
  });
}

/** By the order of the names; of two with one name the one nearer to the record's beginning. */
function best(places: readonly Place[], names: readonly string[]): readonly string[] | undefined {
  for (const name of names) {
    const found = places.filter(({ steps }) => plainName(steps.at(-1) ?? '') === name);
    const [nearest] = found.toSorted((one, other) => one.steps.length - other.steps.length);
    if (nearest !== undefined) return nearest.steps;
  }
  return undefined;
}

function isKind(node: Node): boolean {
  const kinds = kindsOf(node);
  return kinds.length === 1 && kinds[0] === 'text' && formCount(node, 'empty') === 0;
}

/** Whether every value is a time that a field of a time takes. */
function isTime(name: string, node: Node): boolean {
  const decision = decide(name, node);
  if (isLeft(decision)) return false;
  return (
    (decision.field.format === 'date-time' || decision.field.format === 'date') &&
    formCount(node, 'empty') === 0
  );
}
