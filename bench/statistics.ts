// Medians and their spread.

export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = sorted.length / 2;
  return {
    median: (at(Math.ceil(middle) - 1) + at(Math.floor(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** Of the quotients of what was measured one right after the other: what slows the machine for a while slows both. */
export function ratioOf(above: readonly number[], below: readonly number[]): Figure {
  return figureOf(above.map((value, round) => value / (below[round] ?? Number.NaN)));
}

/** `1.23 (1.20–1.31)` */
export function shown({ median, min, max }: Figure, digits = 2): string {
  const text = (value: number) => value.toFixed(Math.abs(value) >= 100 ? 0 : digits);
  return `${text(median)} (${text(min)}–${text(max)})`;
}
