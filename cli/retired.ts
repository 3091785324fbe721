// Whether a pipeline was taken down before, so that nothing is left to ask for.
import type { Report } from '../lib/pipeline.ts';
import type { Status } from '../lib/provision/status.ts';
import { MistakeError } from '../terminal/mistake.ts';
import type { PipelineFile } from './manifest-file.ts';
import type { Target } from './target.ts';

/** What is not there any more, or never was. */
const GONE: ReadonlySet<string> = new Set(['removed', 'none']);

/**
 * @param deleteData whether what holds data has to be gone, too
 * @returns the report of the execution that has taken it down; `undefined` where something may be left, or is at work
 * @throws MistakeError where the function `status` fails
 */
export async function retiredBefore(
  target: Target,
  { name, sandbox }: PipelineFile,
  deleteData: boolean,
): Promise<Report | undefined> {
  const { running, applied, report: kept } = await statusOf(target, name);
  const report = kept as Report | undefined;
  if (running !== undefined || applied !== false || report?.outcome !== 'retired') return undefined;
  // What is surplus has no line among the resources. If any of it stays, the report advises what to do.
  if (report.sandbox?.name !== sandbox || report.next.length > 0) return undefined;
  // What holds data was kept on purpose; what could not be removed is to be tried again.
  const isLeft = report.resources.some(({ done }) => !GONE.has(done) && (deleteData || done !== 'kept'));
  return isLeft ? undefined : report;
}

/** Nothing where the pipeline is not known: a retirement says that itself. */
async function statusOf(target: Target, pipeline: string): Promise<Partial<Status>> {
  try {
    return (await target.invoke('status', { pipeline })) as Status;
  } catch (error) {
    if (error instanceof MistakeError && error.code === 'EVENT_INVALID') return {};
    throw error;
  }
}
