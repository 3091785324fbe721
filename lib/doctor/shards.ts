// Which of a stream's routes has held a shard lately, by what the forwarder logged of its last invocations.
import { streamNameOf } from '../published.ts';
import { parseRouteList } from '../route-list.ts';
import type { WaitingShard } from '../runtime.ts';
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

/** An invocation ends within a minute, and its log line may be found a little later. */
const LATELY_MS = 180_000;
/** Leaves the check time to answer with what was found so far. */
const LOG_SEARCH_MS = 6_000;

/** The records of a shard wait for the slowest of its stream's routes. */
export async function shardsCheck({ runtime, streamArn }: Patient): Promise<Said> {
  const { clock, forwardLog, routes } = runtime;
  const stream = streamNameOf(await streamArn());
  const list = parseRouteList((await routes.read(stream)).value, stream);
  if (Object.keys(list?.routes ?? {}).length < 2) return ok('no other pipeline has the stream');
  const started = clock.now();
  const found: WaitingShard[] = [];
  for await (const page of forwardLog.waiting(stream, started - LATELY_MS)) {
    found.push(...page.filter(({ holds }) => holds));
    if (clock.now() > started + LOG_SEARCH_MS) break;
  }
  const holders = [...Map.groupBy(found, ({ pipeline }) => pipeline)].sort();
  if (holders.length === 0) return ok(`no pipeline has held a shard in the last ${LATELY_MS / 1_000} s`);
  const names = holders.map(([pipeline]) => pipeline).join(', ');
  return wrong(
    holders.map(([pipeline, lines]) => heldText(pipeline, lines)).join('; '),
    `Ask for the health check of ${names}. The others go on, and the shard waits: retire a pipeline that is not wanted any more.`,
  );
}

function heldText(pipeline: string, lines: readonly WaitingShard[]): string {
  const shards = [...new Set(lines.map(({ shardId }) => shardId))].sort();
  const { at, code } = lines.at(-1) as WaitingShard;
  const more = shards.length === 1 ? '' : ` and ${shards.length - 1} more`;
  return `${pipeline} held ${shards[0]}${more}, last at ${at}${code === undefined ? '' : ` (${code})`}`;
}
