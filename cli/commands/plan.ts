// `penstock plan`: what applying a manifest would do to each resource, and why. Changes nothing.
import { type Command, JSON_OPTION, TARGET } from '../words.ts';

export const plan: Command = {
  name: 'plan',
  summary: 'shows what applying a manifest would do; changes nothing',
  about: [
    'The exit code is 0 where there is nothing to do, 2 where there are changes or conflicts, and 1 after an error.',
    'The last line is a token. penstock apply --token refuses another state than this one.',
  ],
  arguments: [{ name: 'MANIFEST', summary: 'the file of a pipeline', offers: 'files' }],
  options: [...TARGET, JSON_OPTION],
  examples: [
    'penstock plan pipelines/orders.json',
    'penstock plan pipelines/orders.json --stage prod --json',
  ],
  endsItself: true,
  async run(context, { arguments: [file = ''] }) {
    const [{ readPipelineFile }, { isToDo, showPlan }, { planOf }] = await Promise.all([
      import('../manifest-file.ts'),
      import('../../terminal/report.ts'),
      import('../planning.ts'),
    ]);
    const report = await planOf(context, await readPipelineFile(file));
    await showPlan(context.output, report);
    context.output.json(report);
    return isToDo(report) ? 2 : 0;
  },
};
