// What the mapping of a route's flow in AEP makes of messages: Data Prep's preview, which stores nothing.
import type { Aep } from '../aep/client.ts';
import { type NewMappingSet, placeText } from '../aep/data-prep.ts';
import { isFailure, reasonOf } from '../failure.ts';
import { isPath } from '../import/draw-mapping.ts';
import { mappingIn } from '../import/walked.ts';
import { withDigits } from '../json-text.ts';
import type { PublishedRoute } from '../published.ts';

/** What the mapping makes of one message. */
export interface PreviewedMessage {
  /** JSON. */
  readonly maps?: string;
  /** Rows of the mapping that fail. */
  readonly faults?: readonly string[];
  /** Why there is no preview: a code, and what it says. */
  readonly unmapped?: string;
}

/** A larger message is not tried: the preview is for looking, and its page names no limit. */
const MAX_PREVIEWED_CHARACTERS = 100_000;

/**
 * One for each message, in their order. A failure of AEP is told with the messages: what would be sent is known
 * without it.
 * @param messages as a request would have them
 */
export async function previewAll(
  messages: readonly string[],
  route: PublishedRoute,
  aep: Pick<Aep, 'dataPrep' | 'flowService'>,
): Promise<PreviewedMessage[]> {
  // AEP maps no XDM.
  if (route.data === 'xdm') return messages.map(() => ({}));
  const rows = await previewRows(messages.filter(isSmall), route, aep);
  let at = 0;
  return messages.map((text) =>
    isSmall(text)
      ? (rows[at++] ?? {})
      : { unmapped: `it has more than ${MAX_PREVIEWED_CHARACTERS} characters, and is not tried` },
  );
}

async function previewRows(
  messages: readonly string[],
  route: PublishedRoute,
  aep: Pick<Aep, 'dataPrep' | 'flowService'>,
): Promise<PreviewedMessage[]> {
  if (messages.length === 0) return [];
  try {
    const set = await mappingOf(route, aep);
    if (set === undefined) return messages.map(() => ({ unmapped: 'its flow in AEP has no mapping' }));
    const records = messages.map((text) => mappedPart(text, route));
    const rows = await aep.dataPrep.previewMappings(set, records, withDigits);
    return rows.map(({ data, errors }) => ({
      maps: JSON.stringify(data ?? null),
      ...(errors.length > 0 && {
        faults: errors.map((fault) => `${placeText(fault)}: ${fault.message}`),
      }),
    }));
  } catch (error) {
    if (!isFailure(error)) throw error;
    const unmapped = `${error.code}: ${reasonOf(error)}`;
    return messages.map(() => ({ unmapped }));
  }
}

/** In the version that the flow uses: another one may be newer. */
async function mappingOf(
  { flowId, schemaId, pipeline }: PublishedRoute,
  { flowService, dataPrep }: Pick<Aep, 'dataPrep' | 'flowService'>,
): Promise<NewMappingSet | undefined> {
  const { mappingId, mappingVersion } = mappingIn(await flowService.getFlow(flowId))?.params ?? {};
  if (mappingId === undefined) return undefined;
  const set = await dataPrep.getMappingSet(mappingId, mappingVersion);
  const mappings = (set.mappings ?? []).map((row) => ({
    sourceType: isPath(row) ? ('ATTRIBUTE' as const) : ('EXPRESSION' as const),
    source: row.source,
    destination: row.destination,
  }));
  return { name: set.name ?? pipeline, schemaId: set.schemaId ?? schemaId, mappings };
}

/** An operation of Data Prep has the record as its body. */
function mappedPart(text: string, { records }: PublishedRoute): unknown {
  const message = withDigits(text);
  return records?.operations === undefined ? message : (message as { body: unknown }).body;
}

function isSmall(text: string): boolean {
  return text.length <= MAX_PREVIEWED_CHARACTERS;
}
