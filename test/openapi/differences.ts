// Where the simulated platform knowingly answers otherwise than Adobe's published descriptions say, and why; each must still occur.

export interface Allowed {
  /** Method and path as the descriptions have them. */
  readonly operation: RegExp;
  /** What differs, as the test names it. */
  readonly what: RegExp;
  readonly reason: string;
}

const FLOW_SERVICE = '/data/foundation/flowservice';
const REGISTRY = '/data/foundation/schemaregistry';

export const DIFFERENCES: readonly Allowed[] = [
  {
    operation: /^(GET|POST) \/data\/foundation\/conversion\/mappingSets/,
    what: /^200 .*(created|modified)Date type string$/,
    reason: 'Every example of the same file has a whole number: milliseconds since 1970.',
  },
  {
    operation: /^GET \/data\/foundation\/conversion\/mappingSets(\/\{MAPPING_SET_ID\})?$/,
    what: /^200 .*mappings\/\*\/sourceType enum$/,
    reason:
      'The examples of the same file read `text/x.schema-path`, and never ATTRIBUTE, in a mapping that comes back.',
  },
  {
    operation: /^GET \/data\/foundation\/conversion\/mappingSets\/\{MAPPING_SET_ID\}\/mappings$/,
    what: /^200 \/ type object$/,
    reason:
      "The file has one mapping where its text promises all; aepp, Adobe's own client, reads a list (`getMappingSetMappings`).",
  },
  {
    operation: /^POST \/data\/foundation\/conversion\/mappingSets\/validate$/,
    what: /^200 \/validationResponse\/\*\/errors type array$/,
    reason: 'The example of the same file has null where nothing is wrong.',
  },
  {
    operation: /^POST \/data\/foundation\/conversion\/mappingSets\/preview$/,
    what: /^200 \/ type object$/,
    reason:
      'The file takes a list of rows and answers one; the answer on the guide\'s page is a list (data-prep/api/mapping-set, "Preview data for a mapping").',
  },
  {
    operation: new RegExp(
      `^GET ${FLOW_SERVICE}/(connections|sourceConnections|targetConnections|flows)/\\{\\w+\\}$`,
    ),
    what: /^404 is not described$/,
    reason:
      "The file has no 404 at all; Adobe's page of Flow Service errors lists one for each of these (sources/errors/flow-service-errors).",
  },
  {
    operation: new RegExp(`^GET ${FLOW_SERVICE}/flowSpecs$`),
    what: /^200 \/items\/\*\/transformationSpecs type object$/,
    reason:
      "A flow has a list of transformations, and the answers on the tutorials' pages a list of their specs.",
  },
  {
    operation: /^GET \/data\/foundation\/sandbox-management\//,
    what: /^200 .*(created|lastModified)Date format date-time$/,
    reason: 'The answers on the sandbox pages have "2019-09-04 20:33:12": a space, and no zone.',
  },
  {
    operation: new RegExp(`^GET ${REGISTRY}/stats$`),
    what: /^200 \/classUsage type array$/,
    reason: 'CONFLICT: an object on the page about the statistics, a list in the file. Nothing reads it.',
  },
  {
    operation: new RegExp(`^GET ${REGISTRY}/\\{CONTAINER_ID\\}/\\w+$`),
    what: /^200 \/_(page|links)\/next type string$/,
    reason:
      'The text of the same field: "Contains `null` if this is the last or only page". Swagger 2.0 cannot say so.',
  },
  {
    operation: new RegExp(`^(GET|POST) ${REGISTRY}/(\\{CONTAINER_ID\\}|tenant)/descriptors$`),
    what: /^20[01] .*\/xdm:sourceVersion type string$/,
    reason:
      'Every example of the same file has the number 1, and so have the other schemas of a descriptor in it.',
  },
  {
    operation: /^POST \/collection\/\{CONNECTION_ID\}$/,
    what: /^200 \/receivedTimeMs format int32$/,
    reason: 'Milliseconds since 1970 do not fit into 32 bits; the example of the same file does not either.',
  },
];

/** Paths that no description has, and who else says that they exist. */
export const UNDESCRIBED: readonly { readonly path: RegExp; readonly reason: string }[] = [
  {
    path: /^POST \/ims\/token\/v3$/,
    reason: "IMS: Adobe's developer guide for server-to-server credentials.",
  },
  {
    path: /^DELETE \/data\/foundation\/conversion\/mappingSets\/[0-9a-f]{32}$/,
    reason: "aepp, Adobe's own Python client, removes mapping sets so (`deleteMappingSet`).",
  },
  { path: /^GET \/$/, reason: 'The doctor asks whether anybody is there; any answer will do.' },
];
