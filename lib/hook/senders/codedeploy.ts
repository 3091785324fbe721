// CodeDeploy: a deployment has ended.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
import type { EventSender } from '../sender.ts';

export const codeDeploy: EventSender = {
  name: 'codedeploy',
  sent: (event) =>
    event.source === 'aws.codedeploy' &&
    event['detail-type'] === 'CodeDeploy Deployment State-change Notification',
  id: ({ id }) => id,
  asked: ({ detail }) =>
    detail.state === 'SUCCESS'
      ? { kind: 'deployed' }
      : { kind: 'nothing', why: 'the deployment has not succeeded' },
};
