// What a record that the platform has read by itself holds: a message for the flow, or nothing that it can use.
import { parseJson } from '../exact-number.ts';
import { type Message, rawMessage } from '../inlet/messages.ts';
import { isObject, objectAt } from '../json.ts';
import type { World } from '../state.ts';

/**
 * The message. `undefined` of what is no JSON object: Adobe says that `json` is the only format there is, and not what becomes of
 * the rest. That it is dropped, and counted, is ours.
 */
export function messageIn(
  world: World,
  flowId: string,
  bytes: Uint8Array,
  dataType: unknown,
): Message | undefined {
  const given = parsed(bytes);
  if (!isObject(given)) return undefined;
  if (dataType !== 'xdm') {
    const message = rawMessage(world, flowId, given);
    return typeof message === 'string' ? undefined : message;
  }
  // Whether Adobe wants the inlet's envelope around it is not said: both are taken.
  const record = objectAt(objectAt(given, 'body'), 'xdmEntity') ?? given;
  return { flowId, record, header: {}, profileOnly: false, links: false };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}
