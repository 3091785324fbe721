// Where Adobe's material says two things: what the simulated platform does by default, and what else it can be told to do.

import { didYouMean } from './nearest.ts';

export interface Quirk {
  /** What is answered in more than one way. */
  readonly what: string;
  /** Each variant, the best supported one first: it is the default. */
  readonly variants: readonly [Variant, Variant, ...Variant[]];
}

interface Variant {
  readonly name: string;
  /** What the platform does then. */
  readonly does: string;
  /** Who says so. */
  readonly source: string;
}

export const QUIRKS = {
  '207': {
    what: 'a message that failed in a batch',
    variants: [
      {
        name: 'status',
        does: '`status` and `message`, with an `xactionId` that ends in `-` and the place of the message',
        source: "Adobe's Kafka sink (adobe/experience-platform-streaming-connect): its parser and fixtures",
      },
      {
        name: 'statusCode',
        does: '`statusCode` and `message` without an `xactionId`; ids end in `:` and the place',
        source: 'Stream multiple messages in a single HTTP request',
      },
    ],
  },
  'sandbox-header': {
    what: 'a call to Flow Service without `x-sandbox-name`',
    variants: [
      {
        name: 'strict',
        does: '400 `FLOW-2105-400`',
        source: "Flow Service's list of errors; the general rule of the API guide",
      },
      {
        name: 'lenient',
        does: "the organization's default sandbox is meant",
        source: "Flow Service's OpenAPI description; Adobe's quick-start script",
      },
    ],
  },
  'inlet-sandbox': {
    what: 'a request to an inlet without a sandbox header',
    variants: [
      {
        name: 'optional',
        does: "taken: the inlet's id names organization and sandbox",
        source: 'every sample of the tutorials',
      },
      { name: 'required', does: '400', source: "Streaming Ingestion's OpenAPI description" },
    ],
  },
  'inlet-token': {
    what: 'an invalid or expired token at an inlet',
    variants: [
      { name: '403', does: '403', source: 'Stream multiple messages in a single HTTP request' },
      { name: '401', does: '401', source: 'Create an HTTP API streaming connection' },
    ],
  },
  'received-time': {
    what: '`receivedTimeMs` of an answer of the inlet',
    variants: [
      { name: 'number', does: 'a number', source: "the tutorials' samples" },
      { name: 'string', does: 'text', source: "a sample of Streaming Ingestion's OpenAPI description" },
    ],
  },
  'failed-rows': {
    what: '`header`, `body` and `_errors` of a row that was refused',
    variants: [
      {
        name: 'strings',
        does: 'JSON encoded as text',
        source: 'adobe/aepp: `getFailedBatchesDF` decodes them; observed, not documented',
      },
      { name: 'objects', does: 'objects', source: 'Retrieve failed batches using the Data Access API' },
    ],
  },
  'descriptor-put': {
    what: 'a descriptor rewritten by PUT',
    variants: [
      { name: '200', does: '200', source: "Schema Registry's OpenAPI description" },
      { name: '201', does: '201', source: 'Descriptors endpoint (API guide)' },
    ],
  },
  'mapping-path': {
    what: 'mapping sets at `/data/foundation/mappingSets`, without `conversion`',
    variants: [
      { name: 'both', does: 'the same as with `conversion`', source: "two of Adobe's tutorials print it so" },
      {
        name: 'conversion',
        does: '404',
        source:
          "Data Prep's OpenAPI description, its API guide and adobe/aepp know the path with `conversion`",
      },
    ],
  },
  'stale-etag': {
    what: 'a PATCH of Flow Service with an etag that is not the current one',
    variants: [
      { name: 'problem', does: '412 `FLOW-1404-412`', source: "Flow Service's list of errors" },
      {
        name: 'message',
        does: '412 with `errorMessage` alone',
        source: "pages on changing destinations by the Flow Service API, 'Refresh etag error'",
      },
    ],
  },
  'patch-reply': {
    what: 'the answer to a PATCH of a source or target connection',
    variants: [
      { name: 'id', does: '`id` and `etag`', source: "Update dataflows, and the API guide's other samples" },
      {
        name: 'items',
        does: '`items` with the resource',
        source: "Flow Service's OpenAPI description",
      },
    ],
  },
  'class-usage': {
    what: '`classUsage` of the registry’s `/stats`',
    variants: [
      {
        name: 'object',
        does: 'lists of schemas below the `$id` of each class',
        source: 'Stats endpoint (API guide)',
      },
      {
        name: 'array',
        does: 'a list of classes, each with its schemas',
        source: "Schema Registry's OpenAPI description",
      },
    ],
  },
  'namespace-put': {
    what: 'an identity namespace rewritten by PUT',
    variants: [
      {
        name: 'array',
        does: 'a list of one',
        source: "the schema in Identity Service's OpenAPI description",
      },
      { name: 'object', does: 'the namespace', source: 'the text of the same description' },
    ],
  },
  'sandbox-deletion': {
    what: 'the state that the deletion of a sandbox answers with',
    variants: [
      { name: 'deleted', does: '`deleted`', source: 'Sandbox management endpoint (API guide)' },
      { name: 'cleaning', does: '`cleaning`', source: "an example in Sandbox's OpenAPI description" },
    ],
  },
  'dataset-labels': {
    what: 'the data usage labels of a dataset',
    variants: [
      {
        name: 'keyed',
        does: 'below the name `AEP:dataset:{id}`',
        source: 'Manage data usage labels for datasets using APIs, a sample',
      },
      { name: 'flat', does: 'as they are', source: "Dataset Service's OpenAPI description" },
    ],
  },
  'dataset-deletion': {
    what: 'the deletion of a dataset that is not there',
    variants: [
      {
        name: '404',
        does: '404 `NotFoundError`',
        source: 'Focus-GTS/aep-mcp-server, notes on live answers (2026-08-14)',
      },
      {
        name: '200',
        does: '200 with an empty list',
        source: 'Delete an object (API guide): "you may still receive an HTTP Status Code 200"',
      },
    ],
  },
  'old-metrics': {
    what: 'the answer of version 1 of the metrics',
    variants: [
      { name: 'object', does: 'an object', source: 'Metrics endpoint (API guide): its sample' },
      {
        name: 'list',
        does: 'a list of one',
        source: "Observability Insights' OpenAPI description",
      },
    ],
  },
} as const satisfies Record<string, Quirk>;

export type QuirkName = keyof typeof QUIRKS;
/** Which variant is played, by quirk. */
export type Quirks = { readonly [K in QuirkName]: (typeof QUIRKS)[K]['variants'][number]['name'] };

export const QUIRK_NAMES = Object.keys(QUIRKS) as QuirkName[];

/** @throws TypeError where a quirk or a variant is none, with those there are */
export function quirksOf(given: Readonly<Record<string, string | undefined>> = {}): Quirks {
  for (const [name, variant] of Object.entries(given)) {
    if (!Object.hasOwn(QUIRKS, name))
      throw new TypeError(
        `quirk: expected one of ${QUIRK_NAMES.join(', ')}; found '${name}'${didYouMean(name, QUIRK_NAMES)}`,
      );
    const names: readonly string[] = QUIRKS[name as QuirkName].variants.map((each) => each.name);
    if (variant !== undefined && !names.includes(variant))
      throw new TypeError(
        `quirk ${name}: expected ${names.join(' or ')}; found '${variant}'${didYouMean(variant, names)}`,
      );
  }
  return Object.fromEntries(
    QUIRK_NAMES.map((name) => [name, given[name] ?? QUIRKS[name].variants[0].name]),
  ) as Quirks;
}

/** `NAME=VARIANT`, as often as there are quirks to set, from a command line. @throws TypeError whose message goes on behind `--` */
export function parseQuirks(words: readonly string[]): Partial<Quirks> {
  const given: Record<string, string> = {};
  for (const word of words) {
    const [, name, variant] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    if (name === undefined || variant === undefined)
      throw new TypeError(`quirk: expected NAME=VARIANT, 207=statusCode for instance; found '${word}'`);
    given[name] = variant;
  }
  quirksOf(given);
  return given as Partial<Quirks>;
}

/** A line for each quirk, for a command's help. */
export const QUIRK_HELP = QUIRK_NAMES.map((name) => {
  const [first, ...others] = QUIRKS[name].variants.map((each) => each.name);
  return `                      ${name}=${others.join('|')} (${first})`;
}).join('\n');
