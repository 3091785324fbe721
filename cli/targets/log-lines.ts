// What the functions have logged, from their log groups: in the order of time, and further as it comes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import type { LogLine, LogsAsked } from '../target.ts';
import { asked } from './asked.ts';
import type { Clients } from './clients.ts';

/** CloudWatch Logs shows a line some seconds after it was written, and not in order. */
const LATE_MS = 10_000;

export async function* logLines(
  clients: Clients,
  functionNamed: (key: string) => string,
  { functions, since, pipeline, isFollowed, signal }: LogsAsked,
  pollMs: number,
): AsyncGenerator<LogLine> {
  /** Told already, with when each was written. */
  const told = new Map<string, number>();
  let from = since;
  do {
    const found: LogLine[] = [];
    for (const key of functions) {
      if (signal.aborted) return;
      for (const { eventId = '', timestamp = 0, message = '' } of await eventsOf(
        clients,
        functionNamed(key),
        from,
        pipeline,
      )) {
        const id = `${key} ${eventId}`;
        if (told.has(id)) continue;
        told.set(id, timestamp);
        found.push({ at: timestamp, functionName: key, text: message.trimEnd() });
      }
    }
    yield* found.toSorted((a, b) => a.at - b.at);
    from = Math.max(from, Math.max(0, ...told.values()) - LATE_MS);
    for (const [id, at] of told) if (at < from) told.delete(id);
    if (isFollowed && !signal.aborted) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  } while (isFollowed && !signal.aborted);
}

async function eventsOf(
  clients: Clients,
  functionName: string,
  startTime: number,
  pipeline: string | undefined,
): Promise<FilteredLogEvent[]> {
  const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const client = await clients.logs();
  const events: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  do {
    const command = new FilterLogEventsCommand({
      logGroupName: `/aws/lambda/${functionName}`,
      startTime,
      // Anywhere in the line, as it stands in its JSON.
      ...(pipeline !== undefined && { filterPattern: `"${pipeline.replaceAll('"', '')}"` }),
      nextToken,
    });
    const page = await asked(
      { what: `reading the log of ${functionName}`, action: 'logs:FilterLogEvents' },
      async () => {
        try {
          return await client.send(command);
        } catch (error) {
          // A function that was never called has no log group yet.
          if (error instanceof Error && error.name === 'ResourceNotFoundException') return { events: [] };
          throw error;
        }
      },
    );
    events.push(...(page.events ?? []));
    nextToken = 'nextToken' in page ? page.nextToken : undefined;
  } while (nextToken !== undefined);
  return events;
}
