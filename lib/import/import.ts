// Import: makes manifests of pipelines that somebody made in AEP by hand. Reads only.
import type { ListedFlow } from '../aep/index.ts';
import { type Failure, type FailureCode, isFailure, reasonOf } from '../failure.ts';
import type { Context } from '../provision/resources/resource.ts';
import type { InSandbox } from '../provision/steps/step.ts';
import type { LedgerRuntime, Runtime } from '../runtime.ts';
import { appliedSource } from './applied.ts';
import { drawManifest, type ImportGiven } from './draw-manifest.ts';
import { type ImportFinding, prevents } from './finding.ts';
import { rehearse } from './rehearse.ts';
import { type ImportRequest, importRequest, MAX_IMPORTED } from './request.ts';
import { foreignFlow, type Surroundings, surroundingsOf, walkFrom } from './walk.ts';

/** One flow, and the manifest that says the same. */
export interface Imported {
  readonly flow: string;
  /** The flow's name in AEP. */
  readonly name?: string;
  /** Absent if it is no pipeline. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Whether the next plan of the manifest, as it is, changes nothing of it in AEP. */
  readonly complete: boolean;
  /** Why AEP did not let the flow or a part of it be read. */
  readonly failed?: FailureCode;
  /** What the manifest does not say, or what keeps it from being one. */
  readonly findings: readonly ImportFinding[];
}

export interface ImportAnswer {
  readonly imported: readonly Imported[];
  /** To be sent back for what follows; absent at the end. */
  readonly continue?: string;
}

export type ImportRuntime = Runtime & { readonly ledger: Pick<LedgerRuntime['ledger'], 'read'> };

/**
 * @throws Failure `EVENT_INVALID`
 * @throws Failure `AWS_*` if the ledger cannot be read
 * @throws Failure `AEP_*` if AEP is away, or does not know the flow or the dataset that is asked for
 */
export async function importing(
  event: unknown,
  { ledger }: ImportRuntime,
  contextOf: (of: InSandbox) => Context,
): Promise<ImportAnswer> {
  const request = importRequest(event);
  const { sandbox, credentials } = request;
  const context = contextOf({ manifest: { sandbox, credentials } });
  const around = surroundingsOf(context.aep);
  const { flows, next } = await askedFlows(request, context);
  const imported: Imported[] = [];
  for (const flow of flows)
    imported.push(
      await importOne(flow, givenBy(request), context, around, ledger).catch((error: unknown) => {
        if ('flow' in request || !isOfAep(error)) throw error;
        const last = imported.at(-1);
        // One flow may have a broken part for ever. If the next one fails as well, AEP may be away.
        if (last?.failed === error.code && request.skipUnreadable !== true)
          throw perhapsAway(error, last, flow);
        return unread(flow, error);
      }),
    );
  return { imported: fitting(imported), ...(next !== undefined && { continue: next }) };
}

function perhapsAway(error: Failure, { flow }: Imported, { id }: ListedFlow): Failure {
  const skip = 'add "skipUnreadable": true (penstock import --skip-unreadable)';
  return error
    .after(`; two flows in a row cannot be read (${flow}, ${id})`)
    .advising(`${error.next} If it is always these flows, ${skip}: the others are imported.`);
}

function givenBy(request: ImportRequest): ImportGiven {
  const { sandbox, credentials } = request;
  if ('all' in request) return { sandbox, credentials };
  const { stream, sourceCredentials } = request;
  return {
    sandbox,
    credentials,
    stream,
    sourceCredentials,
    ...('flow' in request && { name: request.name }),
  };
}

async function askedFlows(
  request: ImportRequest,
  { aep: { flowService, catalog } }: Context,
): Promise<{ flows: readonly ListedFlow[]; next?: string | undefined }> {
  if ('flow' in request) return { flows: [await flowService.getFlow(request.flow)] };
  if ('all' in request) return flowService.flowsPage(request.limit ?? MAX_IMPORTED, request.continue);
  // One that is not there is told as such, and not as one without flows.
  await catalog.getDataset(request.dataset);
  const targets = await flowService.findTargetConnections(request.dataset);
  return { flows: await flowService.findFlowsWriting(targets.map(({ id }) => id)) };
}

async function importOne(
  listed: ListedFlow,
  given: ImportGiven,
  context: Context,
  around: Surroundings,
  ledger: ImportRuntime['ledger'],
): Promise<Imported> {
  const about = aboutOf(listed);
  const foreign = foreignFlow(listed);
  if (foreign !== undefined) return { ...about, complete: false, findings: [foreign] };
  try {
    const walked = await walkFrom(await context.aep.flowService.getFlow(listed.id), around);
    if ('effect' in walked) return { ...about, complete: false, findings: [walked] };
    const { manifest, checked, findings } = drawManifest(walked, {
      ...given,
      applied: await appliedSource(walked, given.sandbox, ledger),
    });
    const hindered = findings.some(({ effect }) => effect === 'prevents');
    const rest = checked === undefined || hindered ? [] : await rehearse(checked, walked, context);
    const all = [...findings, ...rest];
    return { ...about, manifest, complete: all.every(({ effect }) => effect === 'kept'), findings: all };
  } catch (error) {
    if (!isFailure(error) || !OF_FLOW.includes(error.code)) throw error;
    return unread(listed, error);
  }
}

function aboutOf({ id, name }: ListedFlow): Pick<Imported, 'flow' | 'name'> {
  return { flow: id, ...(name !== undefined && { name }) };
}

function unread(listed: ListedFlow, error: Failure): Imported {
  const findings = [prevents('flow', reasonOf(error))];
  return { ...aboutOf(listed), complete: false, failed: error.code, findings };
}

/** It is about what one flow leads to: then the others can still be imported. */
const OF_FLOW: readonly FailureCode[] = ['AEP_NOT_FOUND', 'AEP_FORBIDDEN', 'AEP_REFUSED', 'AEP_UNEXPECTED'];

/** AEP answered so, or not at all. Some services answer 401 where only a permission is missing. */
function isOfAep(error: unknown): error is Failure {
  return isFailure(error) && error.code.startsWith('AEP_');
}

/** Lambda's answers end at 6 MB. */
const MAX_IMPORT_BYTES = 5_000_000;

/** Leaves out the manifests for which there is no room: each of them can be imported alone. */
function fitting(imported: readonly Imported[]): Imported[] {
  let room = MAX_IMPORT_BYTES;
  return imported.map((one) => {
    room -= Buffer.byteLength(JSON.stringify(one));
    if (room >= 0) return one;
    const { manifest: _, ...rest } = one;
    const full = prevents('flow', 'the answer has no room for its manifest: import this flow alone');
    return { ...rest, complete: false, findings: [full] };
  });
}
