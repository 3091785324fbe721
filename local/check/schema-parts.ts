// The class and the field groups of a manifest's schema, offline: what is known of them here, in AEP only, and nowhere.
import { CLASSES, FIELD_GROUPS, idOf, type OwnSchema } from '../../lib/manifest.ts';
import { didYouMeanId } from '../../lib/nearest.ts';
import { arrayAt } from '../aep/json.ts';
import { namedOnly, type Standard } from '../aep/xdm/standard.ts';

export interface PartsSaid {
  /** What no organization has. */
  readonly mistakes: readonly string[];
  /** What AEP may refuse. */
  readonly warnings: readonly string[];
  /** Adobe's, whose fields are in a checkout of its repository. */
  readonly elsewhere: readonly string[];
  /** Whose fields are known in AEP only. */
  readonly inAep: readonly string[];
}

interface Part {
  /** Its place in the manifest. */
  readonly at: string;
  readonly kind: 'classes' | 'mixins';
  readonly id: string;
}

/** Adobe's public XDM: its repository has all of it. What products and organizations have of their own lies elsewhere. */
const PUBLIC = 'https://ns.adobe.com/xdm/';

const ELSEWHERE = "is Adobe's, and its fields are known with --xdm DIR (a checkout of github.com/adobe/xdm)";

const WORDS = { classes: 'class', mixins: 'field group', datatypes: 'data type' };

/** Each line names its path in the manifest, what was found there, and what was expected. */
export function saidOfParts(schema: OwnSchema, xdm: Standard): PartsSaid {
  const parts = partsOf(schema);
  const unknown = parts.filter(({ kind, id }) => xdm.find(kind, id) === undefined);
  const nowhere = unknown.filter((part) => isNowhere(part, xdm));
  return {
    mistakes: nowhere.map((part) => `${part.at}: found "${part.id}"; expected ${expectedOf(part, xdm)}`),
    warnings: parts.flatMap((part) => misplaced(part, idOf(schema.class, CLASSES), xdm)),
    elsewhere: unknown
      .filter((part) => !nowhere.includes(part) && isNamed(part))
      .map(({ at, id }) => `${at}: ${id}: ${ELSEWHERE}`),
    inAep: unknown
      .filter((part) => !nowhere.includes(part) && !isNamed(part))
      .map((part) => `${part.at}: ${part.id}: known in AEP only${meant(part, xdm)}`),
  };
}

function partsOf(schema: OwnSchema): Part[] {
  return [
    { at: 'schema.class', kind: 'classes', id: idOf(schema.class, CLASSES) },
    ...schema.fieldGroups.flatMap((group, index) =>
      typeof group === 'string'
        ? [{ at: `schema.fieldGroups.${index}`, kind: 'mixins' as const, id: idOf(group, FIELD_GROUPS) }]
        : [],
    ),
  ];
}

/** What is something else is no part; and of what is public, all is known to be there. */
function isNowhere(part: Part, xdm: Standard): boolean {
  if (otherKind(part, xdm) !== undefined) return true;
  return part.id.startsWith(PUBLIC) && !isNamed(part);
}

function isNamed({ kind, id }: Part): boolean {
  return namedOnly(kind).includes(id);
}

function expectedOf(part: Part, xdm: Standard): string {
  const is = otherKind(part, xdm);
  const expected = `the $id of a ${WORDS[part.kind]}`;
  return is === undefined ? `${expected}${meant(part, xdm)}` : `${expected}, and not of a ${WORDS[is]}`;
}

/** What it is, where it is no class or field group as the manifest has it. */
function otherKind({ kind, id }: Part, xdm: Standard): keyof typeof WORDS | undefined {
  const others = (['classes', 'mixins', 'datatypes'] as const).filter((one) => one !== kind);
  return others.find((one) => xdm.find(one, id) !== undefined);
}

function meant({ kind, id }: Part, xdm: Standard): string {
  return didYouMeanId(id, [...xdm.all(kind).map(({ $id }) => String($id)), ...namedOnly(kind)]);
}

/** What the interface of AEP does not offer for a class. Whether the API refuses it is not documented. */
function misplaced({ at, kind, id }: Part, own: string, xdm: Standard): string[] {
  const classes = arrayAt(xdm.find(kind, id), 'meta:intendedToExtend');
  if (classes.length === 0 || classes.includes(own) || xdm.find('classes', own) === undefined) return [];
  return [`${at}: found "${id}", which is for ${classes.join(', ')}; expected a field group for ${own}`];
}
