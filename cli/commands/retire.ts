// `penstock retire`: takes a pipeline down, by the state machine.
import { type Command, DRAIN, isGiven, JSON_OPTION, SANDBOX, TARGET, YES } from '../words.ts';

export const retire: Command = {
  name: 'retire',
  summary: 'takes a pipeline down; its dataset stays, unless --delete-data is given',
  about: ['A production sandbox needs its name, typed or in --sandbox.'],
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
    const [{ readPipelineFile }, { agreed }, { sandboxOr }, { runAndTell }, { waitsOf }] = await Promise.all([
      import('../manifest-file.ts'),
      import('../planning.ts'),
      import('../sandbox.ts'),
      import('../telling.ts'),
      import('../waits.ts'),
    ]);
    const file = await readPipelineFile(given.arguments[0] ?? '');
    const { name, asked } = file;
    const deleteData = isGiven(given, 'delete-data');
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
