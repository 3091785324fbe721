// What operations of Data Prep need besides themselves: a dataset in Profile that takes updates, something mapped that identifies the profile, a dataset for new identities.
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

/** Every operation that a record of the pipeline can come with, and where the manifest says so. */
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

/** Whether records change parts of profiles, or delete them: what Data Prep calls streaming upserts. */
export function updatesProfiles(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(updates);
}

/** Whether any record is merged into what is in Profile already. */
export function merges(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(({ operation: { data } }) => data === 'merge');
}

/** Whether records link new identities, for which there has to be a dataset besides. */
export function linksIdentities(manifest: Pick<Operated, 'source'>): boolean {
  return operationsOf(manifest).some(links);
}

/** The identity dataset that the manifest names, and where. */
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
 * Conditions of streaming upserts (experienceleague.adobe.com/en/docs/experience-platform/data-prep/upserts), as far as a
 * manifest shows them: what is asked of the dataset, the schema and the mapping. AEP says nothing where they are not met: it
 * acknowledges the record and applies it nowhere. `hasIdentityMap`: whether records of an own schema can have one. `isUpsert` is our reading: that page asks for Profile alone, and Adobe's page on
 * the tag speaks of batches.
 */
export function checkOperations(manifest: Operated, hasIdentityMap: boolean, complain: Complain): void {
  const all = operationsOf(manifest);
  checkIdentityDatasets(all, complain);
  const update = all.find(updates);
  const needy = update ?? all.find(links);
  if (needy === undefined) return;
  const because = operationReason(needy);
  const { dataset } = manifest;
  // Where upsert alone is said, it is complained of already.
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

/** One for all operations: a pipeline has one identity dataset, which is named or made. */
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

/** What a profile is found by has to be in what is sent. Of an existing schema only AEP knows it: the plan looks there. */
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

/** Identities of any namespace; one of them says itself that it is the primary one. */
export const IDENTITY_MAP = 'identityMap';

/** Whether a mapping writes the field, or an object that holds it; of the identity map also a part of it. */
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
