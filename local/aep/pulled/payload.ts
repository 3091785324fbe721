// Makes a message for the flow from a record that the platform has read by itself, where the record holds one.
import { type Message, rawMessage } from '../inlet/messages.ts';
import { isObject, objectAt, parseExactly } from '../json.ts';
import type { World } from '../state.ts';
import type { PulledKind } from './source.ts';

/**
 * The message. `undefined` of what is no JSON object: Adobe says that `json` is the only format there is, and not what becomes of
 * the rest. That it is dropped, and counted, is ours.
 */
export function messageIn(
  world: World,
  { flowId, kind, dataType }: { flowId: string; kind: PulledKind; dataType: unknown },
  bytes: Uint8Array,
): Message | undefined {
  const given = parsed(bytes);
  if (!isObject(given)) return undefined;
  // Adobe: data-prep/upserts.md names Kinesis, Event Hubs and the HTTP API as the sources whose data comes with operations.
  if (dataType !== 'xdm' && kind !== 'pubsub') {
    const message = rawMessage(world, flowId, given);
    return typeof message === 'string' ? undefined : { ...message, flowId };
  }
  if (dataType !== 'xdm') return { flowId, record: given, header: {}, profileOnly: false, links: false };
  // Whether Adobe wants the inlet's envelope around it is not said: both are taken.
  const record = objectAt(objectAt(given, 'body'), 'xdmEntity') ?? given;
  return { flowId, record, header: {}, profileOnly: false, links: false };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseExactly(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}
