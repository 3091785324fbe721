// `penstock doctor`: the health check of a pipeline. Changes nothing.
import type { Diagnosis } from '../../lib/doctor/doctor.ts';
import { type Command, JSON_OPTION, TARGET } from '../words.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks all that a pipeline depends on; changes nothing',
  about: ['The exit code is 0 where all is well, 2 where it is not, and 1 after an error.'],
  arguments: [{ name: 'PIPELINE', summary: 'its name' }],
  options: [...TARGET, JSON_OPTION],
  examples: ['penstock doctor orders --stage prod'],
  async run({ target, output }, { arguments: [pipeline = ''] }) {
    const { commandFor } = await import('../asking.ts');
    const work = await output.work(`Examining ${pipeline}`);
    const answer = await target.invoke('status', { pipeline, doctor: true }).catch((error: unknown) => {
      work.failed('failed');
      throw error;
    });
    const { ok, says, checks } = answer as Diagnosis;
    work.done(ok ? 'well' : 'not well');
    const { green, red, yellow } = output.colours;
    const signs = { ok: green('ok'), 'not ok': red('not ok'), unknown: yellow('unknown') };
    await output.table(
      ['Check', 'State', 'Found'],
      checks.map(({ check, state, found, next, ask }) => {
        const command = ask && commandFor(ask, target);
        const steps = [next, command && `to ${ask?.to}: ${command}`].filter((one) => one !== undefined);
        return [check, signs[state], [found, ...steps.map((one) => `next: ${one}`)].join('\n')];
      }),
    );
    output.line(says);
    output.json(answer);
    return ok ? 0 : 2;
  },
};
