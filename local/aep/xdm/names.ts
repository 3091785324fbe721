// Where Experience Platform keeps a field that Adobe's public XDM repository names in JSON-LD, and the names of resources.

export const PROFILE_CLASS = 'https://ns.adobe.com/xdm/context/profile';
export const EVENT_CLASS = 'https://ns.adobe.com/xdm/context/experienceevent';
export const IDENTITY_MAP = 'https://ns.adobe.com/xdm/context/identitymap';

/** What classes say how their data behaves: as records, as a series in time, or for one schema alone. */
export const BEHAVIORS = [
  'https://ns.adobe.com/xdm/data/record',
  'https://ns.adobe.com/xdm/data/time-series',
  'https://ns.adobe.com/xdm/data/adhoc',
] as const;

/** Adobe's own namespaces: a field of theirs stands where it is, without a prefix. */
const ADOBES = /^(xdm:|https?:\/\/ns\.adobe\.com\/(xdm\/(data\/metrics\/)?)?|https?:\/\/)/;

/**
 * The names from the outside in: `xdm:sku` is at `sku`, `@id` at `_id`, `repo:createDate` at `_repo.createDate`,
 * `https://ns.adobe.com/experience/mcid` at `_experience.mcid`; within a field of the same namespace, at `mcid`.
 *
 * Sources: NAMESPACES.md of github.com/adobe/xdm; experienceleague.adobe.com/en/docs/experience-platform/xdm/schema/namespaces;
 * for the namespace within itself experienceleague.adobe.com/tools/ajo-schemas/schema-dictionary.html (`messageExclusion > code`).
 * A dash becomes a capital letter: bin/xed-validation of the repository.
 *
 * @param within namespace of the field around it, as `namespaceOf` tells it
 */
export function placeOf(name: string, within = ''): string[] {
  if (name.startsWith('@')) return [`_${name.slice(1)}`];
  const isWithin = within !== '' && name.startsWith(within);
  const steps = (isWithin ? name.slice(within.length) : name.replace(ADOBES, ''))
    .split(/[/:.]/)
    .map((step) => step.replace(/-+(.)/g, (_dash, letter: string) => letter.toUpperCase()));
  return isWithin || steps.length === 1 ? steps : [`_${steps[0]}`, ...steps.slice(1)];
}

/** `https://ns.adobe.com/experience/mcid` → `https://ns.adobe.com/experience/`; none of a name that is no URL. */
export function namespaceOf(name: string): string {
  return /^https?:.*\//.exec(name)?.[0] ?? '';
}

/** `https://ns.adobe.com/acmelab/schemas/71c0` → `_acmelab.schemas.71c0`. */
export function altId(id: string): string {
  return `_${id
    .replace(/^https?:\/\/(ns\.adobe\.com\/)?/, '')
    .split('/')
    .join('.')}`;
}
