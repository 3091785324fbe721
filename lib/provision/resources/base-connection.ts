// The base connection: an HTTP API connection with the inlet, or AEP's connection to a foreign source.
import type { Connection } from '../../aep/flow-service.ts';
import { isFailure } from '../../failure.ts';
import type { PulledSource } from '../../manifest.ts';
import { nameInAep } from '../../pipeline.ts';
import { streamNameOf } from '../../published.ts';
import { adoptEntity } from './adopt.ts';
import { fingerprintOf } from './fingerprint.ts';
import { toldInletMark } from './inlet.ts';
import { describe, type OwnershipTag, tagInDescription } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  type Difference,
  differenceIfTold,
  type Found,
  type Situation,
  tagOf,
} from './resource.ts';
import {
  authSpecOf,
  connectionSpecOf,
  isPulled,
  openAuthDifferences,
  openAuthParams,
  readSourceCredentials,
  type SourceCredentials,
  sourceDifference,
  sourceKindOf,
} from './source.ts';

/**
 * What AEP does not tell of the connection: the stream that feeds an inlet, or the secret of its credentials.
 */
function connectionNotes(
  { manifest, streamArn }: Situation,
  credentials: SourceCredentials | undefined,
): OwnershipTag['notes'] {
  const { source } = manifest;
  if (source.kind === 'inlet') return { stream: streamNameOf(streamArn ?? source.stream) };
  return credentials && { credentials: credentials.fingerprint, account: accountOf(source) };
}

/** A hash of what AEP was told of the account besides its credentials. AEP need not tell it again. */
function accountOf(source: PulledSource): string {
  return fingerprintOf(openAuthParams(source));
}

/** Other parameters need another connection in AEP. Credentials alone can be exchanged. */
function differencesOf(
  one: Connection,
  situation: Situation,
  credentials: SourceCredentials | undefined,
): Difference[] {
  const { source } = situation.manifest;
  const told: Readonly<Record<string, unknown>> = one.auth?.params ?? {};
  const notes = tagInDescription(one.description)?.notes;
  const ofSpec = [
    // The forwarder feeds one source, and AEP reads the other: no change between them is without a gap.
    ...differenceIfTold('source.kind', sourceKindOf(one.connectionSpec?.id), source.kind, 'conflict'),
    ...differenceIfTold('authentication', one.auth?.specName, authSpecOf(source), 'replace'),
  ];
  if (isPulled(source)) {
    return [
      ...ofSpec,
      ...openAuthDifferences(source, told).flatMap(([name, found, wanted]) =>
        sourceDifference(name, found, wanted),
      ),
      ...(tellsAccount(source, told)
        ? []
        : differenceIfTold('source account', notes?.account, accountOf(source), 'replace')),
      ...(credentials === undefined
        ? []
        : differenceIfTold('credentials', notes?.credentials, credentials.fingerprint, 'update')),
    ];
  }
  return [
    ...ofSpec,
    ...differenceIfTold('source.data', told.dataType, source.data, 'replace'),
    ...differenceIfTold(
      'source.authenticationRequired',
      told.authenticationRequired,
      source.authenticationRequired,
      'replace',
    ),
    ...differenceIfTold(
      'source.stream',
      notes?.stream,
      connectionNotes(situation, undefined)?.stream,
      'conflict',
    ),
  ];
}

function tellsAccount(source: PulledSource, told: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(openAuthParams(source)).some((name) => told[name] !== undefined);
}

function asFound(one: Connection, situation: Situation, credentials: SourceCredentials | undefined): Found {
  const inlet = toldInletMark(one);
  return {
    id: one.id,
    name: one.name,
    ownershipTag: tagInDescription(one.description),
    differences: differencesOf(one, situation, credentials),
    createdAt: one.createdAt,
    revision: one.etag,
    ...(inlet !== undefined && { details: { inlet } }),
  };
}

async function sourceCredentialsOf({ runtime }: Context, { manifest }: Situation) {
  return isPulled(manifest.source) ? readSourceCredentials(manifest.source, runtime) : undefined;
}

/** For comparing only: a pipeline can be retired after its credentials were deleted. */
async function credentialsIfThere(context: Context, situation: Situation) {
  try {
    return await sourceCredentialsOf(context, situation);
  } catch (error) {
    if (isFailure(error) && (error.code === 'SECRET_MISSING' || error.code === 'SECRET_INVALID'))
      return undefined;
    throw error;
  }
}

function authParams({ manifest, execution }: Situation, credentials: SourceCredentials | undefined) {
  const { source } = manifest;
  if (isPulled(source)) return { ...openAuthParams(source), ...credentials?.params };
  const name = nameInAep('base-connection', manifest);
  return {
    // Adobe says names are unique (contract §4.2): a second inlet beside the first needs another name.
    sourceId: `${name}-${execution.name}`.slice(0, 200),
    name,
    dataType: source.data,
    authenticationRequired: source.authenticationRequired,
  };
}

export const baseConnection: ChangeableResource = {
  kind: 'changeable',
  key: 'base-connection',
  needed: () => true,

  async find(context, situation) {
    const { manifest } = situation;
    const credentials = await credentialsIfThere(context, situation);
    const found = await context.aep.flowService.findConnections({
      name: nameInAep('base-connection', manifest),
      specId: connectionSpecOf(manifest.source),
    });
    return found.map((one) => asFound(one, situation, credentials));
  },

  async get(context, situation, id) {
    const one = await context.aep.flowService.getConnection(id);
    return asFound(one, situation, await credentialsIfThere(context, situation));
  },

  async create(context, situation, ownershipTag) {
    const { manifest } = situation;
    const credentials = await sourceCredentialsOf(context, situation);
    const notes = connectionNotes(situation, credentials);
    const id = await context.aep.flowService.createConnection({
      name: nameInAep('base-connection', manifest),
      description: describe({ ...ownershipTag, notes }, manifest.description),
      specId: connectionSpecOf(manifest.source),
      auth: { specName: authSpecOf(manifest.source), params: authParams(situation, credentials) },
    });
    return { id };
  },

  async update(context, situation, id) {
    const one = await context.aep.flowService.getConnection(id);
    const credentials = await sourceCredentialsOf(context, situation);
    if (asFound(one, situation, credentials).differences.length === 0) return;
    const ownershipTag = tagInDescription(one.description);
    const notes = { ...ownershipTag?.notes, ...connectionNotes(situation, credentials) };
    const description = describe(
      { ...tagOf(situation), ...ownershipTag, notes },
      situation.manifest.description,
    );
    const auth = {
      specName: authSpecOf(situation.manifest.source),
      params: authParams(situation, credentials),
    };
    await context.aep.flowService.patch(
      'connections',
      id,
      [
        { op: 'replace', path: '/auth', value: auth },
        { op: 'replace', path: '/description', value: description },
      ],
      one.etag ?? '',
    );
  },

  async adopt(context, situation, id, ownershipTag) {
    const notes = connectionNotes(situation, await sourceCredentialsOf(context, situation));
    await adoptEntity(context, 'connections', await context.aep.flowService.getConnection(id), {
      ...ownershipTag,
      notes,
    });
  },

  remove: ({ aep }, id) => aep.flowService.deleteConnection(id),
};
