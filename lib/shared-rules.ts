// Rules of a manifest and of a request. The hook and the forwarder need them too, and do not load those schemas.

/** Stands for all pipelines of the bundle: none of them may be called so. */
export const ALL = 'all';

export const PIPELINE_NAME = /^(?!all$)[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
export const PIPELINE_NAME_EXPECTED =
  'expected 1 to 64 of letters, digits, ".", "_", "-", the first a letter or digit; not "all", which stands for all pipelines';

/** Of Adobe credentials beside those of the stage. */
export const CREDENTIALS_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

export const SANDBOX_NAME = /^[a-z0-9-]{1,256}$/;
export const SANDBOX_EXPECTED = 'expected the name of a sandbox: lower-case letters, digits and "-"';

/** The name or the ARN of a Kinesis stream, or the ARN of a consumer with enhanced fan-out. */
export const STREAM_NAME =
  /^([a-zA-Z0-9_.-]{1,128}|arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}(\/consumer\/[a-zA-Z0-9_.-]{1,128}:\d{1,19})?)$/;
export const STREAM_EXPECTED = 'expected the name or the ARN of a Kinesis stream, or the ARN of its consumer';

/** What a record of the stream is. */
export const DATA = ['raw', 'xdm'] as const;

/** The compression that is looked for in the records and unpacked. */
export const COMPRESSIONS = ['none', 'gzip', 'zlib', 'zstd', 'auto'] as const;

/** What becomes of a record that no route of its stream takes. */
export const UNROUTED = ['count', 'keep'] as const;

/** What becomes of a route's messages while its inlet is out. */
export const ON_OUTAGE = ['hold', 'park'] as const;

/** Of an outage, before messages are parked. */
export const PARK_AFTER_SECONDS = 900;

/** Of a trigger: Lambda discards what is older. 80 % of the shortest time that a stream keeps records. */
export const MAX_RECORD_AGE_SECONDS = 69_120;

export const MAX_WARM_UP_SECONDS = 1_500;
export const MAX_DRAIN_SECONDS = 900;
