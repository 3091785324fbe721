// `penstock status`: where each pipeline stands, or one with the report of its last execution.
import type { Report } from '../../lib/pipeline.ts';
import type { Status } from '../../lib/provision/status.ts';
import { type Command, JSON_OPTION, TARGET } from '../words.ts';

export const status: Command = {
  name: 'status',
  summary: 'shows where pipelines stand, or one with the report of its last execution',
  arguments: [{ name: 'PIPELINE', summary: 'its name (default: all)', isOptional: true }],
  options: [...TARGET, JSON_OPTION],
  examples: ['penstock status --stage prod', 'penstock status orders'],
  async run({ target, output }, { arguments: [pipeline] }) {
    const [{ showRun }, { commandFor }] = await Promise.all([
      import('../../terminal/report.ts'),
      import('../asking.ts'),
    ]);
    const answer = await target.invoke('status', pipeline === undefined ? {} : { pipeline });
    output.json(answer);
    if (!Array.isArray(answer)) {
      const one = answer as Status;
      output.line(`${one.pipeline}: ${stateOf(one)}`);
      const report = one.report as Parameters<typeof showRun>[1] | undefined;
      if (report !== undefined && !output.isJson)
        await showRun(output, report, { commandFor: (ask) => commandFor(ask, target) });
      return 0;
    }
    const all = answer as Status[];
    if (all.length === 0) output.line('No pipeline has been applied here.');
    else
      await output.table(
        ['Pipeline', 'State', 'Last execution'],
        all.map((one) => [one.pipeline, stateOf(one), lastOf(one)]),
      );
    return 0;
  },
};

function stateOf({ running, applied }: Status): string {
  if (running !== undefined)
    return `an execution works on it${running.since ? ` since ${running.since}` : ''}`;
  return applied ? 'applied' : 'not applied';
}

function lastOf({ report }: Status): string {
  const { outcome = '', summary = '', failure } = (report ?? {}) as Partial<Report>;
  // Its summary says the outcome and the whole cause: `penstock status PIPELINE` shows them.
  if (failure?.code !== undefined) return `${outcome}: ${failure.code}`;
  return [outcome, summary].filter(Boolean).join(': ');
}
