// What the simulated platform answers on whole journeys: made, sent to, looked after, changed, retired; and to a visitor of all that it lists.
import { expect } from 'vitest';
import { doctor } from '../../lib/doctor/doctor.ts';
import { type Platform, wireText } from '../../local/aep/platform.ts';
import {
  CATALOG,
  caller,
  FLOWS,
  LIST,
  LOOKUP,
  type Made,
  makePipeline,
  PREP,
  REGISTRY,
  ROW,
  sendBatch,
  WARM_UP,
} from '../local/aep/support.ts';
import {
  EVENT_HUBS,
  inletManifest,
  KINESIS,
  keep,
  PUB_SUB,
  pulledManifest,
  richManifest,
  SECRETS,
} from '../provision/cases.ts';
import { surroundings } from '../support/doctoring.ts';
import { world } from '../support/provisioning.ts';
import type { Answered } from './descriptions.ts';

/** Writes down whatever it answers from now on. */
function overheard(platform: Platform, into: Answered[]): void {
  const note = (
    method: string,
    path: string,
    status: number,
    type: string | null,
    text: string | undefined,
  ) => {
    const isJson = type?.includes('json') && text !== undefined && text !== '';
    const body = isJson ? (JSON.parse(text) as unknown) : text;
    into.push({ method, path, status, contentType: type ?? undefined, body });
  };
  const { handle, fetch } = platform;
  platform.handle = async (call) => {
    const answer = await handle(call);
    note(call.method, call.path, answer.status, answer.headers['content-type'] ?? null, wireText(answer));
    return answer;
  };
  platform.fetch = async (request) => {
    const answer = await fetch(request);
    const { status, headers } = answer;
    const text = await answer.clone().text();
    note(request.method, new URL(request.url).pathname, status, headers.get('content-type'), text);
    return answer;
  };
}

const OTHER = [{ expression: 'upper(id)', destination: '_id' }];

/** Penstock's own: everything it makes, changes, asks about and removes, with an inlet and with sources that are pulled. */
export async function penstock(into: Answered[]): Promise<void> {
  for (const [manifest, secret] of [
    [inletManifest(), undefined],
    [richManifest(), undefined],
    [pulledManifest(KINESIS), SECRETS.kinesis],
    [pulledManifest(EVENT_HUBS), SECRETS['event-hubs']],
    [pulledManifest(PUB_SUB), SECRETS.pubsub],
  ] as const) {
    const own = world();
    overheard(own.platform, into);
    if (secret !== undefined) keep(own, secret);
    for (const input of [
      { manifest, mode: 'plan' },
      { manifest },
      { manifest },
      { manifest: { ...manifest, mapping: [...(manifest.mapping as object[]).slice(1), ...OTHER] } },
      { manifest, mode: 'retire', deleteData: true },
    ]) {
      const { status, cause } = await own.run(input);
      expect(cause ?? status).toBe('SUCCEEDED');
    }
  }
  const patient = await surroundings(undefined, ({ platform }) => overheard(platform, into));
  await doctor({ pipeline: 'people', doctor: true }, patient.runtime);
}

/** Somebody who sends good and bad data, and then looks at everything there is, in every way there is. */
export async function visitor(into: Answered[]): Promise<void> {
  const user = await caller();
  overheard(user.platform, into);
  const made = await makePipeline(user);
  user.clock.advance(WARM_UP);
  await sendBatch(user, made, [ROW, { ...ROW, id: null }, { ...ROW, dob: 'never' }]);
  await user.bare('POST', `/collection/${made.inletId}?syncValidation=true`, ROW, {
    'x-adobe-flow-id': made.flowId,
  });
  await user.bare('POST', `/collection/${made.inletId}`, '{');
  const batches = (await user.call('GET', `${CATALOG}/batches`)).body as Record<string, unknown>;
  for (const [path, headers] of pathsOf(made, Object.keys(batches)))
    await user.call('GET', path, undefined, headers);
}

const EXPORT = '/data/foundation/export';

function pathsOf(made: Made, batches: readonly string[]): (readonly [string, Record<string, string>?])[] {
  const flowService = Object.entries({
    connections: made.connectionId,
    sourceConnections: made.sourceId,
    targetConnections: made.targetId,
    flows: made.flowId,
  }).flatMap(
    ([kind, id]) =>
      [[`${FLOWS}/${kind}`], [`${FLOWS}/${kind}/${id}`], [`${FLOWS}/${kind}/${NOBODY}`]] as const,
  );
  const registry = ['schemas', 'fieldgroups', 'classes', 'datatypes'].flatMap((kind) =>
    ['tenant', 'global'].map((of) => [`${REGISTRY}/${of}/${kind}`, LIST] as const),
  );
  return [
    ...flowService,
    ...registry,
    [`${REGISTRY}/tenant/schemas/${encodeURIComponent(made.schemaId)}`, LOOKUP],
    [`${REGISTRY}/tenant/schemas/nobody`, LOOKUP],
    [`${REGISTRY}/tenant/descriptors`, LIST],
    [`${REGISTRY}/stats`],
    [`${FLOWS}/runs`],
    [`${FLOWS}/runs?property=flowId==${made.flowId}`],
    [`${FLOWS}/flowSpecs`],
    [`${FLOWS}/connectionSpecs`],
    [`${CATALOG}/dataSets`],
    [`${CATALOG}/dataSets/${made.dataSetId}`],
    [`${CATALOG}/dataSets/${'0'.repeat(24)}`],
    [`${CATALOG}/batches`],
    [`${CATALOG}/lastBatches`],
    ...batches.flatMap((id) => [
      [`${CATALOG}/batches/${id}`] as const,
      ...['files', 'failed', 'meta'].map((what) => [`${EXPORT}/batches/${id}/${what}`] as const),
    ]),
    [`${PREP}/mappingSets`],
    [`${PREP}/mappingSets/${made.mappingId}`],
    [`${PREP}/mappingSets/${made.mappingId}/mappings`],
    [`${PREP}/languages/el/functions`],
    [`${PREP}/languages/el/operators`],
    ['/data/core/idnamespace/identities'],
    ['/data/foundation/sandbox-management/'],
    ['/data/foundation/sandbox-management/sandboxes'],
    ['/data/foundation/sandbox-management/sandboxes/dev1'],
  ];
}

const NOBODY = '00000000-0000-4000-8000-000000000000';
