// Whether something of the pipeline is parked: then its inlet has not taken it for a while.
import type { Ask } from '../ask.ts';
import { streamNameOf } from '../published.ts';
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

const WHAT_TO_DO =
  'Mend what `flow` and `inlet` say, if they say something. Reconcile has it sent within 15 minutes after the inlet answers; a redrive with "source": "parked" sends it now.';
const END_IT =
  'The next run of reconcile ends it, within 15 minutes. A redrive with "source": "parked" ends it now.';

export async function parkedCheck(patient: Patient): Promise<Said> {
  const { runtime, record } = patient;
  const { objects, more } = await runtime.deadLetters.list({ kind: 'parked', pipeline: record.pipeline });
  const since = await queueingSince(patient);
  const [first] = objects;
  if (first === undefined)
    return since === undefined
      ? ok('nothing is parked')
      : wrong(
          `nothing is left of what was parked, and new messages are parked since ${since}`,
          END_IT,
          await sending(patient, 'end it now'),
        );
  const count = more ? `${objects.length} documents or more are` : documentsSaid(objects.length);
  const behind = since === undefined ? '' : `; new messages queue behind them since ${since}`;
  return wrong(
    `${count} parked, the oldest of ${dayOfKey(first.key)}: the inlet did not take them${behind}`,
    WHAT_TO_DO,
    await sending(patient, 'send it now'),
  );
}

/** `undefined` where the stream is not there: another check says so. */
async function sending({ record, streamArn }: Patient, to: string): Promise<Ask | undefined> {
  const stream = await streamArn().catch(() => undefined);
  if (stream === undefined) return undefined;
  return { to, function: 'redrive', event: { stream, pipeline: record.pipeline, source: 'parked' } };
}

/** The first moment (ISO 8601) from which on a shard's new messages are parked; `undefined` if none are. */
async function queueingSince({
  runtime,
  record,
  published,
  streamArn,
}: Patient): Promise<string | undefined> {
  // A pipeline that is not published is another check's finding.
  const parks = await published().then(
    ({ park }) => park !== undefined,
    () => false,
  );
  if (!parks) return undefined;
  const arn = await streamArn();
  const shards = await runtime.stream.shards(arn);
  const kept = await Promise.all(
    shards.map((shardId) => runtime.marks.read({ stream: streamNameOf(arn), shardId })),
  );
  const times = kept.flatMap(({ outages }) => outages.get(record.pipeline)?.parkedSince ?? []);
  return times.length === 0 ? undefined : new Date(Math.min(...times)).toISOString();
}

function documentsSaid(documents: number): string {
  return documents === 1 ? '1 document is' : `${documents} documents are`;
}

/** Keys begin with the day, so the first one has the oldest. */
function dayOfKey(key: string): string {
  return key.split('/').slice(-4, -1).join('-');
}
