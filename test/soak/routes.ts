// The routes of a routed soak, and the producer's fields by which they choose: one takes all, some share the kinds
// among them, and one takes a region, whatever the kind.
import type { Random } from './records.ts';

export interface SoakRoute {
  readonly name: string;
  readonly sandbox: string;
  readonly where: readonly { readonly field: string; readonly equals: string }[] | undefined;
  /** Whether it is for this route, by the fields that its producer gave it. */
  takes(fields: RoutingFields): boolean;
}

export interface RoutingFields {
  readonly kind: string;
  readonly region: string;
}

export const SANDBOXES = ['dev1', 'dev2'] as const;

const KINDS = ['order', 'visit', 'signup', 'return', 'review', 'search'] as const;
const REGIONS = ['eu', 'us', 'apac'] as const;

/** @param count from 3 to 8; the second one is the route that refuses for a while, the third one parks */
export function soakRoutes(count: number): readonly SoakRoute[] {
  if (count < 3 || count > KINDS.length + 2) throw new RangeError(`from 3 to ${KINDS.length + 2} routes`);
  const kinds = KINDS.slice(0, count - 2);
  return [
    route('soak-all', 0, undefined),
    ...kinds.map((kind, index) => route(`soak-${kind}`, index + 1, { kind })),
    route('soak-eu', count - 1, { region: 'eu' }),
  ];
}

function route(name: string, index: number, wanted: Partial<RoutingFields> | undefined): SoakRoute {
  const entries = Object.entries(wanted ?? {}) as [keyof RoutingFields, string][];
  return {
    name,
    sandbox: SANDBOXES[index % SANDBOXES.length] as string,
    where: wanted && entries.map(([field, equals]) => ({ field: `/${field}`, equals })),
    takes: (fields) => entries.every(([field, equals]) => fields[field] === equals),
  };
}

export function fieldsBy(random: Random): RoutingFields {
  const one = (values: readonly string[]) => values[Math.floor(random() * values.length)] as string;
  return { kind: one(KINDS), region: one(REGIONS) };
}
