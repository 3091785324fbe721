// What a pipeline does with a record before it is framed: filter it, redact it, select a part, choose an operation.
import { createConditions, type Looked, lookedAt, NO_FIELDS } from '../../conditions.ts';
import { stepsOf, valueAt } from '../../pointer.ts';
import type { PublishedPipeline } from '../../published.ts';
import {
  covers,
  type OperationTable,
  operationFields,
  partsOf,
  type Records,
  redactionsOf,
} from '../../records.ts';
import { parseJson } from '../json/check.ts';
import type { Span } from '../json/json.ts';
import { spanAt } from '../json/pointer.ts';
import type { Decoded, DecodedPart } from '../read/decode.ts';
import type { Message } from '../read/message.ts';
import { FILTERED, type Filtered, PASSED_OVER, type Rejected, rejected, type Settled } from '../verdict.ts';
import { withheld } from '../withheld.ts';
import { createFieldReader, type FieldValues } from './derive.ts';
import { createRedactor, type Redactor } from './redact.ts';

const OPENING_BRACE = 0x7b;

/** A message as it leaves the decoder. */
export type Part = DecodedPart;

/**
 * What is to be framed of a message, or its verdict. A rejected message is passed on, without its bytes if the
 * pipeline redacts and they are not redacted. Never throws for anything in a record.
 */
export type Transform = (part: Part) => Part | Settled<Filtered>;

interface TransformStages {
  readonly isPassedOver: ((record: Looked) => boolean) | undefined;
  readonly isWanted: ((record: Looked) => boolean) | undefined;
  readonly deletionOf: ((record: Looked) => Filtered | Rejected | undefined) | undefined;
  readonly redactor: Redactor | undefined;
  /** Whether it holds, as text that no rule leads into, what the rules hide. */
  readonly isVeiled: ((record: object) => boolean) | undefined;
  readonly select: Selection | undefined;
  readonly operationOf: ((record: unknown) => string | undefined) | undefined;
  readonly valuesOf: ((json: Buffer) => FieldValues) | undefined;
}

/** The part that is sent, or the candidates for it. */
interface Selection {
  readonly parts: readonly { readonly pointer: string; readonly steps: readonly string[] }[];
  /** Whether a candidate that is no object is skipped: another may follow. */
  readonly objectsOnly: boolean;
}

/** The pipeline's transform; `undefined` where it sends its records as they are. */
export function createTransform(
  pipeline: Pick<PublishedPipeline, 'data' | 'records' | 'format'>,
): Transform | undefined {
  const stages = stagesOf(pipeline);
  if (Object.values(stages).every((stage) => stage === undefined)) return undefined;
  const { redactor, isWanted } = stages;
  const looked: Transform = (part) => {
    const transformed = 'payload' in part ? transform(part, stages) : part;
    // An empty record has no fields: it is filtered unless the conditions hold without them.
    return isEmpty(transformed) && isWanted?.(NO_FIELDS) === false
      ? { message: transformed.message, verdict: PASSED_OVER }
      : transformed;
  };
  if (redactor === undefined) return looked;
  return (part) => {
    const transformed = looked(part);
    return isRejectedPart(transformed) ? withheldReject(transformed, redactor) : transformed;
  };
}

function stagesOf(pipeline: Pick<PublishedPipeline, 'data' | 'records' | 'format'>): TransformStages {
  const { where, passOver, deletions, select, operations, derive }: Records = pipeline.records ?? {};
  return {
    isPassedOver: passOver && passingOver(passOver),
    isWanted: where && createConditions(where),
    deletionOf: deletions && deletionsOf(deletions),
    redactor: createRedactor(pipeline),
    isVeiled: veiledBy(pipeline),
    select: select === undefined ? undefined : selectionOf(select),
    operationOf: operations && 'field' in operations ? chooser(operations) : undefined,
    valuesOf: createFieldReader(derive),
  };
}

/**
 * An event whose `data_base64` could not be opened still has it (`read/formats/cloudevents.ts`). So has one that has
 * `data` as well.
 */
function veiledBy(
  pipeline: Pick<PublishedPipeline, 'data' | 'records' | 'format'>,
): TransformStages['isVeiled'] {
  if (pipeline.format?.kind !== 'cloudevents') return undefined;
  const isOfData = redactionsOf(pipeline).some(
    ({ field }) => covers('/data', field) || covers(field, '/data'),
  );
  return isOfData ? (record) => Object.hasOwn(record, 'data_base64') : undefined;
}

/** A change stream's converter may write `null` behind a deletion: it tells of nothing else. */
function passingOver(conditions: NonNullable<Records['passOver']>): (record: Looked) => boolean {
  const holds = createConditions(conditions);
  return (record) => record.value === null || holds(record);
}

function selectionOf(select: NonNullable<Records['select']>): Selection {
  const parts = partsOf({ select }).map((pointer) => ({ pointer, steps: stepsOf(pointer) }));
  return { parts, objectsOnly: typeof select !== 'string' };
}

/**
 * All pointers lead into the record as its producer wrote it. A record that was redacted before passed the filter
 * before.
 */
function transform(
  decoded: Decoded,
  { isPassedOver, isWanted, redactor, isVeiled, ...stages }: TransformStages,
): ReturnType<Transform> {
  const { message } = decoded;
  const parsed = parseJson(decoded.payload);
  if ('kind' in parsed) return { message, verdict: parsed };
  const { json, value } = parsed;
  const looked = lookedAt(value, json);
  if (message.redacted === undefined) {
    if (isPassedOver?.(looked) === true) return { message, verdict: PASSED_OVER };
    if (isWanted?.(looked) === false) return { message, verdict: FILTERED };
  }
  if (redactor === undefined) return cut({ message, payload: json }, looked, stages);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { message, verdict: rejected('not-an-object', 'JSON, but not an object') };
  if (isVeiled?.(value) === true) return { message, verdict: rejected('nothing-selected', VEILED) };
  const bytes = redactedOf(message, json, redactor);
  if (bytes === undefined) return { message, verdict: rejected('redacted-otherwise', OTHERWISE) };
  return cut({ message: { ...message, bytes, redacted: redactor.applied }, payload: bytes }, looked, stages);
}

/** `undefined` if these rules cannot redact it: they lead into a record as its producer wrote it. */
function redactedOf({ redacted, asReceived }: Message, json: Buffer, redactor: Redactor): Buffer | undefined {
  if (asReceived === true) return undefined;
  return redacted === undefined ? redactor.redact(json) : redactor.redactAgain(json, redacted);
}

const OTHERWISE =
  'the rules that are in force now cannot be applied to what is left of it; the stream may have the record';

const VEILED = 'its data_base64 holds no JSON object, so that nothing in it can be redacted';

/** What becomes of a record that tells of a deletion. It is redacted by then, because it may be kept. */
function deletionsOf({ where, are }: NonNullable<Records['deletions']>): TransformStages['deletionOf'] {
  const isDeletion = createConditions(where);
  const verdict = are === 'dropped' ? PASSED_OVER : rejected('deletion', DELETION);
  return (record) => (isDeletion(record) ? verdict : undefined);
}

const DELETION = 'it tells of a deletion, and deletions are not applied unless the manifest says so';

/** The selected part, in its own bytes, with the operation that the record names. */
function cut(
  { message, payload }: Decoded,
  looked: Looked,
  {
    deletionOf,
    select,
    operationOf,
    valuesOf,
  }: Omit<TransformStages, 'isPassedOver' | 'isWanted' | 'redactor' | 'isVeiled'>,
): ReturnType<Transform> {
  const deletion = deletionOf?.(looked);
  if (deletion !== undefined) return { message, verdict: deletion };
  const operation = operationOf?.(looked.value);
  if (operationOf !== undefined && operation === undefined)
    return { message, verdict: rejected('no-operation', 'no operation is declared for what its field says') };
  const span = select && selected(payload, select);
  if (select !== undefined && span === undefined)
    return { message, verdict: rejected('nothing-selected', nothingAt(select)) };
  const part = span === undefined ? payload : payload.subarray(span.start, span.end);
  return {
    message,
    payload: part,
    ...(operation !== undefined && { operation }),
    ...(valuesOf !== undefined && { fields: valuesOf(payload) }),
  };
}

/** The first candidate that is there. */
function selected(payload: Buffer, { parts, objectsOnly }: Selection): Span | undefined {
  for (const { steps } of parts) {
    const span = spanAt(payload, steps);
    if (span !== undefined && (!objectsOnly || payload[span.start] === OPENING_BRACE)) return span;
  }
  return undefined;
}

function nothingAt({ parts, objectsOnly }: Selection): string {
  const where = parts.map(({ pointer }) => pointer).join(' or ');
  return `it has ${objectsOnly ? 'no object' : 'nothing'} at ${where}`;
}

/** The key of the table that the value of the first field is which is there. */
function chooser(table: OperationTable): (record: unknown) => string | undefined {
  const { values } = table;
  const all = operationFields(table).map(stepsOf);
  return (record) => {
    const value = all.map((steps) => valueAt(record, steps)).find((one) => one !== undefined);
    const isKey = typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
    return isKey && Object.hasOwn(values, String(value)) ? String(value) : undefined;
  };
}

/** The same reject without bytes, if these rules did not redact them: the stream, or the store, still has them. */
function withheldReject({ message, verdict }: Settled<Rejected>, redactor: Redactor): Settled<Rejected> {
  if (message.redacted === redactor.applied) return { message, verdict };
  return { message: withheld(message), verdict };
}

function isEmpty(transformed: ReturnType<Transform>): boolean {
  return isRejectedPart(transformed) && transformed.verdict.reason === 'empty';
}

function isRejectedPart(transformed: ReturnType<Transform>): transformed is Settled<Rejected> {
  return 'verdict' in transformed && transformed.verdict.kind === 'rejected';
}
