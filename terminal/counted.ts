// Counts for people.

/** `1,234` in every language of the machine; a part of one is rounded. */
export function counted(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
