// Rejected messages as a document of the dead-letter store.
import { hash } from 'node:crypto';
import type { DeadLetter, DeadLetterDocument } from '../runtime.ts';
import type { AppliedRule, History } from './read/message.ts';
import type { Rejected, Settled } from './verdict.ts';

/**
 * The document for `rejects`, of which there is at least one. It holds the producer's bytes as base64, or what
 * redaction left of them. It never holds a token.
 */
export function deadLetterDocument(
  rejects: readonly Settled<Rejected>[],
  about: Omit<DeadLetterDocument, 'version' | 'rules' | 'entries'>,
): DeadLetterDocument {
  const rules = rulesBehind(rejects.map(({ message }) => message.redacted));
  return { version: 1, ...about, ...(rules !== undefined && { rules }), entries: rejects.map(storedEntry) };
}

/** The entry of one message. `rulesBehind` gives the rules under which it was redacted. */
export function storedEntry({ message, verdict }: Settled<Rejected>): DeadLetter {
  const { subSequenceNumber, partitionKey, arrivedAt, bytes, piece, redacted, asReceived, withheld } =
    message;
  const hidden = redacted !== undefined || withheld !== undefined;
  const known = redacted !== undefined && redacted !== 'unknown';
  return {
    reason: verdict.reason,
    message: hidden || verdict.path === undefined ? verdict.text : `${verdict.text}: ${verdict.path}`,
    sequenceNumber: message.sequenceNumber,
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
    ...(partitionKey !== undefined && { partitionKey: hidden ? hiddenKey(partitionKey) : partitionKey }),
    ...(arrivedAt !== undefined && { arrivedAt }),
    data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    ...(piece === true && { piece }),
    ...(redacted !== undefined && { redacted: true }),
    ...(known && { rules: rulesName(redacted) }),
    ...(asReceived === true && { asReceived }),
    ...(withheld !== undefined && { withheld: true, ...withheld }),
  };
}

/** Partition keys are often names or addresses of persons. */
export function hiddenKey(partitionKey: string): string {
  return hash('sha256', partitionKey, 'hex');
}

/** The lists of rules under which records were redacted: each once, by the name that the entries use for it. */
export function rulesBehind(
  histories: Iterable<History | undefined>,
): Record<string, readonly AppliedRule[]> | undefined {
  const lists = new Set([...histories].filter((one) => one !== undefined && one !== 'unknown'));
  if (lists.size === 0) return undefined;
  return Object.fromEntries(Array.from(lists, (rules) => [rulesName(rules), rules]));
}

const names = new WeakMap<readonly AppliedRule[], string>();

/** The same rules have the same name. The name is cached, because thousands of entries may need it. */
export function rulesName(rules: readonly AppliedRule[]): string {
  const name = names.get(rules) ?? hash('sha256', JSON.stringify(rules), 'hex').slice(0, 12);
  names.set(rules, name);
  return name;
}
