// The report of init: what was seen of each field, what it becomes, and what is left to decide.
import { counted } from '../../terminal/counted.ts';
import type { About } from './build.ts';
import type { Broken, Report } from './init.ts';
import { shownPath } from './names.ts';
import type { Fact } from './rows.ts';

/** `998 of 1,000, 2 null` */
export function evidence({ count, nulls, of }: Fact): string {
  if (of === 0) return '';
  const there = `${counted(count - nulls)} of ${counted(of)}`;
  return nulls > 0 ? `${there}, ${counted(nulls)} null` : there;
}

export const FIELD_HEAD = ['field', 'there', 'is', 'becomes', 'note'] as const;

/** A row for each field, in the order of the records. */
export function fieldRows({ facts }: About): string[][] {
  return facts.map((fact) => [
    fact.path,
    evidence(fact),
    fact.type ?? 'not mapped',
    fact.destination ?? '',
    fact.notes.join('; '),
  ]);
}

const many = (count: number, what: string) => `${counted(count)} ${what}${count === 1 ? '' : 's'}`;

/** What was read, before the pipelines. */
export function readLines(report: Report): string[] {
  const { format, isPacked, records, messages, filtered, isCut, broken, dividedBy, notes } = report;
  return [
    `${many(records, 'record')}, ${many(messages, 'sound message')}${filtered > 0 ? `, ${counted(filtered)} passed over` : ''}${isCut ? '; there are more, which were not looked at' : ''}`,
    ...(isPacked ? ['each record is packed'] : []),
    ...(format === undefined ? [] : [`each record is of the format ${format}`]),
    ...broken.map(brokenLine),
    ...(dividedBy === undefined ? [] : [`${shownPath(dividedBy)} divides the records into shapes`]),
    ...notes,
  ];
}

/** With the lines, so that somebody can look at them. */
export function brokenLine({ reason, count, lines }: Broken): string {
  const more = count > lines.length ? ', …' : '';
  return `${counted(count)} cannot be delivered (${reason}): line ${lines.map(counted).join(', ')}${more}`;
}

/** What is said of a pipeline before its fields. */
export function pipelineLines(about: About): string[] {
  return [
    `class ${about.class}: ${about.why}`,
    ...(about.takes === undefined ? [] : [`takes the records whose ${about.takes}`]),
    ...(about.fieldGroups.length === 0 ? [] : [`field groups of Adobe: ${about.fieldGroups.join(', ')}`]),
    ...about.notes,
  ];
}

/** What may identify somebody. Nothing is made of it: a wrong identity joins strangers for good. */
export function identityLines({ identities }: About): string[] {
  return identities.map(({ path, why }) => `may be an identity: ${path} (${why})`);
}
