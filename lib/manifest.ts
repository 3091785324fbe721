// The manifest: one pipeline in one file, as the user wants it, checked by a schema.
import * as z from 'zod';
import { MAX_RECORDS_BYTES } from './bounds.ts';
import { Failure } from './failure.ts';
import { checkFormat, Format } from './formats.ts';
import { jsonIn } from './json-text.ts';
import { mappingRow } from './mapping-rows.ts';
import { isDeeper, mistakes, wording } from './mistakes.ts';
import { checkOperations, linksIdentities } from './operations.ts';
import { checkPreset, withPreset } from './presets.ts';
import { Rate } from './rate.ts';
import { checkRecords, Records } from './records.ts';
import { daysIn, MIN_LAKE_DAYS, RETENTION } from './retention.ts';
import {
  COMPRESSIONS,
  CREDENTIALS_NAME,
  DATA,
  MAX_RECORD_AGE_SECONDS,
  ON_OUTAGE,
  PARK_AFTER_SECONDS,
  PIPELINE_NAME,
  PIPELINE_NAME_EXPECTED,
  SANDBOX_EXPECTED,
  SANDBOX_NAME,
  STREAM_EXPECTED,
  STREAM_NAME,
  UNROUTED,
} from './shared-rules.ts';
import { allowing, object } from './strict-object.ts';
import { identityPath } from './xdm-path.ts';

/** Short names for Adobe's classes. Contract §2.2. */
export const CLASSES = {
  profile: 'https://ns.adobe.com/xdm/context/profile',
  experienceevent: 'https://ns.adobe.com/xdm/context/experienceevent',
} as const;

/**
 * Short names for Adobe's field groups, after their files in github.com/adobe/xdm. Not all `$id`s end in that
 * name.
 */
export const FIELD_GROUPS = {
  'profile-person-details': 'https://ns.adobe.com/xdm/context/profile-person-details',
  'profile-personal-details': 'https://ns.adobe.com/xdm/context/profile-personal-details',
  'profile-work-details': 'https://ns.adobe.com/xdm/context/profile-work-details',
  identitymap: 'https://ns.adobe.com/xdm/context/identitymap',
  'profile-loyalty-details': 'https://ns.adobe.com/xdm/mixins/profile/profile-loyalty-details',
  'profile-consents': 'https://ns.adobe.com/xdm/mixins/profile-consents',
  'profile-push-notification-details': 'https://ns.adobe.com/xdm/context/profile-push-notification-details',
  'profile-preferences-details': 'https://ns.adobe.com/xdm/context/profile-preferences-details',
  'profile-phones': 'https://ns.adobe.com/xdm/context/profile-phones',
  'profile-subscriptions': 'https://ns.adobe.com/xdm/context/profile-subscriptions',
  'profile-user-account-details': 'https://ns.adobe.com/xdm/mixins/profile/profile-user-account-details',
  'experienceevent-commerce': 'https://ns.adobe.com/xdm/context/experienceevent-commerce',
  'experienceevent-web': 'https://ns.adobe.com/xdm/context/experienceevent-web',
  'experienceevent-channel': 'https://ns.adobe.com/xdm/context/experienceevent-channel',
  'experienceevent-environment-details':
    'https://ns.adobe.com/xdm/context/experienceevent-environment-details',
  'experienceevent-marketing': 'https://ns.adobe.com/xdm/context/experienceevent-marketing',
  'experienceevent-media-analytics': 'https://ns.adobe.com/xdm/mixins/experienceevent-media-analytics',
  'experienceevent-application': 'https://ns.adobe.com/xdm/context/experienceevent-application',
  'experienceevent-order-details': 'https://ns.adobe.com/xdm/context/experienceevent-order-details',
  'experienceevent-segmentmembership': 'https://ns.adobe.com/xdm/context/experienceevent-segmentmembership',
  'experienceevent-privacy': 'https://ns.adobe.com/xdm/context/experienceevent-privacy',
  'experienceevent-enduserids': 'https://ns.adobe.com/xdm/context/experienceevent-enduserids',
  'experienceevent-search': 'https://ns.adobe.com/xdm/context/experienceevent-search',
  'experienceevent-directmarketing': 'https://ns.adobe.com/xdm/context/experienceevent-directmarketing',
} as const;

/** Far more than any manifest needs, and far less than exhausts the stack. */
export const MAX_MANIFEST_DEPTH = 50;
/** Most mistakes in one message. */
const MAX_MISTAKES = 30;

/**
 * A name in AEP. Excludes characters that AEP's list filters read as "or", "anything", "not" or comparisons.
 */
const resourceName = z
  .string()
  .min(1)
  .max(100)
  .regex(
    /^(?! )[^,*"\\!=<>~\p{C}]+(?<! )$/u,
    'expected a name without blanks around it and without , * " \\ ! = < > ~ and control characters',
  );

const URI = 'https://[^\\s"]+';

/** One of the short names, or a URI. */
const shortNameOrUri = (names: object) => new RegExp(`^(${Object.keys(names).join('|')}|${URI})$`);

const schemaById = object({
  id: z
    .string()
    .regex(new RegExp(`^${URI}$`), 'expected an https URI such as https://ns.adobe.com/…')
    .describe('`$id` of an existing schema, which is used and never changed.'),
});

/** Fields by their names, below the organization's own namespace or in a field of type `object`. */
const fieldName = z
  .string()
  .regex(
    /^[a-zA-Z][a-zA-Z0-9_]{0,99}$/,
    'expected the name of a field: letters, digits and "_", the first a letter',
  );

/** A field of an own field group, as the Schema Registry takes it. Only what is compared is checked. */
const ownField = z
  .looseObject({
    type: z.enum(['string', 'number', 'integer', 'boolean', 'object', 'array']),
    get properties(): z.ZodOptional<z.ZodRecord<typeof fieldName, z.ZodType<OwnField>>> {
      return z.record(fieldName, ownField).optional();
    },
    get items(): z.ZodOptional<z.ZodType<OwnField>> {
      return ownField.optional();
    },
  })
  .describe('A field as Schema Registry takes it: `type`, `title`, `properties`, `format`, `enum`, ….');

interface OwnField {
  readonly type: string;
  readonly properties?: Readonly<Record<string, OwnField>> | undefined;
  readonly items?: OwnField | undefined;
  readonly [facet: string]: unknown;
}

export const OwnFieldGroup = object({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected 1 to 40 of a-z, 0-9 and "-", the first not "-"')
    .describe('What it is called within this manifest.'),
  title: resourceName.optional().describe('Default: `{pipeline}-{name}`. Unique in the organization.'),
  description: z.string().max(500).optional(),
  fields: z
    .record(fieldName, ownField)
    .refine((fields) => Object.keys(fields).length > 0, 'expected at least one field')
    .describe("Fields, which AEP keeps below the organization's own namespace: `{tenant}.loyaltyId`."),
});

const identityPart = object({
  path: identityPath,
  namespace: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,64}$/, 'expected the code of an identity namespace such as Email')
    .describe('Code of an identity namespace that exists, e.g. `Email`.'),
  primary: z
    .boolean()
    .default(false)
    .describe('Whether it is the one that identifies a record. It then is mandatory in every record.'),
});

export const OwnSchema = object({
  class: z
    .string()
    .regex(shortNameOrUri(CLASSES), {
      error: allowing(
        Object.keys(CLASSES),
        () => 'expected "profile", "experienceevent" or the $id of a class',
      ),
    })
    .describe('XDM class: a short name or its `$id`.'),
  fieldGroups: z
    .array(
      z.union(
        [
          z.string().regex(shortNameOrUri(FIELD_GROUPS), {
            error: allowing(
              Object.keys(FIELD_GROUPS),
              () => `expected ${Object.keys(FIELD_GROUPS).join(', ')} or the $id of a field group`,
            ),
          }),
          OwnFieldGroup,
        ],
        {
          error: allowing(Object.keys(FIELD_GROUPS), (issue) =>
            issue.code === 'invalid_union'
              ? `expected ${Object.keys(FIELD_GROUPS).join(', ')}, the $id of a field group, or {"name", "fields"} of an own one`
              : undefined,
          ),
        },
      ),
    )
    .max(30)
    .default([])
    .describe(
      `Field groups: Adobe's by a short name or their \`$id\`, the organization's by their \`$id\`, or own ones, which are made. Short names: ${Object.keys(FIELD_GROUPS).join(', ')}.`,
    ),
  title: resourceName.optional().describe('Default: `{name}-schema`. Unique in the organization.'),
  description: z.string().max(500).optional(),
  identities: z.array(identityPart).max(20).default([]).describe('Fields that identify a record.'),
  profile: z
    .boolean()
    .default(false)
    .describe('Enables the schema for Real-Time Customer Profile. Irreversible: see `allowIrreversible`.'),
});

const data = z
  .enum(DATA)
  .describe('`raw`: any JSON object, mapped by the flow. `xdm`: each record is an XDM entity already.');

/**
 * The name of a secret or its ARN, never the secret itself. Keys of AWS and Azure would pass as names; their
 * length and letters reveal them.
 */
export const secretReference = z
  .string()
  .regex(
    /^([a-zA-Z0-9/_+=.@-]{1,256}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]{1,256})$/,
    'expected the name or the ARN of a secret in Secrets Manager',
  )
  .regex(
    /^(?!(AKIA|ASIA)[A-Z0-9]{16}$)(?!(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9/+]{40}$)(?![A-Za-z0-9/+]{43}=$)/,
    'expected the name or the ARN of a secret in Secrets Manager, not the secret itself',
  );

const pulledFrom = z
  .enum(['now', 'earliest'])
  .default('now')
  .describe('Where AEP starts to read: at new records, or at the oldest record kept.');

const inletSource = object({
  kind: z.literal('inlet').describe('`inlet`: an HTTP API inlet that Penstock feeds from a Kinesis stream.'),
  stream: z
    .string()
    .regex(STREAM_NAME, STREAM_EXPECTED)
    .describe('Name or ARN of the Kinesis stream, or the ARN of a consumer with enhanced fan-out.'),
  fanOut: z
    .boolean()
    .optional()
    .describe(
      'Whether the trigger reads with enhanced fan-out: a consumer of its own, made and removed with the trigger. AWS charges for it.',
    ),
  startAt: z
    .string()
    .regex(
      /^(now|earliest|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))$/,
      'expected "now", "earliest" or a time such as 2026-01-31T12:00:00Z',
    )
    .default('now')
    .describe('Where reading starts: when the pipeline was asked for, the oldest record kept, or a time.'),
  data,
  compression: z
    .enum(COMPRESSIONS)
    .default('none')
    .describe(
      'Compression to look for in the records: `gzip`, `zlib`, `zstd`, or `auto` for any of them. Compressed records are unpacked.',
    ),
  format: z
    .optional(Format)
    .describe(
      'What a record holds: `json` (the default), one object; or several messages in one of the other formats.',
    ),
  unrouted: z
    .enum(UNROUTED)
    .default('count')
    .describe(
      'What becomes of a record that no pipeline of the stream takes: `count` counts it, `keep` keeps it as a reject. All pipelines of a stream say the same.',
    ),
  records: z
    .optional(Records)
    .describe('What happens to the records on their way. Left out: they are sent unchanged.'),
  order: z
    .enum(['key', 'strict'])
    .default('key')
    .describe(
      'Order within a partition key. `key` keeps it unless something has to be sent again. `strict` always keeps it, with one message of a key per request.',
    ),
  onOutage: z
    .enum(ON_OUTAGE)
    .optional()
    .describe(
      'What becomes of messages while the inlet is out. `hold`, the default: the shard waits. `park`: they wait in the dead-letter store, the shard goes on, and they are sent once the inlet answers again.',
    ),
  parkAfterSeconds: z
    .int()
    .min(1)
    .lt(MAX_RECORD_AGE_SECONDS)
    .optional()
    .describe(
      `How long an outage lasts before messages are parked. Left out: ${PARK_AFTER_SECONDS}. Lambda discards records that are ${MAX_RECORD_AGE_SECONDS} s old.`,
    ),
  rate: z
    .optional(Rate)
    .describe('The most that each shard sends to the inlet. Left out: as much as the inlet takes.'),
  authenticationRequired: z
    .boolean()
    .default(true)
    .describe('Whether the inlet requires a token. If not, anybody who knows its URL can write.'),
});

const kinesisSource = object({
  kind: z.literal('kinesis').describe('`kinesis`: AEP itself pulls from a Kinesis stream.'),
  stream: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{1,128}$/, 'expected the name of a Kinesis stream')
    .describe('Name of the Kinesis stream.'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected an AWS region such as eu-west-1'),
  startAt: pulledFrom,
  data,
  credentials: secretReference.describe('Secret with {"accessKeyId", "secretKey"}, for AEP to read with.'),
});

const eventHubsSource = object({
  kind: z.literal('event-hubs').describe('`event-hubs`: AEP itself pulls from Azure Event Hubs.'),
  namespace: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9-]{4,48}[a-zA-Z0-9]$/, 'expected the name of an Event Hubs namespace'),
  eventHub: z
    .string()
    .regex(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,254}[a-zA-Z0-9])?$/, 'expected the name of an event hub'),
  auth: z
    .enum(['namespace', 'event-hub'])
    .default('namespace')
    .describe('What the key is for: `namespace` (standard, needs manage rights) or this `event-hub` alone.'),
  consumerGroup: z
    .string()
    .regex(/^[a-zA-Z0-9$._-]{1,50}$/, 'expected the name of a consumer group')
    .default('$Default')
    .describe('A consumer group serves one flow at a time.'),
  startAt: pulledFrom,
  data,
  credentials: secretReference.describe('Secret with {"sasKeyName", "sasKey"}, for AEP to read with.'),
});

const GCP = '[a-zA-Z][a-zA-Z0-9._~+%-]{2,254}';

const pubSubSource = object({
  kind: z.literal('pubsub').describe('`pubsub`: AEP itself pulls from Google Pub/Sub.'),
  project: z
    .string()
    .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'expected the id of a Google Cloud project')
    .describe('Id of the Google Cloud project.'),
  topic: z.string().regex(new RegExp(`^${GCP}$`), 'expected the name of a topic, without its project'),
  subscription: z
    .string()
    .regex(new RegExp(`^${GCP}$`), 'expected the name of a subscription, without its project')
    .describe('A subscription serves one flow.'),
  auth: z
    .enum(['project', 'subscription'])
    .default('project')
    .describe('What the service account may read: the `project`, or this topic and `subscription` alone.'),
  data,
  credentials: secretReference.describe("Secret with the service account's key file, as Google gives it."),
});

const source = z.discriminatedUnion('kind', [inletSource, kinesisSource, eventHubsSource, pubSubSource], {
  error: (issue) =>
    issue.code === 'invalid_union' ? 'expected "inlet", "kinesis", "event-hubs" or "pubsub"' : undefined,
});

const pipelineName = z.string().regex(PIPELINE_NAME, PIPELINE_NAME_EXPECTED);

const period = z
  .string()
  .regex(RETENTION, 'expected days, months or years such as P90D, P13M or P2Y, or "forever"');

const datasetRetention = object({
  lake: period
    .refine((text) => (daysIn(text)?.most ?? MIN_LAKE_DAYS) >= MIN_LAKE_DAYS, 'expected 30 days at least')
    .optional()
    .describe('In the data lake, 30 days at least.'),
  profile: period.optional().describe('In Profile. Needs `profile`.'),
}).describe(
  'How long events are kept, by their timestamp: `P90D`, `P13M`, `P2Y` or `forever`. Older ones are deleted for good. Left out: as it is.',
);

/** A data usage label. */
export const DATASET_LABEL = /^[A-Za-z0-9][\w./-]{0,99}$/;
/** Most labels of a dataset. */
export const MAX_DATASET_LABELS = 50;

/** AEP takes labels of fields at their schema alone, in its pages: no API of it is published. */
const datasetLabels = z
  .array(z.string().regex(DATASET_LABEL, 'expected the name of a data usage label such as C2 or I1'), {
    error: (issue) =>
      issue.code === 'invalid_type' && typeof issue.input === 'object'
        ? 'expected a list of labels of the whole dataset; AEP has no API for labels of its fields, so set those at the schema, in its pages'
        : undefined,
  })
  .max(MAX_DATASET_LABELS)
  .describe(
    'Data usage labels that the dataset has at least, such as `C2`. They are added, and none is ever taken away.',
  );

const manifest = object({
  $schema: z.string().optional().describe('Path of this JSON Schema, for editors.'),
  version: z.literal(1).describe('Version of the manifest format.'),
  name: pipelineName.describe(
    "The pipeline's name. Everything made in AEP is named after it unless named below.",
  ),
  description: z.string().max(500).optional(),
  sandbox: z.string().regex(SANDBOX_NAME, SANDBOX_EXPECTED).describe('The AEP sandbox.'),
  credentials: z
    .string()
    .regex(
      CREDENTIALS_NAME,
      'expected 1 to 64 of letters, digits, ".", "_", "-", the first a letter or digit',
    )
    .optional()
    .describe(
      'Adobe credentials of another organization: those of the secret `{credentialsSecret}/{credentials}`. Left out: those of the stage.',
    ),
  source,
  schema: z
    .union([schemaById, OwnSchema], {
      error: (issue) =>
        issue.code === 'invalid_union'
          ? 'expected {"id"} of an existing schema, or {"class", "fieldGroups"} of one to be made'
          : undefined,
    })
    .describe('The XDM schema: an existing one, or the parts of a new one.'),
  dataset: object({
    name: resourceName.optional().describe('Default: `{name}-dataset`.'),
    description: z.string().max(500).optional(),
    profile: z
      .boolean()
      .optional()
      .describe('Whether its records go to Profile. Left out: as it is. The schema must be enabled as well.'),
    identity: z
      .boolean()
      .optional()
      .describe('Whether its records go to the Identity Service. Left out: as it is.'),
    upsert: z
      .boolean()
      .optional()
      .describe(
        'Whether records may update parts of a profile. Needs `profile`; the operations `merge` and `delete` need it. Left out: as it is.',
      ),
    errorDiagnostics: z.boolean().default(true).describe('Whether AEP keeps details of rows it refuses.'),
    labels: datasetLabels.optional(),
    retention: datasetRetention.optional(),
  }).default({ errorDiagnostics: true }),
  mapping: z
    .array(mappingRow)
    .min(1)
    .optional()
    .describe(
      'From the record to XDM, for `raw` data: attributes and calculated fields of Data Prep. Rows as AEP writes them are taken as well.',
    ),
  names: object({
    baseConnection: resourceName.optional(),
    sourceConnection: resourceName.optional(),
    targetConnection: resourceName.optional(),
    mapping: resourceName.optional(),
    flow: resourceName.optional(),
    identityDataset: resourceName.optional(),
  })
    .default({})
    .describe(
      'Names in AEP that differ from `{name}-inlet` (`{name}-connection` where AEP pulls), `-source`, `-target`, `-mapping`, `-flow`, `-identities`.',
    ),
  adopt: z
    .boolean()
    .default(false)
    .describe('Adopts hand-made resources of these names, if they are what this manifest would make.'),
  allowIrreversible: z
    .boolean()
    .default(false)
    .describe('Allows what AEP cannot undo: enabling a schema for Profile. The plan names it.'),
});

type Given = z.infer<typeof manifest>;
type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** What the mapping must be for this kind of data. */
function checkMapping({ source, mapping }: Given, complain: Complain): void {
  if (source.data === 'raw' && mapping === undefined)
    complain(['mapping'], 'required, because source.data is "raw"', undefined);
  if (source.data === 'xdm' && mapping !== undefined)
    complain(['mapping'], 'not allowed, because source.data is "xdm"', '…');
  const seen = new Set<string>();
  mapping?.forEach((row, index) => {
    const { destination } = row;
    if (seen.has(destination)) {
      const message = `maps to ${destination} as another row does; expected each destination once`;
      complain(['mapping', index], message, row);
    }
    seen.add(destination);
  });
}

/** Adobe's page on it: only for datasets of events, and in Profile only for those that are enabled for it. */
function checkRetention({ schema, dataset: { retention, profile } }: Given, complain: Complain): void {
  if (retention === undefined) return;
  if (retention.profile !== undefined && profile !== true)
    complain(['dataset', 'profile'], 'expected true, because dataset.retention.profile is set', profile);
  if (!('id' in schema) && idOf(schema.class, CLASSES) === CLASSES.profile)
    complain(['dataset', 'retention'], 'not allowed: AEP keeps only events for a time', retention);
}

/** A consumer that the manifest names is neither made nor removed. */
function checkFanOut({ source }: Given, complain: Complain): void {
  if (source.kind !== 'inlet' || source.fanOut !== true || !source.stream.includes('/consumer/')) return;
  complain(['source', 'fanOut'], 'not allowed, because source.stream is a consumer already', true);
}

/** Messages that wait elsewhere are overtaken, at the latest when they are sent again. */
function checkOutage({ source }: Given, complain: Complain): void {
  if (source.kind !== 'inlet') return;
  const { onOutage, parkAfterSeconds, order } = source;
  if (onOutage === 'park' && order === 'strict')
    complain(
      ['source', 'onOutage'],
      'expected "hold", because source.order is "strict": messages that wait in the store may be overtaken',
      onOutage,
    );
  if (onOutage !== 'park' && parkAfterSeconds !== undefined)
    complain(
      ['source', 'parkAfterSeconds'],
      'not allowed, because source.onOutage is not "park"',
      parkAfterSeconds,
    );
}

function checkSchema({ schema, dataset }: Given, complain: Complain): void {
  if (dataset.upsert === true && dataset.profile !== true)
    complain(['dataset', 'profile'], 'expected true, because dataset.upsert is', dataset.profile);
  if ('id' in schema) return;
  const { fieldGroups, identities, profile } = schema;
  const groups = fieldGroups.map((group) =>
    typeof group === 'string' ? idOf(group, FIELD_GROUPS) : `own ${group.name}`,
  );
  groups.forEach((group, index) => {
    if (groups.indexOf(group) === index) return;
    complain(['schema', 'fieldGroups', index], 'expected each field group once', group);
  });
  identities.forEach(({ path, primary }, index) => {
    const at = ['schema', 'identities', index];
    if (identities.findIndex((one) => one.path === path) < index)
      complain([...at, 'path'], 'expected each path once', path);
    if (primary && identities.findIndex((one) => one.primary) < index)
      complain([...at, 'primary'], 'expected one primary identity at most', true);
  });
  if (profile && !hasIdentity(schema)) {
    const message = 'needs a primary identity in schema.identities, or the field group identitymap';
    complain(['schema', 'profile'], message, true);
  }
  if (dataset.profile === true && !profile)
    complain(['schema', 'profile'], 'expected true, because dataset.profile is', profile);
}

/** Names of datasets are not unique in AEP, and both are found by name. */
function checkDatasets({ name, names, dataset, source }: Given, complain: Complain): void {
  const own = dataset.name ?? `${name}-dataset`;
  const other = names.identityDataset ?? `${name}-identities`;
  if (own !== other || !linksIdentities({ source })) return;
  const message = 'is the name of the dataset as well; expected another one';
  complain(['names', 'identityDataset'], message, other);
}

/** Titles are unique among schemas and field groups (`XDM-1521-400`), defaults included. */
function checkTitles({ name, schema }: Given, complain: Complain): void {
  if ('id' in schema) return;
  const taken = new Set([schema.title ?? `${name}-schema`]);
  schema.fieldGroups.forEach((group, index) => {
    if (typeof group === 'string') return;
    const title = group.title ?? `${name}-${group.name}`;
    if (taken.has(title)) {
      const key = group.title === undefined ? 'name' : 'title';
      const message = `gives the title ${title}; expected one that neither the schema nor another field group has`;
      complain(['schema', 'fieldGroups', index, key], message, group[key]);
    }
    taken.add(title);
  });
}

/** What Profile needs of a schema. Contract §2.4, `XDM-1528-400`. */
function hasIdentity(schema: z.infer<typeof OwnSchema>): boolean {
  return schema.identities.some(({ primary }) => primary) || hasIdentityMap(schema);
}

/** Events have one through their class. */
function hasIdentityMap(schema: Given['schema']): boolean {
  if ('id' in schema) return false;
  return (
    idOf(schema.class, CLASSES) === CLASSES.experienceevent ||
    schema.fieldGroups.some(
      (group) => typeof group === 'string' && idOf(group, FIELD_GROUPS) === FIELD_GROUPS.identitymap,
    )
  );
}

export const Manifest = manifest.superRefine(checkManifest).transform(withPreset);

/** Both become parts of one secret. */
function checkPublished({ source }: Given, complain: Complain): void {
  if (source.kind !== 'inlet' || source.format === undefined) return;
  const { format, records = {} } = source;
  const bytes = Buffer.byteLength(JSON.stringify({ format, records }));
  if (bytes <= MAX_RECORDS_BYTES) return;
  const most = `at most ${MAX_RECORDS_BYTES} are published`;
  complain(['source', 'format'], `has ${bytes} bytes as JSON, with records; ${most}`, '…');
}

function checkManifest(given: Given, context: z.RefinementCtx): void {
  const value = withPreset(given);
  const complain: Complain = (path, message, input) =>
    context.addIssue({ code: 'custom', path, message, input });
  checkMapping(value, complain);
  checkFanOut(value, complain);
  checkOutage(value, complain);
  checkRetention(value, complain);
  checkSchema(value, complain);
  checkTitles(value, complain);
  checkDatasets(value, complain);
  if (value.source.kind === 'inlet' && value.source.records !== undefined)
    checkRecords(value.source.records, value.source.data, (path, ...rest) =>
      complain(['source', 'records', ...path], ...rest),
    );
  if (value.source.kind === 'inlet' && value.source.format !== undefined)
    checkFormat(value.source.format, (path, ...rest) => complain(['source', 'format', ...path], ...rest));
  if (value.source.kind === 'inlet') checkPreset({ ...value, source: value.source }, complain);
  checkPublished(value, complain);
  checkOperations(value, hasIdentityMap(value.schema), complain);
  const startAt = value.source.kind === 'inlet' ? value.source.startAt : 'now';
  if (/^\d{4}-/.test(startAt) && !exists(startAt))
    complain(['source', 'startAt'], 'expected a time that exists', startAt);
}

/** A checked manifest, with its defaults filled in. */
export type Manifest = z.infer<typeof Manifest>;

export type Source = Manifest['source'];
export type MappingRow = NonNullable<Manifest['mapping']>[number];
export type InletSource = Extract<Source, { kind: 'inlet' }>;
/** A source that AEP reads by itself. */
export type PulledSource = Exclude<Source, InletSource>;
/** A schema that is made, not one that is named. */
export type OwnSchema = z.infer<typeof OwnSchema>;
export type OwnFieldGroup = z.infer<typeof OwnFieldGroup>;

/** Whether it is a day of the calendar: Date.parse makes 30 February the second of March. */
function exists(time: string): boolean {
  const [year, month, day] = time.slice(0, 10).split('-').map(Number) as [number, number, number];
  const there = new Date(Date.UTC(year, month - 1, day));
  return there.getUTCMonth() === month - 1 && there.getUTCDate() === day && !Number.isNaN(Date.parse(time));
}

/** The `$id` of a short name; a `$id` stands for itself. */
export function idOf(name: string, names: Readonly<Record<string, string>>): string {
  return Object.hasOwn(names, name) ? (names[name] as string) : name;
}

/**
 * The manifest in `value`. `origin` names it in messages, e.g. the file's name.
 * @throws Failure `MANIFEST_INVALID`: for each mistake the path, what was found and what is allowed
 */
export function parseManifest(value: unknown, origin = 'the manifest'): Manifest {
  if (isDeeper(value, MAX_MANIFEST_DEPTH))
    throw new Failure('MANIFEST_INVALID', `${origin} is nested deeper than ${MAX_MANIFEST_DEPTH} levels`);
  const result = Manifest.safeParse(value, { reportInput: true, error: wording });
  if (result.success) return result.data;
  const all = mistakes(result.error.issues, value);
  const more = all.length - MAX_MISTAKES;
  const lines = more > 0 ? [...all.slice(0, MAX_MISTAKES), `… and ${more} more`] : all;
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} has ${all.length === 1 ? 'a mistake' : `${all.length} mistakes`}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`,
  );
}

/**
 * The manifest in a file's text.
 * @throws Failure `MANIFEST_INVALID`, also if it is not JSON, or has a member twice
 */
export function parseManifestText(text: string, origin: string): Manifest {
  return parseManifest(jsonIn(text, origin), origin);
}

/** JSON Schema (draft 2020-12) of a manifest, the rules between fields included. */
export function manifestJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(manifest, { io: 'input' }) as Record<string, unknown>;
  const when = (data: string, rule: object) => ({
    if: { properties: { source: { properties: { data: { const: data } } } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: rule,
  });
  return {
    ...schema,
    title: 'Penstock manifest',
    description: 'One pipeline from a streaming source to an Experience Platform dataset.',
    allOf: [when('raw', { required: ['mapping'] }), when('xdm', { properties: { mapping: false } })],
  };
}
