// The file of `--faults`: one fault, a list, or a run with its seed as the simulated platform tells it.
import { readFile } from 'node:fs/promises';
import { unreadable } from '../../terminal/mistake.ts';
import { type FaultRun, runOf } from '../aep/faults.ts';
import { UsageError } from './options.ts';

/** Read before anything is made: a mistake in it should not cost a provisioning. @throws MistakeError `USAGE`, `FILE_UNREADABLE` */
export async function readFaults(file: string | undefined): Promise<FaultRun> {
  if (file === undefined) return { faults: [] };
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(`--faults: ${file}`, error);
  });
  try {
    return runOf(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`--faults: ${file}: ${(error as Error).message}`);
  }
}
