// What the measurements come to: goals with their figures, as a table and as a file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Samples } from './measure.ts';
import { type Figure, figureOf, ratioOf, shown } from './statistics.ts';
import type { Candidate } from './world.ts';

export interface Row {
  readonly what: string;
  readonly figure: Figure;
  /** Whether more or less than `goal` was promised; a figure without a goal is for information. */
  readonly goal?: { readonly at: 'least' | 'most'; readonly value: number };
  readonly unit?: string;
  /** Absolute figures it comes from. */
  readonly detail?: string;
}

const FILE = fileURLToPath(new URL('../.penstock/bench.json', import.meta.url));

export function isMet({ figure, goal }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  return goal.at === 'least' ? figure.median >= goal.value : figure.median <= goal.value;
}

export function print(row: Row): void {
  const { what, figure, goal, unit = '', detail } = row;
  const promised = goal === undefined ? '' : `${goal.at === 'least' ? '≥' : '≤'} ${goal.value}${unit}`;
  const verdict = goal === undefined ? '' : isMet(row) ? 'met' : 'NOT MET';
  console.log(`| ${what} | ${shown(figure)}${unit} | ${promised} | ${verdict} | ${detail ?? ''} |`);
}

export function printHead(): void {
  console.log('| case | median (min–max) | goal | | from |\n| --- | --- | --- | --- | --- |');
}

export function machine(): string {
  const { model } = cpus()[0] ?? { model: 'unknown' };
  return `${model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

export function save(rows: readonly Row[], seconds: number): void {
  mkdirSync(fileURLToPath(new URL('../.penstock/', import.meta.url)), { recursive: true });
  const measured = { date: new Date().toISOString(), machine: machine(), seconds };
  const results = rows.map((row) => ({ ...row, met: isMet(row) }));
  writeFileSync(FILE, `${JSON.stringify({ ...measured, results }, null, 2)}\n`);
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
  const [own, others] = [rates('penstock'), rates(other)];
  return {
    what,
    figure: ratioOf(own, others),
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
