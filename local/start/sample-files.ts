// What `npm start` sends where nobody names records: of an example that AEP reads by itself, the sample records that belong to it.
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const RECORDS: ReadonlyMap<string, string> = new Map([
  ['examples/orders-kinesis.json', 'events/samples/orders.ndjson'],
  ['examples/clicks-event-hubs.json', 'events/samples/clicks.ndjson'],
  ['examples/loyalty-pubsub.json', 'events/samples/members.ndjson'],
  ['examples/shop-purchases.json', 'events/samples/shop.ndjson'],
  ['examples/shop-signups.json', 'events/samples/shop.ndjson'],
]);

/** Manifests that the sample customers are made for. */
const CUSTOMERS: ReadonlySet<string> = new Set([
  'examples/customer-profiles.json',
  'examples/customer-profiles-xdm.json',
]);

/** The file of sample records for this manifest, wherever it is named from; `undefined` where there is none. */
export function recordsFor(manifest: string): string | undefined {
  const records = RECORDS.get(nameOf(manifest));
  return records === undefined ? undefined : resolve(ROOT, records);
}

/** Whether the sample customers fit this manifest. */
export function isOfCustomers(manifest: string): boolean {
  return CUSTOMERS.has(nameOf(manifest));
}

function nameOf(manifest: string): string {
  return relative(ROOT, resolve(manifest));
}
