// A pipeline's mapping, and what rows that somebody types make of a record: Data Prep of the simulated platform, without a call.
import * as z from 'zod';
import { jsonFault } from '../../../lib/json-fault.ts';
import type { Manifest } from '../../../lib/manifest.ts';
import { foreseenOf, unmappedWithin } from '../../../lib/provision/plan/foreseen.ts';
import { mappingsOf } from '../../../lib/provision/resources/mapping.ts';
import { Samples, sampleText } from '../../../lib/samples.ts';
import { compileMapping, faultsOf } from '../../aep/data-prep/mapping.ts';
import { isObject, type Json, type JsonObject, parseExactly } from '../../aep/json.ts';
import { resolved, resolvedForData } from '../../aep/registry/resolve.ts';
import { lookUp } from '../../aep/registry/resources.ts';
import { compileValidatorFor } from '../../aep/xdm/validator.ts';
import { createOutcomes, standInFor } from '../../check/records-check.ts';
import { type KnownPipeline, knownPipelines } from '../known.ts';
import { savedMapping } from '../save.ts';
import type { Acted, Asked } from '../serve.ts';
import { shownJson } from '../shown.ts';
import type { MappingDetail, MappingLine, RecordsUpdate, TriedMapping } from '../told.ts';
import { unreadIn } from '../unread.ts';
import type { Looked, Watched } from '../watched.ts';
import { sandboxOf } from './pipelines.ts';
import { recordsFeed } from './records.ts';

/** `undefined` of a pipeline that is not known. */
export async function mappingDetail(looked: Looked, name: string): Promise<MappingDetail | undefined> {
  const known = knownPipelines(looked.watched.executions.all).get(name);
  if (known === undefined) return undefined;
  const { manifest, last } = known;
  return {
    pipeline: name,
    isRaw: manifest?.source.data === 'raw',
    isMade: schemaOf(looked.watched, known) !== undefined,
    ...(await savedMapping(looked.watched, known)),
    records: [...samplesIn(last.input), ...(await newestOf(looked, known))],
  };
}

type Record = MappingDetail['records'][number];

function samplesIn(input: unknown): Record[] {
  const samples = Samples.safeParse((input as { readonly samples?: unknown } | null)?.samples);
  if (!samples.success) return [];
  return samples.data.map((sample, index) => ({
    name: `sample: ${sample.name ?? index + 1}`,
    text: indented(sampleText(sample)),
  }));
}

/** A larger record is not tried, in characters. */
const LARGEST = 100_000;
/** So many of the stream can be chosen. */
const NEWEST = 5;

/** The newest records of its stream, where they are objects of JSON that can be read at once. */
async function newestOf(looked: Looked, { manifest, source }: KnownPipeline): Promise<Record[]> {
  if (manifest?.source.kind !== 'inlet' || manifest.source.format !== undefined) return [];
  const look = recordsFeed(looked, source, LARGEST);
  const { added } = (await Promise.resolve(look()).catch(() => ({ added: [] }))) as RecordsUpdate;
  return added
    .toReversed()
    .filter(({ begins }) => isObject(read(begins)))
    .slice(0, NEWEST)
    .map(({ sequenceNumber, begins }) => ({
      name: `stream: …${sequenceNumber.slice(-12)}`,
      text: indented(begins),
    }));
}

/** With its numbers as they are written. */
function indented(text: string): string {
  return JSON.stringify(parseExactly(text), null, 2);
}

const Try = z.object({
  pipeline: z.string(),
  record: z.string().max(LARGEST),
  rows: z
    .array(z.object({ kind: z.enum(['field', 'expression']), from: z.string(), destination: z.string() }))
    .max(1_000),
});

/** What the page asks for with each key that is pressed. Nothing is changed by it. */
export async function tryMapping({ watched }: Looked, { method, body }: Asked): Promise<Acted | undefined> {
  if (method !== 'POST') return undefined;
  const asked = Try.safeParse(read(body.toString()));
  if (!asked.success)
    return { status: 400, body: { why: 'The record, or the mapping, is too large to try.' } };
  const { pipeline, record, rows } = asked.data;
  const known = knownPipelines(watched.executions.all).get(pipeline);
  const told = known === undefined ? undefined : await triedMapping(watched, known, record, rows);
  return told === undefined ? undefined : { status: 200, body: told };
}

/** `undefined` where its schema is not there. */
export async function triedMapping(
  watched: Watched,
  known: KnownPipeline,
  record: string,
  lines: readonly MappingLine[],
): Promise<TriedMapping | undefined> {
  const { manifest } = known;
  const sandbox = sandboxOf(watched, known);
  const schema = schemaOf(watched, known);
  if (manifest === undefined || sandbox === undefined || schema === undefined) return undefined;
  const mapping = lines.map(({ kind, from, destination }) =>
    kind === 'field' ? { source: from, destination } : { expression: from, destination },
  );
  const wanted = { ...manifest, mapping };
  const { platform } = watched.platform;
  const rows = mappingsOf({
    manifest: wanted,
    tenant: platform.settings.tenant,
  }) as unknown as JsonObject[];
  const fields = resolved(sandbox, schema);
  const faults = faultsOf({ mappings: rows }, fields);
  const lacking = [...foreseenOf(wanted).refused, ...unmappedWithin(fields.properties ?? {}, wanted)];
  const message = await messageIn(manifest, record);
  if ('says' in message) return { rows: faults, lacking, says: message.says, violations: [], unread: [] };
  const { sent } = message;
  // What cannot work at all is told beside its row, and the others go on.
  const map = compileMapping({ mappings: rows.filter((_, index) => faults[index] === null) }, fields, {
    now: () => platform.clock.now(),
    uuid: () => crypto.randomUUID(),
    organization: platform.settings.organization,
  });
  const { record: xdm, warnings } = map(sent);
  const validate = compileValidatorFor(resolvedForData(sandbox, schema), [xdm]);
  return {
    rows: faults.map(
      (fault, index) =>
        fault ??
        warnings.find(
          ({ mapping: one }) =>
            one.source === rows[index]?.source && one.destination === rows[index]?.destination,
        )?.reason ??
        null,
    ),
    lacking,
    xdm: shownJson(xdm),
    violations: validate(xdm).map(({ pointerToViolation, message: why }) => `${pointerToViolation}: ${why}`),
    unread: unreadIn(sent, lines),
  };
}

function schemaOf(watched: Watched, known: KnownPipeline): JsonObject | undefined {
  const sandbox = sandboxOf(watched, known);
  return sandbox && lookUp(sandbox, 'schemas', known.made?.schema?.id ?? '');
}

/** The record as the mapping gets it, by the forwarder's own stages; or why it gets none. */
async function messageIn(
  manifest: Manifest,
  text: string,
): Promise<{ readonly sent: JsonObject } | { readonly says: string }> {
  if (text.trim() === '') return { says: 'Type a record, or choose one.' };
  const value = read(text);
  if (value === undefined) return { says: `It is no JSON: ${jsonFault(text)}.` };
  const stand = standInFor(manifest);
  // What a format unpacks stands here as it comes out of it.
  if (stand === undefined || stand.format !== undefined)
    return isObject(value) ? { sent: value } : { says: 'The record is no object.' };
  const [outcome = 'filtered'] = await createOutcomes(stand)(Buffer.from(text));
  if (outcome === 'filtered') return { says: "The pipeline's rules filter this record: it is not sent." };
  if ('rejected' in outcome) return { says: `It is rejected before it is sent: ${outcome.rejected}.` };
  return { sent: outcome.sent as JsonObject };
}

function read(text: string): Json | undefined {
  try {
    return parseExactly(text);
  } catch {
    return undefined;
  }
}
