// Warns if reconcile cannot find the record of a row that AEP refused later, and so nothing can send it
// again.
import type { Manifest } from '../../manifest.ts';
import { memberOf } from '../../records.ts';

/**
 * A warning if the row's place in the stream is not known. Only if the flow maps the data: otherwise a
 * refused row is the record. Reconcile compares what is mapped unchanged (lib/reconcile/match.ts).
 */
export function leadBackWarnings({ source, mapping = [] }: Manifest): string[] {
  if (source.kind !== 'inlet' || source.data !== 'raw') return [];
  const copied = mapping.filter((one) => 'source' in one);
  const isId = ({ source: from, destination }: { source: string; destination: string }) =>
    from === '_id' && destination === '_id';
  // An id from a field is part of the content, and identifies it.
  const derives = source.records?.derive?.some((one) => memberOf(one) === '_id') === true;
  const others = copied.filter((one) => !isId(one));
  if (others.length === 0)
    return [
      'What AEP refuses later cannot be sent again: no field is mapped unchanged, so the record cannot be found',
    ];
  if (derives && copied.some(isId)) return [];
  return [
    'What AEP refuses later is looked for in the stream by its content alone. To find it by its place, set "derive": ["_id"] in source.records, and map _id to _id',
  ];
}
