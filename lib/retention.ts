// How long AEP keeps the rows of a dataset of events: as a manifest and Catalog write it, and what of it can be compared.

/** Days, months or years, such as `P90D`; `forever` ends what was set before. */
export const RETENTION = /^(P[1-9]\d{0,3}[DMY]|forever)$/;

/** Adobe's page catalog/datasets/experience-event-dataset-retention-ttl-guide: "The minimum TTL for a data lake … is 30 days". */
export const MIN_LAKE_DAYS = 30;

/** Fewest and most days that a period can be; a month has 28 to 31. Nothing where there is no end, or it cannot be read. */
export function daysIn(period: string): { readonly fewest: number; readonly most: number } | undefined {
  const [, count = '', unit = ''] = /^P(\d+)([DMY])$/.exec(period) ?? [];
  const each = { D: [1, 1], M: [28, 31], Y: [365, 366] }[unit];
  if (each === undefined) return undefined;
  const [fewest = 0, most = 0] = each.map((days) => days * Number(count));
  return { fewest, most };
}

/** Whether two periods are the same: a year is twelve months. */
export function isSamePeriod(one: string, other: string): boolean {
  return inMonths(one) === inMonths(other);
}

function inMonths(period: string): string {
  const years = /^P(\d+)Y$/.exec(period)?.[1];
  return years === undefined ? period : `P${Number(years) * 12}M`;
}
