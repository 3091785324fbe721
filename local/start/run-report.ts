// The run report as text: what an execution did to each resource and why, and what to do next.
import type { Report } from '../../lib/pipeline.ts';
import { table } from './table.ts';

export function runReportOf(report: Report): string[] {
  const { outcome, summary, execution, durationMs, resources, warnings, verified, steps, failure, next } =
    report;
  const calls = steps.reduce((sum, step) => sum + step.calls, 0);
  const changes = steps.flatMap((step) => step.changes);
  return [
    `Run report: ${outcome}`,
    `  ${summary}`,
    `  execution ${execution.name}, ${(durationMs / 1_000).toFixed(1)} s, ${calls} AEP calls, ${changes.length} of them changes`,
    ...table(
      resources
        .filter(({ done }) => done !== 'none')
        .map(({ resource, planned, done, id, name, why }) => [
          resource,
          deed(planned, done),
          id ?? '',
          name,
          clip(why, 160),
        ]),
    ),
    ...resources.flatMap(({ resource, differences = [] }) =>
      differences.map(
        ({ field, found, wanted }) => `  ${resource}: ${field}: ${clip(found, 100)} → ${clip(wanted, 100)}`,
      ),
    ),
    ...(verified.length === 0 ? [] : [`  verified: ${verified.join(', ')}`]),
    ...warnings.map((warning) => `  Warning: ${warning}`),
    ...(failure === undefined ? [] : [`  ${failure.error}: ${failure.cause}`]),
    ...next.map((one) => `  Next: ${one}`),
  ];
}

/** `keep` and `kept` is one word too many, and what is created for a replacement replaces; what was only planned is not done. */
function deed(planned: string, done: string): string {
  if (done === 'planned') return planned;
  if (planned === 'replace' && done === 'created') return 'replaced';
  const same = planned === 'keep' ? 'kept' : `${planned.replace(/e$/, '')}ed`;
  return same === done ? done : `${planned} → ${done}`;
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
