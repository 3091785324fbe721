// The mapping of a manifest, from the mapping set that a flow uses.
import type { ReadMapping } from '../aep/data-prep.ts';
import { type Expressed, type ImportFinding, kept, prevents } from './finding.ts';
import { mappingIn, type WalkedFlow } from './walked.ts';

type DrawnRow = Readonly<Record<string, string>>;

/** Rows in the manifest's form; `undefined` where the flow maps nothing. */
export function drawMapping(walked: WalkedFlow, data: unknown): Expressed<readonly DrawnRow[] | undefined> {
  const { flow, mappingSet, tenant } = walked;
  const others = (flow.transformations ?? [])
    .filter((one) => one !== mappingIn(flow))
    .map(({ name }) =>
      kept(
        'flow.transformations',
        `the flow has a transformation ${name ?? 'without a name'}, for which a manifest has no word`,
      ),
    );
  if (mappingSet?.mappings === undefined) {
    const none =
      mappingSet === undefined ? 'the flow has no mapping' : `AEP tells no rows of the set ${mappingSet.id}`;
    const unmapped =
      data === 'raw'
        ? [prevents('mapping', `${none}, and its data is raw: AEP lets nothing of it through`)]
        : [];
    return { value: undefined, findings: [...others, ...unmapped] };
  }
  if (data === 'xdm') {
    const why = 'the flow maps what comes as XDM; a pipeline maps raw data alone';
    return { value: undefined, findings: [...others, prevents('mapping', why)] };
  }
  const rows = mappingSet.mappings.map((row, index) => rowOf(row, index, tenant));
  return {
    value: rows.map(({ value }) => value),
    findings: [...others, ...rows.flatMap(({ findings }) => findings)],
  };
}

/** AEP's words for a path; a legacy row does not name its kind. Contract §5.1. */
export function isPath({ source, sourceType }: ReadMapping): boolean {
  return sourceType === '' ? /^[\w.$[\]]+$/.test(source) : /attribute|schema-path/i.test(sourceType);
}

function rowOf(read: ReadMapping, index: number, tenant: string): Expressed<DrawnRow> {
  const destination = tenantFree(read.destination, tenant);
  const value: DrawnRow = isPath(read)
    ? { source: read.source, destination }
    : { expression: read.source, destination };
  const path = `mapping.${index}`;
  return {
    value,
    findings: [
      ...literalTenant(path, read),
      ...(/static/i.test(read.sourceType)
        ? [
            kept(
              path,
              'AEP has it as a constant (STATIC); the manifest has its text as it is. In a set made anew it would need quotes',
            ),
          ]
        : []),
    ],
  };
}

/** `{tenant}` stands for something in a manifest, and for itself in AEP. */
function literalTenant(path: string, { source, destination }: ReadMapping): ImportFinding[] {
  if (!`${source} ${destination}`.includes('{tenant}')) return [];
  return [
    prevents(path, 'it has the text {tenant}, which a manifest reads as the namespace of the organization'),
  ];
}

/** The organization's namespace at the beginning of a path, so that the manifest fits every organization. */
export function tenantFree(path: string, tenant: string): string {
  const own = `_${tenant}`;
  return path === own || path.startsWith(`${own}.`) ? `{tenant}${path.slice(own.length)}` : path;
}
