// Where a running `penstock dev` answers: a file in the folder in which it was started, for the commands that come later.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGE } from './stage.ts';

/** All keys are fake. */
export interface Address {
  readonly version: 1;
  /** Of the process. */
  readonly pid: number;
  /** All of the local AWS: for `AWS_ENDPOINT_URL`. */
  readonly awsUrl: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly stage: string;
  readonly platformUrl: string;
  /** How long a new flow warms up. */
  readonly warmUpSeconds: number;
}

/** What of a stack the address tells. */
interface Addressed {
  readonly awsUrl: string;
  readonly aws: { readonly env: Readonly<Record<string, string>> };
  readonly platform: { readonly origin: string };
}

export function addressOf({ awsUrl, aws, platform }: Addressed, warmUpSeconds: number): Address {
  return {
    version: 1,
    pid: process.pid,
    awsUrl,
    region: aws.env.AWS_REGION ?? '',
    accessKeyId: aws.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: aws.env.AWS_SECRET_ACCESS_KEY ?? '',
    stage: STAGE,
    platformUrl: platform.origin,
    warmUpSeconds,
  };
}

const fileIn = (folder: string) => join(folder, '.penstock', 'dev.json');

/** @returns what takes the file away again, where it is still this one */
export async function writeAddress(folder: string, address: Address): Promise<() => Promise<void>> {
  await mkdir(join(folder, '.penstock'), { recursive: true });
  await writeFile(fileIn(folder), `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600 });
  return async () => {
    const kept = await keptIn(folder);
    if (kept?.pid === address.pid) await rm(fileIn(folder), { force: true });
  };
}

/** `undefined` where none runs: a file of one that was killed counts for nothing. */
export async function readAddress(folder: string): Promise<Address | undefined> {
  const address = await keptIn(folder);
  if (address?.version !== 1 || !isAlive(address.pid)) return undefined;
  const isThere = await fetch(`${address.platformUrl}/_simulator/`).then(
    // It may want a token, which no other command needs.
    (answer) => answer.ok || answer.status === 401,
    () => false,
  );
  return isThere ? address : undefined;
}

async function keptIn(folder: string): Promise<Address | undefined> {
  try {
    return JSON.parse(await readFile(fileIn(folder), 'utf8')) as Address;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
