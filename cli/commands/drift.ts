// `penstock drift`: has anything changed in Experience Platform since it was applied? Changes nothing.
import type { Drift } from '../../lib/provision/plan/drift.ts';
import { type Command, JSON_OPTION, TARGET } from '../words.ts';

export const drift: Command = {
  name: 'drift',
  summary: 'shows what has changed in Experience Platform since pipelines were applied',
  about: ['The exit code is 0 where nothing has, 2 where something has, and 1 after an error.'],
  arguments: [{ name: 'PIPELINE', summary: 'its name (default: all)', isOptional: true }],
  options: [...TARGET, JSON_OPTION],
  examples: ['penstock drift --stage prod'],
  async run({ target, output }, { arguments: [pipeline] }) {
    const work = await output.work('Comparing');
    const answer = await target
      .invoke('drift', pipeline === undefined ? {} : { pipeline })
      .catch((error: unknown) => {
        work.failed('failed');
        throw error;
      });
    const { checked, moved, lines } = answer as Drift;
    work.done(`${checked} checked, ${moved} changed`);
    for (const line of lines) output.line(line);
    if (checked === 0)
      output.line(
        `${pipeline ?? 'No pipeline'} is ${pipeline === undefined ? '' : 'not '}applied: there is nothing to compare.`,
      );
    else if (moved === 0) output.line('Nothing has changed.');
    output.json(answer);
    return moved === 0 ? 0 : 2;
  },
};
