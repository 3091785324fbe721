// What operations of Data Prep need: a dataset in Profile that takes updates, mapped identities, an identity
// dataset.
import type { Operation, Records } from './records.ts';

/** The part of a manifest that decides. */
export interface Operated {
  readonly source: { readonly kind: string; readonly records?: Records | undefined };
  readonly schema: { readonly id: string } | SchemaByParts;
  readonly dataset: { readonly profile?: boolean | undefined; readonly upsert?: boolean | undefined };
  readonly mapping?: readonly { readonly destination: string }[] | undefined;
}

interface SchemaByParts {
  readonly identities: readonly { readonly path: string; readonly primary: boolean }[];
}

type Path = (string | number)[];
type Complain = (path: Path, message: string, input: unknown) => void;

interface Placed {
  readonly at: Path;
  readonly operation: Operation;
}

/** Every operation that the pipeline's records can have, and its place in the manifest. */
function operationsOf({ source }: Pick<Operated, 'source'>): Placed[] {
  const operations = source.records?.operations;
  if (operations === undefined) return [];
  const at = ['source', 'records', 'operations'];
  if ('data' in operations) return [{ at, operation: operations }];
  return Object.entries(operations.values).map(([value, operation]) => ({
    at: [...at, 'values', value],
    operation,
  }));
}

const updates = ({ operation: { data } }: Placed): boolean => data !== 'create';
const links = ({ operation: { identity } }: Placed): boolean => identity !== undefined;

/** Whether records change parts of profiles, or delete them: Data Prep's streaming upserts. */
export function updatesProfiles(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(updates);
}

/** Whether any record is merged into an existing profile. */
export function merges(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(({ operation: { data } }) => data === 'merge');
}

/** Whether records link new identities; that needs another dataset. */
export function linksIdentities(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(links);
}

/** The identity dataset that the manifest names, and its place. */
export function namedIdentityDataset(
  manifest: Pick<Operated, 'source'>,
): { readonly id: string; readonly path: string } | undefined {
  const found = operationsOf(manifest).find((one) => links(one) && one.operation.identityDatasetId);
  const id = found?.operation.identityDatasetId;
  return found === undefined || id === undefined
    ? undefined
    : { id, path: [...found.at, 'identityDatasetId'].join('.') };
}

/**
 * Conditions of streaming upserts, as far as a manifest shows them: on dataset, schema and mapping. Source:
 * experienceleague.adobe.com/en/docs/experience-platform/data-prep/upserts. AEP does not report a violation:
 * it acknowledges the record and applies it nowhere. `hasIdentityMap`: whether records of an own schema can
 * have one. `isUpsert` is our reading: that page asks for Profile alone, and Adobe's page on the tag is about
 * batches.
 */
export function checkOperations(manifest: Operated, hasIdentityMap: boolean, complain: Complain): void {
  const all = operationsOf(manifest);
  checkIdentityDatasets(all, complain);
  const update = all.find(updates);
  const needy = update ?? all.find(links);
  if (needy === undefined) return;
  const because = operationReason(needy);
  const { dataset } = manifest;
  // `upsert` without `profile` is reported already.
  if (dataset.profile !== true && dataset.upsert !== true)
    complain(['dataset', 'profile'], `expected true, ${because}`, dataset.profile);
  if (update !== undefined && dataset.upsert !== true)
    complain(['dataset', 'upsert'], `expected true, ${because}`, dataset.upsert);
  checkIdentified(manifest, hasIdentityMap, because, complain);
}

function operationReason({ at, operation }: Placed): string {
  return operation.data === 'create'
    ? `because ${[...at, 'identity'].join('.')} is "create"`
    : `because ${[...at, 'data'].join('.')} is "${operation.data}"`;
}

/** One for all operations: a pipeline has one identity dataset, named or made. */
function checkIdentityDatasets(all: readonly Placed[], complain: Complain): void {
  const first = all.find(links);
  for (const { at, operation } of all) {
    const id = operation.identityDatasetId;
    const path = [...at, 'identityDatasetId'];
    if (operation.identity === undefined) {
      if (id !== undefined) complain(path, 'not allowed without "identity": "create"', id);
    } else if (id !== first?.operation.identityDatasetId) {
      const wanted = first?.operation.identityDatasetId ?? 'none, and one is made';
      complain(path, `expected the same for every operation: the first one has ${wanted}`, id);
    }
  }
}

/**
 * A record must hold what identifies its profile. Only AEP knows an existing schema's identities: the plan
 * looks there.
 */
function checkIdentified(
  { schema, mapping }: Operated,
  hasIdentityMap: boolean,
  because: string,
  complain: Complain,
): void {
  if ('id' in schema) return;
  const index = schema.identities.findIndex(({ primary }) => primary);
  const primary = schema.identities[index];
  if (primary !== undefined) {
    if (!isMapped(primary.path, mapping)) {
      const message = `is the primary identity, and no mapping leads to it; expected one, ${because}`;
      complain(['schema', 'identities', index, 'path'], message, primary.path);
    }
    return;
  }
  if (!hasIdentityMap) {
    const message = `expected a primary identity, or the field group identitymap and a mapping to identityMap, ${because}`;
    complain(['schema', 'identities'], message, schema.identities);
  } else if (!isMapped(IDENTITY_MAP, mapping)) {
    const message = `expected a mapping to identityMap, or a primary identity in schema.identities and a mapping to it, ${because}`;
    complain(['mapping'], message, mapping?.map(({ destination }) => destination).join(', '));
  }
}

/** Identities of any namespace; one of them is marked as the primary identity. */
export const IDENTITY_MAP = 'identityMap';

/** Whether a mapping writes the field, or an object that holds it; or, for the identity map, a part of it. */
export function isMapped(path: string, mapping: Operated['mapping']): boolean {
  const wanted = inAnyTenant(path);
  return (mapping ?? []).some(({ destination }) => {
    const written = inAnyTenant(destination);
    return (
      written === wanted ||
      wanted.startsWith(`${written}.`) ||
      (path === IDENTITY_MAP && written.startsWith(`${IDENTITY_MAP}.`))
    );
  });
}

/** The organization's namespace may be written out. */
function inAnyTenant(path: string): string {
  return path.replace(/^_[^.]+(?=\.)/, '{tenant}');
}
