// Rules of a manifest, and of a request to carry it out, that also hold where their schemas are not loaded: in the hook and in the forwarder.

export const PIPELINE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

/** What a record of the stream is. */
export const DATA = ['raw', 'xdm'] as const;

/** What is looked for in the records, and unpacked. */
export const COMPRESSIONS = ['none', 'gzip', 'zstd', 'auto'] as const;

export const MAX_WARM_UP_SECONDS = 1_500;
export const MAX_DRAIN_SECONDS = 900;
