// What kind of data a schema is for, as its `meta:extends` tells: AEP takes no stream for some of them.

const BEHAVIORS = 'https://ns.adobe.com/xdm/data/';

/**
 * Why a stream cannot fill it. Relational: Adobe's page xdm/schema/relational names change data capture of sources,
 * Data Distiller and files as its ways in, and no stream. Ad-hoc: xdm/api/ad-hoc names files and their connectors;
 * that nothing else fills it is our reading.
 */
const NOT_STREAMED: Readonly<Record<string, { readonly found: string; readonly why: string }>> = {
  'adhoc-v2': {
    found: 'relational',
    why: 'a stream cannot fill a relational schema; AEP fills it by change data capture of its own sources, by Data Distiller or from files',
  },
  adhoc: {
    found: 'ad-hoc',
    why: 'a stream cannot fill an ad-hoc schema; AEP makes one for a single dataset that is filled from files',
  },
};

export interface NotStreamed {
  /** `relational` or `ad-hoc`. */
  readonly found: string;
  readonly wanted: string;
}

/** Whether a schema or a class is for events; nothing where AEP does not tell. */
export function isForEvents(extended: readonly string[] | null | undefined): boolean | undefined {
  return extended?.some((one) => one.startsWith(BEHAVIORS))
    ? extended.includes(`${BEHAVIORS}time-series`)
    : undefined;
}

/** Why a schema or a class with this `meta:extends` cannot be fed by a stream; nothing where it can, or where AEP does not tell. */
export function notStreamed(extended: readonly string[] | null | undefined): NotStreamed | undefined {
  for (const one of extended ?? []) {
    if (!one.startsWith(BEHAVIORS)) continue;
    const name = one.slice(BEHAVIORS.length);
    const known = Object.hasOwn(NOT_STREAMED, name) ? NOT_STREAMED[name] : undefined;
    if (known !== undefined)
      return { found: known.found, wanted: `record or time-series, because ${known.why}` };
  }
  return undefined;
}
