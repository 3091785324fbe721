// Our own events: whoever may put events on the account's bus sends requests with the detail type `penstock`.
import { parseRequest } from '../asked.ts';
import type { EventSender } from '../sender.ts';

export const penstock: EventSender = {
  name: 'penstock',
  // AWS's own events never have our format.
  sent: (event) => event['detail-type'] === 'penstock' && !event.source.startsWith('aws.'),
  /**
   * A sender that puts an event twice, because it does not know whether the first arrived, gives it an id.
   */
  id: ({ id, source, detail }) => JSON.stringify([source, typeof detail.id === 'string' ? detail.id : id]),
  asked: ({ detail }) => ({ kind: 'request', request: parseRequest(detail) }),
};
