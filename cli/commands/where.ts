// `penstock where`: where one record is, and what has become of it. Changes nothing.
import type { StreamWhereabouts, Whereabouts } from '../../lib/where/where.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { type Command, type Given, JSON_OPTION, TARGET, textOf } from '../words.ts';

export const where: Command = {
  name: 'where',
  summary: 'shows where a record is: delivered, rejected, or still in the stream',
  about: [
    'Name the record by --id, or by --shard and --sequence-number. Name the pipeline, or --stream for all routes of a stream.',
  ],
  arguments: [{ name: 'PIPELINE', summary: 'its name (or --stream)', isOptional: true }],
  options: [
    { name: 'id', value: 'ID', summary: 'the _id of the record' },
    { name: 'shard', value: 'SHARD', summary: 'the shard that it came to' },
    { name: 'sequence-number', value: 'NUMBER', summary: 'its sequence number' },
    { name: 'stream', value: 'STREAM', summary: 'the name of a stream, in place of a pipeline' },
    {
      name: 'arrived',
      value: 'TIME',
      summary: 'about when it came (ISO 8601), where the stream no longer has it',
    },
    ...TARGET,
    JSON_OPTION,
  ],
  examples: [
    'penstock where orders --id order-17',
    'penstock where --stream shop --shard shardId-000000000000 --sequence-number 495…',
  ],
  async run({ target, output }, given) {
    const answer = await target.invoke('status', questionOf(given));
    output.json(answer);
    const routes =
      'routes' in (answer as object) ? (answer as StreamWhereabouts).routes : [answer as Whereabouts];
    // A route has a row, which says it all.
    await output.table(
      ['Pipeline', 'Place', 'What is known'],
      routes.map((route) => [route.pipeline, route.place, knownOf(route)]),
    );
    return 0;
  },
};

/** @throws MistakeError */
function questionOf(given: Given): object {
  const [pipeline] = given.arguments;
  const [stream, id, shardId] = ['stream', 'id', 'shard'].map((name) => textOf(given, name));
  const sequenceNumber = textOf(given, 'sequence-number');
  const arrivedAt = textOf(given, 'arrived');
  if ((pipeline === undefined) === (stream === undefined))
    throw new MistakeError('USAGE', 'expected either a PIPELINE or --stream', 'penstock where --help');
  const isPlace = shardId !== undefined && sequenceNumber !== undefined;
  if ((id === undefined) !== isPlace || (id !== undefined && (shardId ?? sequenceNumber) !== undefined))
    throw new MistakeError(
      'USAGE',
      'expected either --id, or --shard and --sequence-number',
      'penstock where --help',
    );
  if (arrivedAt !== undefined && !/^\d{4}-\d\d-\d\dT/.test(arrivedAt))
    throw new MistakeError(
      'USAGE',
      `--arrived: expected a time such as 2026-11-28T10:00:00Z; found "${arrivedAt}"`,
      'penstock where --help',
    );
  return {
    ...(pipeline === undefined ? { stream } : { pipeline }),
    ...(id === undefined ? { shardId, sequenceNumber } : { _id: id }),
    ...(arrivedAt !== undefined && { arrivedAt }),
  };
}

function knownOf({ says, shardId, sequenceNumber, arrivedAt, batches, searched }: Whereabouts): string {
  return [
    says,
    ...(sequenceNumber === undefined ? [] : [`${shardId} ${sequenceNumber}`]),
    ...(arrivedAt === undefined ? [] : [`came ${arrivedAt}`]),
    ...batches.map(({ at, invocationId }) => `invocation ${invocationId} at ${at}`),
    ...(searched.complete ? [] : [`${searched.objects} objects were searched, not all`]),
  ].join('\n');
}
