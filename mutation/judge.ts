// Reads Stryker's report: what became of each mutant, and which survivors nobody has explained.

/** What is looked at of a report. https://github.com/stryker-mutator/mutation-testing-elements/tree/master/packages/report-schema */
export interface Report {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: readonly Reported[] }>
  >;
}

interface Reported {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

/** Both count from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Mutant {
  readonly status: string;
  /** `file:line`. */
  readonly at: string;
  /** The whole lines it is in, and what it makes of them, each in one line. */
  readonly from: string;
  readonly to: string;
}

/** Why a survivor may live: no user could tell the difference. */
export interface Explained {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export function mutantsOf({ files }: Report): Mutant[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants.map(({ status, location: { start, end }, replacement = '' }) => {
      const first = lines[start.line - 1] ?? '';
      const last = lines[end.line - 1] ?? '';
      return {
        status,
        at: `${file}:${start.line}`,
        from: inOneLine(lines.slice(start.line - 1, end.line).join(' ')),
        to: inOneLine(first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1)),
      };
    });
  });
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Stryker stops a mutant that runs for ever, and cannot run one that breaks the file: either is noticed. */
const NOTICED = ['Killed', 'Timeout', 'RuntimeError'];

/** Survivors without a reason, and reasons for what does not survive (any more). Both are to be mended. */
export function judge(mutants: readonly Mutant[], explained: readonly Explained[]) {
  const same = (one: Explained | Mutant) => (other: Explained | Mutant) =>
    one.from === other.from && one.to === other.to;
  const survivors = mutants.filter(({ status }) => !NOTICED.includes(status));
  return {
    noticed: mutants.length - survivors.length,
    explained: survivors.filter((one) => explained.some(same(one))).length,
    open: survivors.filter((one) => !explained.some(same(one))),
    stale: explained.filter((one) => !survivors.some(same(one))),
  };
}
