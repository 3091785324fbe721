// CloudFormation: a stack has been created or updated. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-events.html
import type { EventSender } from '../sender.ts';

/** A completed rollback is no deployment. */
const DEPLOYED = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE'];

export const cloudFormation: EventSender = {
  name: 'cloudformation',
  sent: (event) =>
    event.source === 'aws.cloudformation' && event['detail-type'] === 'CloudFormation Stack Status Change',
  id: ({ id }) => id,
  asked({ detail }) {
    const { status } = (detail['status-details'] ?? {}) as { status?: unknown };
    return DEPLOYED.includes(String(status))
      ? { kind: 'deployed' }
      : { kind: 'nothing', why: 'the stack was not deployed' };
  },
};
