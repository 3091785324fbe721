// The file of `--faults`: one fault, a list, or a run with its seed as the simulated platform tells it.
import { readFile } from 'node:fs/promises';
import { type FaultRun, runOf } from '../aep/faults.ts';
import { UsageError } from './options.ts';

/** Read before anything is made: a mistake in it should not cost a provisioning. @throws UsageError that names the file */
export async function readFaults(file: string | undefined): Promise<FaultRun> {
  if (file === undefined) return { faults: [] };
  try {
    return runOf(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new UsageError(`--faults: ${file}: ${(error as Error).message}`);
  }
}
