// `penstock apply`: makes Experience Platform what a manifest says, by the state machine.
import { type Command, DRAIN, isGiven, JSON_OPTION, SANDBOX, TARGET, textOf, YES } from '../words.ts';

export const apply: Command = {
  name: 'apply',
  summary: 'makes Experience Platform what a manifest says',
  about: [
    'Without --token and --yes it shows the plan and asks. With --token it applies that plan alone: another state is refused, and what has moved is named.',
    'Ctrl-C ends the command and not the execution. A plan with nothing to do is not applied.',
    'A production sandbox needs its name, typed or in --sandbox, with --token and --yes as well. Without --sandbox it plans first: only a plan tells the type.',
  ],
  arguments: [{ name: 'MANIFEST', summary: 'the file of a pipeline', offers: 'files' }],
  options: [
    { name: 'token', value: 'TOKEN', summary: 'of the plan that was looked at' },
    {
      name: 'warm-up',
      value: 'SECONDS',
      summary: 'how long a new flow warms up (300; on this machine 5)',
    },
    DRAIN,
    SANDBOX,
    ...TARGET,
    YES,
    JSON_OPTION,
  ],
  examples: [
    'penstock apply pipelines/orders.json',
    'penstock apply pipelines/orders.json --stage prod --token p4.… --sandbox prod',
  ],
  isChanging: () => true,
  endsItself: true,
  async run(context, given) {
    const [{ readPipelineFile }, { applyFile }] = await Promise.all([
      import('../manifest-file.ts'),
      import('../applying.ts'),
    ]);
    const [file = ''] = given.arguments;
    return applyFile(context, given, await readPipelineFile(file), {
      token: textOf(given, 'token'),
      isAgreed: isGiven(given, 'yes'),
    });
  },
};
