// `penstock retire`: takes a pipeline down, by the state machine.
import { type Command, DRAIN, isGiven, JSON_OPTION, SANDBOX, TARGET, YES } from '../words.ts';

export const retire: Command = {
  name: 'retire',
  summary: 'takes a pipeline down; its dataset stays, unless --delete-data is given',
  about: [
    'A production sandbox needs its name, typed or in --sandbox.',
    'Nothing is asked and nothing is done where the pipeline was taken down before, and nothing is left to remove.',
  ],
  arguments: [{ name: 'MANIFEST', summary: 'the file of the pipeline', offers: 'files' }],
  options: [
    { name: 'delete-data', summary: 'also removes the dataset with all its data, and the schema' },
    DRAIN,
    SANDBOX,
    ...TARGET,
    YES,
    JSON_OPTION,
  ],
  examples: ['penstock retire pipelines/orders.json --stage prod --sandbox prod'],
  isChanging: () => true,
  endsItself: true,
  async run(context, given) {
    const [
      { readPipelineFile },
      { agreed, checkNamed },
      { retiredBefore },
      { sandboxOr },
      { runAndTell },
      { waitsOf },
    ] = await Promise.all([
      import('../manifest-file.ts'),
      import('../planning.ts'),
      import('../retired.ts'),
      import('../sandbox.ts'),
      import('../telling.ts'),
      import('../waits.ts'),
    ]);
    const file = await readPipelineFile(given.arguments[0] ?? '');
    const { name, asked } = file;
    const deleteData = isGiven(given, 'delete-data');
    // A wrong name is told before anything is asked, and also where there is nothing to do.
    checkNamed(given, file.sandbox);
    const before = await retiredBefore(context.target, file, deleteData);
    if (before !== undefined) {
      context.output.line(`Nothing to retire: ${name} was taken down at ${before.execution.endedAt}.`);
      context.output.json(before);
      return 0;
    }
    const what = deleteData
      ? `Take ${name} down, and remove its dataset with all data?`
      : `Take ${name} down?`;
    const sandbox = await agreed(context, given, await sandboxOr(context.target, name, file.sandbox), what);
    const { manifest } = asked;
    const input = {
      manifest,
      mode: 'retire' as const,
      deleteData,
      ...waitsOf(given),
      ...(sandbox !== undefined && { sandbox }),
    };
    return runAndTell(context, name, input, `Retiring ${name}`);
  },
};
