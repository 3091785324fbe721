// CodePipeline: an execution has ended.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
import type { EventSender } from '../sender.ts';

export const codePipeline: EventSender = {
  name: 'codepipeline',
  sent: (event) =>
    event.source === 'aws.codepipeline' &&
    event['detail-type'] === 'CodePipeline Pipeline Execution State Change',
  id: ({ id }) => id,
  asked: ({ detail }) =>
    detail.state === 'SUCCEEDED'
      ? { kind: 'deployed' }
      : { kind: 'nothing', why: 'the execution has not succeeded' },
};
