// The report of an execution: the one that it has left, or, while it runs, what can be told so far.
import { Pipeline, Report } from '../../lib/pipeline.ts';
import { reportOf } from '../../lib/provision/steps/report.ts';
import { deedOf, type Entry, listedIn, plannedWord } from '../../terminal/report.ts';
import type { Execution } from '../aws/executions.ts';
import type { RunResource, ToldReport } from './told.ts';

// A document never changes: each is read once.
const reports = new WeakMap<object, { readonly report: Report | undefined }>();

/** `undefined` before there is a plan, and of one that was refused before it had begun. */
export function reportIn({ document, startDate }: Execution): Report | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const known = reports.get(document);
  if (known !== undefined) return known.report;
  const found = { report: read(document, startDate.getTime()) };
  reports.set(document, found);
  return found.report;
}

function read(document: object, startedAt: number): Report | undefined {
  const { report } = document as { readonly report?: unknown };
  const left = Report.safeParse(report);
  if (left.success) return left.data;
  const pipeline = Pipeline.safeParse(document);
  return pipeline.success ? reportOf(pipeline.data, startedAt) : undefined;
}

/** How long the document says that its waits take, in seconds. */
export function waitsIn({ document }: Execution): Readonly<Record<string, number>> {
  const { waitSeconds = 0, drainSeconds = 0 } = { ...(document as Partial<Pipeline> | undefined) };
  return { 'warm-up': waitSeconds, drain: drainSeconds };
}

/** A plan or a report as the page shows it. Without one it is empty. */
export function toldReport(report: Report | undefined): ToldReport {
  const { old = [], warnings = [], verified = [], next = [], summary, token } = { ...report };
  return {
    resources: report === undefined ? [] : listedIn(report).map(resourceOf),
    old: old.map(({ resource, id }) => `${resource} ${id}`),
    warnings,
    verified,
    next,
    ...(summary !== undefined && { summary }),
    ...(token !== undefined && { token }),
  };
}

function resourceOf(entry: Entry): RunResource {
  const { resource, planned, name, id, why, differences = [], irreversible } = entry;
  return {
    resource,
    planned,
    plan: plannedWord(planned),
    done: deedOf(entry),
    name,
    ...(id !== undefined && id !== name && { id }),
    why,
    differences,
    ...(irreversible !== undefined && { irreversible }),
    isReadTwice: entry.readTwice === true,
  };
}
