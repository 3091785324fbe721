// Checks in AEP: sandbox, flow, mapping, connection, inlet, and the dataset's batches.
import { exchange } from '../aep/exchange.ts';
import type { Flow } from '../aep/flow-service.ts';
import { inletAddress } from '../aep/inlet.ts';
import { Failure, isFailure } from '../failure.ts';
import { ok, type Said, wrong } from './check.ts';
import type { Patient } from './patient.ts';

const AGAIN = 'Provision the pipeline again: the plan says what has changed.';

export async function sandbox({ aep, manifest }: Patient): Promise<Said> {
  const { sandbox: name } = manifest();
  const all = await aep().sandboxes.visible();
  const found = all.find((one) => one.name === name);
  if (found === undefined)
    throw new Failure('AEP_NOT_FOUND', `there is no sandbox ${name} that the technical account may use`, {
      next: 'Correct the name in the manifest, or give the technical account a role for that sandbox.',
    });
  if (found.state === 'active' || !found.state) return ok(`${name} is active`);
  throw new Failure('AEP_BUSY', `the sandbox ${name} is ${found.state}`, {
    next: 'Wait until it is active. A sandbox that was reset or deleted has lost the pipeline: provision it again.',
  });
}

// AEP does not say who disabled a flow. Release notes of June 2026, Sources.
const ENABLE =
  'Enable it in AEP, or provision again. If it failed for 30 days, AEP has disabled it: first correct what Monitoring shows.';

/** States that pass by themselves. Contract §4.2. */
const PASSING = new Set(['initializing', 'enabling', 'updating', 'inProgress']);

export async function flowCheck(patient: Patient): Promise<Said> {
  const { id, state = 'unknown' } = await advising(AGAIN, patient.flow());
  if (state === 'enabled') return ok(`${id} is enabled`);
  return wrong(`${id} is ${state}`, PASSING.has(state) ? 'Wait: that passes by itself.' : ENABLE);
}

export async function mappingCheck({ aep, flow, manifest, known }: Patient): Promise<Said> {
  const { mapping: wanted } = manifest();
  const used = mappingOf(await flow());
  if (used === undefined)
    return wanted === undefined
      ? ok('none: records are XDM already')
      : wrong('the flow has no mapping, and the manifest has one', AGAIN);
  const set = await advising(AGAIN, aep().dataPrep.getMappingSet(used));
  const provisioned = known('mapping');
  if (provisioned === undefined || provisioned === used)
    return ok(`${set.id} is there, and the flow refers to it`);
  return wrong(`the flow refers to ${used}, and ${provisioned} was provisioned`, AGAIN);
}

function mappingOf({ transformations }: Flow): string | undefined {
  return transformations?.map(({ params }) => params?.mappingId).find((id) => id !== undefined);
}

/** For a source: whether AEP reaches it. For an inlet: whether it exists, and is the published one. */
export async function connection({ aep, flow, manifest, published }: Patient): Promise<Said> {
  const { flowService } = aep();
  const [sourceId] = (await flow()).sourceConnectionIds ?? [];
  if (sourceId === undefined) return wrong('the flow has no source connection', AGAIN);
  const { baseConnectionId } = await advising(AGAIN, flowService.getSourceConnection(sourceId));
  if (baseConnectionId === undefined) return wrong(`${sourceId} has no base connection`, AGAIN);
  const { id, auth } = await advising(AGAIN, flowService.getConnection(baseConnectionId));
  if (manifest().source.kind === 'inlet' && auth?.params?.inletUrl !== (await published()).inletUrl)
    return wrong(`the inlet of ${id} is not the one that is published`, AGAIN);
  if (await flowService.testConnection(id)) return ok(`${id} is there and passes AEP's test`);
  return wrong(`${id} does not pass AEP's test`, 'In AEP, under Sources, see why.');
}

/**
 * Any answer shows that the network path is open. Nothing is sent to the inlet: only its answers to data are
 * documented.
 */
export async function inlet({ published, runtime }: Patient): Promise<Said> {
  const { inletUrl } = await published();
  const { origin } = new URL(inletAddress(inletUrl, runtime.settings.inletOrigins).single);
  const { status } = await exchange(runtime, {
    method: 'GET',
    url: `${origin}/`,
    headers: {},
    label: 'inlet GET /',
    timeoutMs: 6_000,
  });
  if (status < 500) return ok(`${origin} is allowed, and answers`);
  return wrong(`${origin} answers ${status}`, 'Wait: Adobe reports a problem. Records wait in the stream.');
}

const DAY_MS = 86_400_000;
const MAX_CODES = 5;

/** Failed batches of the dataset in the last 24 h. AEP may refuse only some rows of them. */
export async function batches({ aep, flow, manifest, record, runtime }: Patient): Promise<Said> {
  const createdAfter = runtime.clock.now() - DAY_MS;
  const [targetId] = (await flow()).targetConnectionIds ?? [];
  if (targetId === undefined) return wrong('the flow has no target connection', AGAIN);
  const target = await advising(AGAIN, aep().flowService.getTargetConnection(targetId));
  const datasetId = target.params?.dataSetId;
  if (datasetId === undefined) return wrong(`${targetId} has no dataset`, AGAIN);
  const pages = await Promise.all(
    (['failed', 'failure'] as const).map((status) =>
      aep().catalog.failedBatches({ datasetId, status, createdAfter, start: 0 }),
    ),
  );
  const all = new Map(pages.flatMap((page) => page.batches).map((batch) => [batch.id, batch]));
  if (all.size === 0) return ok(`none of ${datasetId} has failed in 24 h`);
  const count = pages.some(({ more }) => more) ? `more than ${all.size}` : String(all.size);
  const codes = new Set(
    [...all.values()].flatMap(({ errors }) => (errors ?? []).map(({ code }) => adobeCode(code))),
  );
  const named = [...codes].filter((code) => code !== undefined).slice(0, MAX_CODES);
  const isInlet = manifest().source.kind === 'inlet';
  const fetching = { to: 'fetch them now', function: 'reconcile', event: { pipeline: record.pipeline } };
  return wrong(
    `${count} of ${datasetId} failed in 24 h${named.length === 0 ? '' : ` (${named.join(', ')})`}`,
    isInlet
      ? 'Reconcile fetches their rows into the dead-letter store, with the reason, within 15 minutes. Correct the cause, then redrive.'
      : 'Look at the batches in AEP, under Monitoring: they say which rows were refused, and why.',
    isInlet ? fetching : undefined,
  );
}

/** Adobe's codes are as short; anything else may quote a record. */
function adobeCode(code: string | null | undefined): string | undefined {
  return code && /^[\w-]{1,40}$/.test(code) ? code : undefined;
}

/**
 * Reads something in the sandbox, which the same token found. So a 401 here means a missing permission, not a
 * bad token.
 */
export function permitted(look: (patient: Patient) => Promise<Said>): (patient: Patient) => Promise<Said> {
  return async (patient) => {
    try {
      return await look(patient);
    } catch (error) {
      throw isFailure(error) && error.code === 'AEP_UNAUTHORIZED' ? error.advising(LACKING) : error;
    }
  };
}

const LACKING =
  'The token is valid: the sandboxes were read with it. A permission is missing: give the technical account a role with it for this sandbox.';

/** Provisioning makes again what is missing. Other failures give their own advice. */
async function advising<T>(next: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw isFailure(error) && error.code === 'AEP_NOT_FOUND' ? error.advising(next) : error;
  }
}
