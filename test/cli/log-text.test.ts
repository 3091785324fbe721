// A log line for people: what it shows of a line of the logger, and of a line of counts.
import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { logText } from '../../cli/log-text.ts';

const shown = (fields: object) =>
  logText(
    { at: 0, functionName: 'forward', text: JSON.stringify({ service: 'penstock', ...fields }) },
    createColors(false),
  );

describe('logs: a line for people', () => {
  it('shows level and message, then the other fields', () => {
    expect(shown({ level: 'WARN', message: 'slow', timestamp: 'now', records: 5 })).toBe(
      '1970-01-01T00:00:00.000Z forward WARN  slow records=5',
    );
  });

  it('shows the counts of a line of metrics, and not how CloudWatch is to read them', () => {
    const _aws = {
      Timestamp: 0,
      CloudWatchMetrics: [{ Namespace: 'Penstock', Metrics: [{ Name: 'Requests', Unit: 'Count' }] }],
    };
    const line = shown({ _aws, pipeline: 'orders', Requests: 7 });
    expect(line).toContain('pipeline=orders Requests=7');
    expect(line).not.toContain('Namespace');
  });
});
