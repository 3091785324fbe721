// The soak's report in Markdown: what was written, what went wrong meanwhile, and what became of it.
import { cpus } from 'node:os';
import type { SoakResult } from './soak.ts';

export function reportOf(result: SoakResult): string {
  const { options, findings, struck, kills, wrong } = result;
  const strikes = struck.reduce((sum, { times }) => sum + times, 0);
  const rate = findings.written / result.seconds;
  return [
    `${count(findings.written)} records (seed ${options.seed}) in ${Math.round(result.seconds)} s, ${count(rate)} records/s with everything that follows; ${machine()}.`,
    '',
    ...table(
      ['what became of them', 'records'],
      [
        ['landed', findings.landed],
        ['in the dead-letter store', findings.kept],
        ['of these sound, but refused by a fault again and again', findings.refusedThoughSound],
        ['**lost**: in neither', findings.lost],
        ['**phantom**: nobody wrote them', findings.phantoms],
        ['**altered**: other bytes than were written (SHA-256)', findings.altered],
        ['where they must not be', findings.misplaced],
        ['duplicates, all identical', findings.duplicates],
        ['as many as the faults and kills below can explain', result.bound],
        ['the most rows of one record', findings.mostCopies],
      ],
    ),
    '',
    ...table(
      ['what happened meanwhile', 'times'],
      [
        ['requests to the inlets', result.requests],
        ['megabytes in them', result.bytes / 1_000_000],
        ['faults in them, in all', strikes],
        ['messages taken whose answer did not say so', findings.unacknowledged],
        ['invocations', result.invocations],
        ['processes of the forwarder killed (SIGKILL)', kills.processes],
        ['invocations that died with them', kills.invocations],
        ['messages handed over again by Lambda', result.redelivered],
        ['rejects stored a second time', findings.storedAgain],
        ['megabytes that the largest process of the forwarder held', result.peakMemoryBytes / 1_048_576],
      ],
    ),
    '',
    `Faults: ${struck.map(({ name, times }) => `${name} ${count(times)}`).join('; ')}.`,
    '',
    `Rejected: ${[...findings.reasons].map(([reason, times]) => `${reason} ${count(times)}`).join('; ')}.`,
    '',
    wrong.length === 0 ? 'Nothing is wrong.' : ['WRONG:', ...wrong, ...findings.examples].join('\n- '),
  ].join('\n');
}

function table(head: readonly [string, string], rows: readonly (readonly [string, number])[]): string[] {
  return [rowOf(head), rowOf(['---', '---:']), ...rows.map(([what, value]) => rowOf([what, count(value)]))];
}

export function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function machine(): string {
  return `${process.arch}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}
