// A flow that is switched off: has AEP disabled it, and may it be switched on again? Release notes of June
// 2026, Sources: AEP disables a flow that fails for 30 days. Correct the cause, then enable it.
import type { Batch } from '../../aep/catalog.ts';
import type { Flow } from '../../aep/flow-service.ts';
import { Failure } from '../../failure.ts';
import { mappingSetOf } from './mapping.ts';
import type { Context, Situation } from './resource.ts';
import { trySamples } from './trial.ts';

const DAY_MS = 86_400_000;
const FAILING_MS = 30 * DAY_MS;
/** AEP need not check every hour. */
const SLACK_MS = DAY_MS;

/**
 * Whether AEP seems to have disabled the flow: batches have failed for 30 days or longer, and none has landed
 * since. AEP does not say who disabled a flow, so Catalog's batches tell. If one page of batches is not
 * enough, the answer is no.
 * @throws Failure of Catalog's calls
 */
export async function isDisabledByAep(
  flow: Flow,
  { aep, runtime }: Context,
  datasetId: string | undefined,
): Promise<boolean> {
  if (flow.state !== 'disabled' || datasetId === undefined) return false;
  const since = (flow.updatedAt ?? runtime.clock.now()) - FAILING_MS;
  const older = { datasetId, createdAfter: since - FAILING_MS, start: 0 };
  const [landed, ...failed] = await Promise.all([
    aep.catalog.succeededBatches({ datasetId, createdAfter: since, start: 0 }),
    aep.catalog.failedBatches({ ...older, status: 'failed' }),
    aep.catalog.failedBatches({ ...older, status: 'failure' }),
  ]);
  const ofFlow = ({ tags }: Batch) => tags?.flowId?.includes(flow.id) ?? true;
  const old = ({ created }: Batch) => (created ?? since) <= since + SLACK_MS;
  const failing = failed.some(({ batches }) => batches.some((batch) => ofFlow(batch) && old(batch)));
  return failing && !landed.more && !landed.batches.some(ofFlow);
}

/**
 * Tries the samples before a disabled flow is enabled; otherwise it would go on failing.
 * @throws Failure `MAPPING_INVALID` if the samples do not become the expected XDM.
 * @throws Failure `AEP_REFUSED` if AEP has disabled the flow and there are no samples.
 */
export async function mayBeEnabled(
  { id }: Flow,
  byAep: boolean,
  situation: Situation,
  { aep }: Context,
): Promise<void> {
  const { samples, resources, tenant } = situation;
  if (samples !== undefined && resources.mapping !== undefined)
    return trySamples(aep, mappingSetOf(situation), samples, tenant);
  if (byAep)
    throw new Failure(
      'AEP_REFUSED',
      `AEP has disabled the flow ${id}, and there are no samples to prove that the cause is corrected`,
      {
        next: 'In AEP, under Monitoring, see why its batches failed, and correct that. Then start it with samples beside the manifest, or enable the flow in AEP by hand.',
      },
    );
}
