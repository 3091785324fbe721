// Whether records are read and kept: the stream, its trigger, its retention, the published pipeline, the
// dead-letter store.

import type { StreamDescription } from '../runtime.ts';
import { ok, type Said, unknown, wrong } from './check.ts';
import type { Patient } from './patient.ts';

export async function stream({ runtime, streamArn, manifest }: Patient): Promise<Said> {
  const arn = await streamArn();
  const found = await runtime.streams.describe(arn);
  const { state, retentionHours } = found;
  // A stream in state UPDATING is read and written as usual.
  if (state !== 'ACTIVE' && state !== 'UPDATING')
    return wrong(`${arn} is ${state}`, 'Wait until it is active, or create it again.');
  const said = `${arn} is ${state}, ${streamKind(found)}, and keeps ${retentionHours} h`;
  const { source } = manifest();
  // Somebody can switch it at any time, also after the plan.
  if (found.distribution !== 'AUTO' || source.kind !== 'inlet' || source.order !== 'strict') return ok(said);
  return wrong(
    `${said}; "order": "strict" has no meaning there: records of one key come from several shards`,
    'Switch the stream to USER_PARTITION_KEY, or set "order" to "key".',
  );
}

function streamKind({ mode, distribution }: StreamDescription): string {
  if (distribution === 'AUTO')
    return 'on-demand, distributes its records by itself (AUTO: a key places none)';
  return mode === 'ON_DEMAND' ? 'on-demand, places records by their keys' : 'provisioned';
}

export async function published({ published }: Patient): Promise<Said> {
  const { flowId, publishedAt } = await published();
  return ok(`the flow ${flowId}, since ${publishedAt}`);
}

export async function triggerCheck({ trigger }: Patient): Promise<Said> {
  const found = await trigger();
  if (found === undefined) return wrong('there is none', 'Provision the pipeline again, which makes it.');
  const { id, state, lastResult = 'nothing', lastFailed, changedAt } = found;
  const since = changedAt === undefined ? '' : ` since ${new Date(changedAt).toISOString()}`;
  const said = `${id} is ${state}${since}; its last result: ${lastResult.slice(0, 200)}`;
  if (state === 'changing') return wrong(said, 'Wait: that passes by itself.');
  if (state === 'off') return wrong(said, 'Provision the pipeline again, which switches it on.');
  if (lastFailed !== true) return ok(said);
  return wrong(said, "Look into the forwarder's log: its last error says what to do.");
}

/** A record that the stream drops before Lambda discards it is lost without a trace. */
export async function recordAge({ runtime, streamArn, trigger }: Patient): Promise<Said> {
  const age = (await trigger())?.maximumRecordAgeSeconds;
  if (age === undefined) return unknown('not checked: there is no trigger');
  const { retentionHours } = await runtime.streams.describe(await streamArn());
  const said =
    age < 0 ? 'never discarded by Lambda' : `discarded by Lambda after ${(age / 3_600).toFixed(1)} h`;
  if (age >= 0 && age < retentionHours * 3_600)
    return ok(`a record is ${said}, and kept in the stream for ${retentionHours} h`);
  return wrong(
    `a record is ${said}, and gone from the stream after ${retentionHours} h: then it is lost without a trace`,
    'Extend the retention of the stream, or delete the trigger and provision again.',
  );
}

const DAY_MS = 86_400_000;

/**
 * Whether the store can be listed, and whether it holds anything. Objects in it are no fault of the pipeline.
 */
export async function deadLetters({ runtime, record }: Patient): Promise<Said> {
  const since = new Date(runtime.clock.now() - DAY_MS).toISOString();
  const [rejected, givenUp] = await Promise.all([
    runtime.deadLetters.list({ kind: 'rejected', pipeline: record.pipeline, since }),
    runtime.deadLetters.list({ kind: 'on-failure' }),
  ]);
  const count = ({ objects, more }: { objects: readonly unknown[]; more: boolean }) =>
    `${objects.length}${more ? ' or more' : ''}`;
  return ok(
    `it can be read; ${count(rejected)} objects of this pipeline since yesterday, ${count(givenUp)} of batches that Lambda discarded`,
  );
}
