// Every endpoint and behaviour of the simulated platform: who says that Experience Platform does so, and how sure that makes us.
//
// Names with .yaml are Adobe's published API descriptions (AdobeDocs/experience-platform-apis, 2026-06-11). Paths without a host are
// pages of Adobe's documentation (experienceleague.adobe.com/docs/experience-platform/…). `aepp` is Adobe's Python client (adobe/aepp,
// 2026-08-11), `connector` Adobe's Kafka sink (adobe/experience-platform-streaming-connect), `aep-mcp-server` the notes of
// Focus-GTS/aep-mcp-server on live answers (2026-08-14). `quirk …` is the switch (quirks.ts) that plays the other variant.

import type { Part } from './fact.ts';

export const TABLE: readonly Part[] = [
  {
    name: 'IMS',
    base: '/ims',
    endpoints: `
      POST /token/v3 | documented | Developer Console, ServerToServerAuthentication/ims
      POST /token/v2 | observed | adobe/aio-lib-ims, adobe/aio-lib-core-auth
      POST /validate_token/v1 | observed | adobe/aio-lib-ims
      POST /invalidate_token/v2 | observed | adobe/aio-lib-ims
    `,
    behaviours: `
      expires_in in seconds | documented | Developer Console, ServerToServerAuthentication/implementation | 86399
      two secrets live at a time | documented | Developer Console, ServerToServerAuthentication/implementation
      multipart/form-data | observed | adobe/aio-lib-ims | taken beside application/x-www-form-urlencoded
      v3 without scope | documented | Developer Console, ServerToServerAuthentication/ims | refused
      v2 without scope | ours | – | all scopes of the credential
      bodies of errors | ours | RFC 6749 | error, error_description
    `,
  },
  {
    name: 'The gateway',
    base: '',
    endpoints: '',
    behaviours: `
      401013, 403010, 403000, 403003, 403025, 403027, 400003 | documented | landing/troubleshooting
      no x-sandbox-name, Flow Service | conflicting | flow-service.yaml: the default sandbox; sources/errors/flow-service-errors: 2105-400 | refused; quirk sandbox-header
      no x-sandbox-name, other services | conflicting | landing/api-guide: required; Adobe's quick-start script: absent | the default sandbox
      a path that nobody has | ours | – | 404, legacy problem
      x-request-id comes back as a header | ours | profile.yaml and identity-service.yaml have it in requests alone
      501 with penstock: not simulated | ours | – | no service of Adobe's answers so
    `,
  },
  {
    name: 'Sandboxes',
    base: '/data/foundation/sandbox-management',
    endpoints: `
      GET / | documented | sandbox.yaml
      GET POST /sandboxes | documented | sandbox.yaml
      GET /sandboxTypes | documented | sandbox.yaml
      GET PATCH PUT DELETE /sandboxes/:name | documented | sandbox.yaml
    `,
    behaviours: `
      202, and about 30 s in between | documented | sandboxes/api/sandboxes
      limit and offset come together | documented | sandboxes/api/appendix | else 50 from the first
      the state of a deleted one | conflicting | sandboxes/api/sandboxes: deleted; sandbox.yaml: cleaning | deleted; quirk sandbox-deletion
      the default production sandbox is not deleted | documented | sandboxes/ui/user-guide
      bodies of errors; a deleted name again; validationOnly | ours | –
    `,
  },
  {
    name: 'Schema Registry',
    base: '/data/foundation/schemaregistry',
    endpoints: `
      GET /stats | documented | schema-registry.yaml
      GET /rpc/sampledata/:id | documented | schema-registry.yaml
      GET /rpc/export/:id | documented | schema-registry.yaml
      POST /rpc/import | documented | schema-registry.yaml
      GET /tenant/unions | documented | schema-registry.yaml
      GET /tenant/unions/:id | documented | schema-registry.yaml
      GET POST /tenant/descriptors | documented | schema-registry.yaml
      GET PUT DELETE /tenant/descriptors/:id | documented | schema-registry.yaml
      GET POST /tenant/{schemas,fieldgroups,mixins,classes,datatypes} | documented | schema-registry.yaml
      GET PUT PATCH DELETE /tenant/{schemas,fieldgroups,mixins,classes,datatypes}/:id | documented | schema-registry.yaml
      GET /global/{schemas,fieldgroups,mixins,classes,datatypes,behaviors} | documented | schema-registry.yaml
      GET /global/{schemas,fieldgroups,mixins,classes,datatypes,behaviors}/:id | documented | schema-registry.yaml
      POST /global/{schemas,fieldgroups,mixins,classes,datatypes,behaviors} | ours | xdm/api/getting-started: lists and look-ups alone | 403
      GET /tenant/behaviors | ours | as the other kinds
      GET /tenant/behaviors/:id | ours | as the other kinds
    `,
    behaviours: `
      Accept of lists and look-ups, with and without version | documented | xdm/api/getting-started
      an unknown word in Accept | ours | – | 400
      classUsage of /stats | conflicting | xdm/api/getting-started: an object; schema-registry.yaml: a list | an object; quirk class-usage
      titles are unique over all kinds | documented | xdm/troubleshooting-guide | XDM-1521-400
      union wants an identity | documented | xdm/troubleshooting-guide | XDM-1528-400
      union is never taken away; changes only add | documented | xdm/schema/composition
      limit without orderby | observed | aep-mcp-server | schema-registry.yaml takes it with orderby alone
      start=0 finds nothing | observed | aep-mcp-server
      order without orderby | ours | – | last change first
      start comes strictly after, so a page may be larger | documented | schema-registry.yaml
      Adobe's own resources by way of tenant | observed | aepp
      a rewritten descriptor | conflicting | xdm/api/descriptors: 201; schema-registry.yaml: 200 | 200; quirk descriptor-put
      a list as sourceProperty | documented | xdm/api/descriptors | primary keys alone
      a descriptor twice | ours | –
      a relational schema names neither class nor field group | documented | xdm/api/schemas | what else it asks of one (descriptors of key and version) is not checked
      a schema in use is not deleted | documented | xdm/ui/resources/schemas | its code is ours
      last write wins | ours | –
      a pattern that is no regular expression; more than 100,000 fields by references | ours | – | 400
      patterns are Java's | ours | everit-org/json-schema, whose words the validation has
      a union's title | conflicting | schema-registry.yaml: the class's; xdm/api/unions: "Union object for …" | the class's
      an import makes all or nothing | ours | –
      what an export leaves out | ours | xdm/api/export | descriptors, union tag
      classes, field groups, data types | documented | github.com/adobe/xdm | 24 field groups built in; --xdm reads all
      where a field without a namespace is | ours | – | where it stands
    `,
  },
  {
    name: 'Identity namespaces',
    base: '/data/core/idnamespace',
    endpoints: `
      GET POST /identities | documented | identity-service.yaml
      GET PUT /identities/:id | documented | identity-service.yaml
    `,
    behaviours: `
      the answer of a rewrite | conflicting | identity-service.yaml, schema: a list; its text: one namespace | a list; quirk namespace-put
      idTypes | observed | aepp
      a rewrite of Adobe's own | ours | – | refused
    `,
  },
  {
    name: 'Catalog',
    base: '/data/foundation/catalog',
    endpoints: `
      GET POST /dataSets | documented | catalog.yaml
      GET PUT PATCH DELETE /dataSets/:id | documented | catalog.yaml
      PATCH /v2/dataSets/:id | documented | catalog.yaml
      GET POST /datasets | ours | Adobe's prose has both spellings | as dataSets
      GET PUT PATCH DELETE /datasets/:id | ours | Adobe's prose has both spellings | as dataSets
      PATCH /v2/datasets/:id | ours | Adobe's prose has both spellings | as dataSets
      GET /batches | documented | catalog.yaml
      GET /batches/:id | documented | catalog.yaml
      GET /lastBatches | documented | catalog.yaml
      GET /ttl/:id | documented | catalog/datasets/experience-event-dataset-retention-ttl-guide
    `,
    behaviours: `
      bounds below the dataset's id or at the top | conflicting | catalog/datasets/experience-event-dataset-retention-ttl-guide, a sample: below it; another sample: at the top | at the top
      row expiration: events alone; of Profile, datasets in it alone | documented | catalog/datasets/experience-event-dataset-retention-ttl-guide
      30 days in the lake at least | documented | catalog/datasets/experience-event-dataset-retention-ttl-guide
      the least in Profile | conflicting | profile/event-expirations: one day; a sample of the guide: P7D | one day
      null ends a row expiration | documented | catalog/datasets/experience-event-dataset-retention-ttl-guide
      Profile's is changed once in 30 days | ours | – | 400
      Profile not shorter than the lake | conflicting | the guide's questions: so; its note: 30 days there, 13 months in the lake | either is taken
      a create answers with a list of one reference | documented | catalog/api/create-dataset
      names are not unique | observed | a sample of catalog/api/filter-data has one name twice
      limit 20, at most 100; a comma is or, ! is not, * is anything | documented | catalog/api/filter-data
      tags unifiedProfile and unifiedIdentity | documented | profile/tutorials/dataset-configuration
      enabledAt in the tag | observed | Adobe's experience-league-tech-insiders, answers printed
      E-Tag, If-Match, 412 | documented | catalog/api/appendix
      tags in a partial object | ours | – | replaced
      an unknown id deleted | conflicting | catalog/api/delete-object: may be 200 with []; aep-mcp-server: 404 | 404; quirk dataset-deletion
      upsert for a dataset in Profile: switched off first | documented | catalog/datasets/enable-upsert | that one patch is enough is ours; docs/decisions/0030
      deep merge | documented | catalog.yaml, v2
      counts of invalid records, tags.flowId of a failed batch | observed | aepp, getFailedBatchesDF
      rows that come close together share a batch | ours | –
    `,
  },
  {
    name: 'Dataset Service',
    base: '/data/foundation/dataset',
    endpoints: `
      GET POST PUT DELETE /datasets/:id/labels | documented | data-governance/labels/dataset-api
    `,
    behaviours: `
      labels as they are read | conflicting | data-governance/labels/dataset-api: below AEP:dataset:{id}; dataset-service.yaml: flat | below the name; quirk dataset-labels
      a dataset without labels | documented | dataset-service.yaml | 404
      If-Match of PUT and DELETE is the etag that was read | documented | dataset-service.yaml | 412, whose status is ours
      POST where there are labels | documented | dataset-service.yaml | 403
      first labels by PUT, without If-Match | conflicting | data-governance/labels/dataset-api: POST or PUT; dataset-service.yaml: PUT wants an etag | taken
      labels of fields are only taken away | documented | data-governance/labels/dataset-api | its status is ours
      any text is a label | ours | – | labels themselves are the Policy Service's
    `,
  },
  {
    name: 'Batch Ingestion',
    base: '/data/foundation/import',
    endpoints: `
      POST /batches/:id | observed | aepp
    `,
    behaviours: `
      action=REVERT: inactive, then deleted | documented | ingestion/batch-ingestion/api-overview | after a minute
      nothing to take back | observed | aep-mcp-server | 428, ERR-BI-104; of an aborted batch
    `,
  },
  {
    name: 'Data Access',
    base: '/data/foundation/export',
    endpoints: `
      GET /batches/:id/files | documented | data-access.yaml
      GET /batches/:id/failed | documented | data-access.yaml
      GET /batches/:id/meta | documented | data-access.yaml
      GET HEAD /files/:id | documented | data-access.yaml
      GET /datasets/:id/preview | documented | data-access.yaml
    `,
    behaviours: `
      length of a file is text | documented | data-access.yaml
      failed rows: body, header, _errors | conflicting | aepp, getFailedBatchesDF: encoded as text; ingestion/quality/retrieve-failed-batches: objects | text; quirk failed-rows
      content of a file | ours | – | JSON lines; Experience Platform keeps parquet
    `,
  },
  {
    name: 'Flow Service',
    base: '/data/foundation/flowservice',
    endpoints: `
      GET /{connectionSpecs,flowSpecs} | documented | flow-service.yaml
      GET /{connectionSpecs,flowSpecs}/:id | documented | flow-service.yaml
      POST /flowSpecs/search | documented | flow-service.yaml
      POST /connectionSpecs/search | ours | flow-service.yaml has it of the others
      GET POST /{connections,sourceConnections,targetConnections,flows} | documented | flow-service.yaml
      GET PATCH DELETE /{connections,sourceConnections,targetConnections,flows}/:id | documented | flow-service.yaml
      POST /{connections,flows}/search | documented | flow-service.yaml
      POST /{connections,sourceConnections,targetConnections,flows}/:id/action | documented | flow-service.yaml
      GET /connections/:id/test | documented | flow-service.yaml
      GET /connections/:id/explore | documented | flow-service.yaml
      GET /runs | documented | flow-service.yaml
      GET /runs/:id | documented | flow-service.yaml
    `,
    behaviours: `
      201 with id and etag; read as a list of one | documented | flow-service.yaml
      names are not unique | ours | –
      property filters, also quoted | documented | dataflows/api/sort-and-filter
      a comma in quotes | ours | – | part of the value
      a next link carries the token alone | documented | flow-service.yaml
      If-Match wanted: 1403-400 | documented | sources/errors/flow-service-errors
      an old etag | conflicting | sources/errors/flow-service-errors: FLOW-1404-412; destinations/api/update-destination-dataflows: errorMessage alone | the code; quirk stale-etag
      case of op in a patch | conflicting | sources/tutorials/api/update-dataflows: lower; flow-service.yaml: upper; aepp: Add | any
      what a patch of a connection's end answers | conflicting | sources/tutorials/api/update: id and etag; flow-service.yaml: items | id and etag; quirk patch-reply
      grammar of search | ours | –
      a resource that is not there: 1439 | conflicting | sources/errors/flow-service-errors: 400; sources/tutorials/api/labels: 404 | 404 in the path, 400 in a body
      data of an HTTP API source | conflicting | sources/tutorials/api/create/streaming/http: absent; flow-service.yaml: required | may be absent
      inlet URL in auth.params | documented | sources/tutorials/api/create/streaming/http
      authenticationRequired is false unless asked for | documented | sources/tutorials/api/create/streaming/http
      secrets are not shown again | ours | –
      connection in use: 1418-400; other schema: 1425-400; wrong state: 1422-400 | documented | sources/errors/flow-service-errors
      five minutes after a change | documented | sources/tutorials/api/create/cloud-storage/kinesis | what is sent before is lost
      mappingVersion: number in, text out | conflicting | sources/tutorials/api/collect/streaming: number; flow-service.yaml: text
      ends of a live flow | documented | sources/tutorials/api/update-dataflows | a change does not reach it
      hourly runs | documented | sources/tutorials/ui/monitor-streaming
      what an hour's run counts, and when it has failed | ours | –
      30 days of failures disable a flow | documented | release notes, June 2026 | how days count is ours
      names of specs | documented | destinations/api/streaming-destinations; aepp | of Pub/Sub and HTTP API: ours
    `,
  },
  {
    name: 'Sources that are read',
    base: '',
    endpoints: '',
    behaviours: `
      earliest and latest; earliest unless said | documented | sources/connectors/cloud-storage/kinesis
      4,000 records a second of Kinesis | documented | sources/connectors/cloud-storage/kinesis
      what is no JSON object | ours | – | dropped, counted as failed
      a stopped flow with latest begins at the tip anew | ours | –
      a flow that slept longer than its stream keeps records | ours | – | goes on with the oldest that is left, and with the shards that are; what is played here is kept by number, not by age
      a flow that cannot read: run failed, CONNECTOR-1001-500 | documented | sources/notifications | of sources in general
      a consumer group, a subscription serve one flow | documented | sources/tutorials/api/create/cloud-storage/{eventhub,google-pubsub}
      Kinesis is read by AWS's client | ours | docs/decisions/0020
      Event Hubs and Pub/Sub are played: records put in by an own route | ours | docs/decisions/0020
    `,
  },
  {
    name: 'Data Prep',
    base: '/data/foundation/conversion',
    endpoints: `
      GET POST /mappingSets | documented | data-prep.yaml
      POST /mappingSets/validate | documented | data-prep.yaml
      POST /mappingSets/preview | documented | data-prep.yaml
      GET PUT /mappingSets/:id | documented | data-prep.yaml
      DELETE /mappingSets/:id | observed | aepp
      GET /mappingSets/:id/mappings | documented | data-prep.yaml
      GET /mappingSets/:id/mappings/:row | documented | data-prep.yaml
      POST /mappingSets/:id/mappings | observed | aepp
      PUT DELETE /mappingSets/:id/mappings/:row | observed | aepp
      POST /languages/el/validate | documented | data-prep.yaml
      GET /languages/el/functions | documented | data-prep.yaml
      GET /languages/el/operators | documented | data-prep.yaml
    `,
    behaviours: `
      a create answers 200 | documented | data-prep/api/mapping-set
      a list without start | conflicting | data-prep.yaml: required; aepp never sends it | taken
      mappings of a set | conflicting | data-prep/api/mapping-set: a list; data-prep.yaml: one mapping | a list
      the answer of a preview | conflicting | data-prep/api/mapping-set: a list; data-prep.yaml: one object | a list
      PUT counts the version up | ours | –
      a written row is a new version of the set | ours | –
      a failed transformation nulls its field | documented | data-prep/data-handling | the row fails where the field is required
      a number in a text field becomes text | documented | data-prep/api/mapping-set, preview's sample
      numbers keep their digits from record to row | ours | – | also what a double cannot hold; docs/decisions/0021
      fpid_to_ecid | observed | adobe/target-cdn-experimentation-nodejs-sdk, generateEcidFromFpid | another ECID in each organization; the pair of data-prep/functions names no organization, and is not given
      4096 characters of a calculated field | documented | data-prep/troubleshooting-guide
      functions and operators | documented | data-prep/functions
      a regular expression that looks for more than a second; a text of more than 10,000,000 characters | ours | – | the transformation fails
      date patterns | documented | data-prep/dates; java.time.format.DateTimeFormatter | an unknown letter is refused
      bodies of errors | ours | – | legacy problem, DPMAP codes
    `,
  },
  {
    name: "Data Prep by two tutorials' path",
    base: '/data/foundation',
    endpoints: `
      GET POST /mappingSets | conflicting | sources/tutorials/api/collect/streaming; data-prep.yaml has conversion before it | as with it; quirk mapping-path
      POST /mappingSets/{validate,preview} | conflicting | as above
      GET PUT DELETE /mappingSets/:id | conflicting | as above
      GET POST /mappingSets/:id/mappings | conflicting | as above
      GET PUT DELETE /mappingSets/:id/mappings/:row | conflicting | as above
    `,
    behaviours: '',
  },
  {
    name: 'Observability',
    base: '/data/infrastructure/observability/insights',
    endpoints: `
      GET POST /metrics | documented | observability-insights.yaml
    `,
    behaviours: `
      filter dataSetId | conflicting | observability/api/metrics: dataSetId, dataSets, dataSetID | any
      filter inletId | ours | –
      downsample with a granularity | conflicting | states of observability/api/metrics | may be absent
      the answer of version 1 | conflicting | observability/api/metrics: an object; observability-insights.yaml: a list | an object; quirk old-metrics
      an interval without data | ours | OpenTSDB, which the page refers to | no datapoint
      when a count shows | ours | – | at once
    `,
  },
  {
    name: 'The inlet',
    base: '/collection',
    endpoints: `
      POST /:inlet | documented | streaming-ingestion.yaml
      POST /batch/:inlet | documented | streaming-ingestion.yaml
    `,
    behaviours: `
      a failed message of a 207 | conflicting | connector: status, with xactionId; ingestion/tutorials/streaming-multiple-messages: statusCode, without | status; quirk 207
      207 also where every message failed | documented | ingestion/tutorials/streaming-multiple-messages
      an invalid token | conflicting | ingestion/tutorials/streaming-multiple-messages: 403; sources/tutorials/api/create/streaming/http: 401 | 403; quirk inlet-token
      sandbox header | conflicting | streaming-ingestion.yaml: required; tutorials: absent | may be absent; quirk inlet-sandbox
      another sandbox in it | ours | – | 400
      sandbox-name is read like x-sandbox-name | observed | public clients
      header and body of XDM messages | conflicting | streaming-ingestion.yaml requires imsOrgId, datasetId, flowId; tutorials leave them out | filled in
      raw messages in a batch | observed | connector
      raw without a flow id | ours | – | taken where one flow is possible
      operations merge and delete reach Profile alone | documented | data-prep/upserts
      1 MB a request | documented | streaming-ingestion.yaml | 1,000,000 or 2^20: unsaid
      syncValidation | documented | ingestion/tutorials/streaming-record-data
      receivedTimeMs | conflicting | tutorials: a number; a sample of streaming-ingestion.yaml: text | a number; quirk received-time
      a pattern that looks for more than a second | ours | – | the record is refused, and told why
      words of violations | documented | ingestion/quality/streaming-validation; everit-org/json-schema
      15 minutes of a cached schema | documented | ingestion/quality/streaming-validation
      1,000 requests and 10,000 messages a second | documented | ingestion/streaming-ingestion/overview | 429, only if asked for
      404, 415, and their bodies | ours | –
      Content-Encoding | ours | connector can, and does not
    `,
  },
];
