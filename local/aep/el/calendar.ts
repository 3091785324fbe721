// Counts weeks and days, by the UTC fields of a date that holds local time.

const DAY = 86_400_000;

/** 1 to 366. */
export function dayOfYear(wall: Date): number {
  return Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0, 1)) / DAY) + 1;
}

/** 1 is Monday, 7 is Sunday. */
export function dayOfWeek(wall: Date): number {
  return wall.getUTCDay() || 7;
}

/** The ISO week and the year it belongs to: the first week is the one with the year's first Thursday. */
export function isoWeek(wall: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(wall.getTime() + (4 - dayOfWeek(wall)) * DAY);
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

/** Weeks begin on Monday; the month's first is the one with its first Thursday, as ISO has it for the year. */
export function weekOfMonth(wall: Date): number {
  const first = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), 1));
  const before = dayOfWeek(first) - 1;
  return Math.floor((wall.getUTCDate() - 1 + before) / 7) + (before > 3 ? 0 : 1);
}

/** 1 to 4. */
export function quarter(wall: Date): number {
  return Math.floor(wall.getUTCMonth() / 3) + 1;
}
