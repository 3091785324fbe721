// Our own events: whoever in the account may put events on the bus asks in our own words, with the detail type `penstock`.
import { parseRequest } from '../asked.ts';
import type { EventSender } from '../sender.ts';

export const penstock: EventSender = {
  name: 'penstock',
  // What AWS itself sends is never in our words.
  sent: (event) => event['detail-type'] === 'penstock' && !event.source.startsWith('aws.'),
  /** Whoever puts an event twice, not knowing whether it was taken, gives it an id of its own. */
  id: ({ id, source, detail }) => JSON.stringify([source, typeof detail.id === 'string' ? detail.id : id]),
  asked: ({ detail }) => ({ kind: 'request', request: parseRequest(detail) }),
};
