// What the measurements come to: goals with their figures, as a table and as a file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Samples } from './measure.ts';
import { type Figure, figureOf, ratioOf, shown } from './statistics.ts';
import type { Candidate } from './world.ts';

export interface Row {
  readonly what: string;
  readonly figure: Figure;
  /** Whether more or less than `goal` was promised; a figure without a goal is for information. */
  readonly goal?: { readonly at: 'least' | 'most'; readonly value: number };
  /** What the bound itself comes to: a goal beyond it is nobody's to meet. */
  readonly bound?: number;
  readonly unit?: string;
  /** Absolute figures it comes from. */
  readonly detail?: string;
}

/** The results as JSON, and the table that was printed as Markdown: `.penstock/bench.json` and `.penstock/bench.md`. */
const FILES = fileURLToPath(new URL('../.penstock/bench', import.meta.url));
const HEAD = '| case | median (min–max) | goal | | from |\n| --- | --- | --- | --- | --- |';

/** Nothing where there is no goal, or none that can be met. */
export function isMet({ figure, goal, bound = Number.POSITIVE_INFINITY }: Row): boolean | undefined {
  if (goal === undefined || bound < goal.value) return undefined;
  return goal.at === 'least' ? figure.median >= goal.value : figure.median <= goal.value;
}

function lineOf(row: Row): string {
  const { what, figure, goal, unit = '', detail } = row;
  const promised = goal === undefined ? '' : `${goal.at === 'least' ? '≥' : '≤'} ${goal.value}${unit}`;
  const verdict = goal === undefined ? '' : verdictOf(row);
  return `| ${what} | ${shown(figure)}${unit} | ${promised} | ${verdict} | ${detail ?? ''} |`;
}

function verdictOf(row: Row): string {
  const met = isMet(row);
  if (met === undefined) return `out of reach: the bound itself has ${row.bound?.toFixed(2)}`;
  return met ? 'met' : 'NOT MET';
}

export function print(row: Row): void {
  console.log(lineOf(row));
}

export function printHead(): void {
  console.log(HEAD);
}

export function machine(): string {
  const { model } = cpus()[0] ?? { model: 'unknown' };
  return `${model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** @param run what it took, and how busy the machine was before: processes that ran or waited, the last minute's mean */
export function save(rows: readonly Row[], run: { seconds: number; loadBefore: number }): void {
  mkdirSync(dirname(FILES), { recursive: true });
  const date = new Date().toISOString();
  const results = rows.map((row) => ({ ...row, met: isMet(row) }));
  const json = { date, machine: machine(), ...run, results };
  writeFileSync(`${FILES}.json`, `${JSON.stringify(json, null, 2)}\n`);
  const head = `${date.slice(0, 10)}; ${machine()}; load before ${run.loadBefore.toFixed(1)}; ${run.seconds} s.`;
  writeFileSync(`${FILES}.md`, `${[head, '', HEAD, ...rows.map(lineOf)].join('\n')}\n`);
}

/** How often the forwarder's records per second are the other's. */
export function speedRow(
  what: string,
  samples: Samples,
  other: Candidate,
  perSample: Partial<Record<Candidate, number>>,
  goal?: number,
): Row {
  const rates = (candidate: Candidate) =>
    (samples[candidate] ?? []).map(({ ms }) => (perSample[candidate] ?? Number.NaN) / (ms / 1_000));
  const [own, others, bound] = [rates('penstock'), rates(other), rates('bound')];
  return {
    what,
    figure: ratioOf(own, others),
    ...(bound.length > 0 && { bound: ratioOf(bound, others).median }),
    ...(goal !== undefined && { goal: { at: 'least', value: goal } }),
    detail: `${Math.round(figureOf(own).median)} and ${Math.round(figureOf(others).median)} records/s`,
  };
}

/** The forwarder's share of the processor time that the other takes for the same records. */
export function processorRow(
  what: string,
  samples: Samples,
  other: Candidate,
  records: number,
  goal?: number,
): Row {
  const cpu = (candidate: Candidate) =>
    (samples[candidate] ?? []).map(({ cpuMs }) => (cpuMs / records) * 1_000);
  const [own, others] = [cpu('penstock'), cpu(other)];
  return {
    what,
    figure: ratioOf(own, others),
    ...(goal !== undefined && { goal: { at: 'most', value: goal } }),
    detail: `${figureOf(own).median.toFixed(2)} and ${figureOf(others).median.toFixed(2)} ms per 1,000 records`,
  };
}
