// Which endpoints Experience Platform has, whether simulated or not: methods and path, nothing else.
//
// Two sources. DOCUMENTED: Adobe's published API descriptions (repository AdobeDocs/experience-platform-apis, 2026-06-11).
// test/local/aep/not-simulated.test.ts compares this list with them.
// CALLED: what Adobe's own Python client calls beyond those (adobe/aepp, 2026-08-11), and what its library for IMS calls
// (@adobe/aio-lib-ims 8.1.2). `rpc/csv2schema` has a page of Adobe's. Whether each of these still answers has not been tried.
// Mistakes in calls of aepp are left out: a base path without its slash, an activity's path written twice, and packages at the
// sandbox service. So is its `POST rpc/export`, where Adobe's page has `rpc/import`.

/** A service's base path, and below it its endpoints, a line each: the methods, then the path with `:id` for what varies. */
export interface Service {
  readonly base: string;
  readonly source: string;
  readonly endpoints: string;
}

export interface Endpoint {
  readonly method: string;
  /** As the router writes it: variable segments begin with a colon. */
  readonly pattern: string;
  readonly base: string;
}

/** Adobe's OpenAPI files, in full; `source` is the file's name. */
export const DOCUMENTED: readonly Service[] = [
  {
    base: '/data/foundation/schemaregistry',
    source: 'schema-registry.yaml',
    endpoints: `
      GET /global/behaviors
      GET /global/behaviors/:id
      GET /global/classes
      GET /global/classes/:id
      GET /global/datatypes
      GET /global/datatypes/:id
      GET /global/descriptors
      GET /global/descriptors/:id
      GET /global/fieldgroups
      GET /global/fieldgroups/:id
      GET /global/mixins
      GET /global/mixins/:id
      GET /global/schemas
      GET /global/schemas/:id
      GET /rpc/auditlog/:id
      GET /rpc/export/:id
      POST /rpc/import
      GET /rpc/sampledata/:id
      GET /stats
      GET POST /tenant/classes
      GET PUT PATCH DELETE /tenant/classes/:id
      GET POST /tenant/datatypes
      GET PUT PATCH DELETE /tenant/datatypes/:id
      GET POST /tenant/descriptors
      GET PUT DELETE /tenant/descriptors/:id
      GET POST /tenant/fieldgroups
      GET PUT PATCH DELETE /tenant/fieldgroups/:id
      GET POST /tenant/mixins
      GET PUT PATCH DELETE /tenant/mixins/:id
      GET POST /tenant/schemas
      GET PUT PATCH DELETE /tenant/schemas/:id
      GET /tenant/unions
      GET /tenant/unions/:id
    `,
  },
  {
    base: '/data/foundation/catalog',
    source: 'catalog.yaml',
    endpoints: `
      GET POST /
      GET POST /batches
      GET POST PUT PATCH DELETE /batches/:id
      GET /batches/uniques/:id
      GET POST /dataSets
      GET PUT PATCH DELETE /dataSets/:id
      GET /dataSets/:id/credentials
      GET /lastBatches
      GET /tags/:id
      PATCH /v2/dataSets/:id
    `,
  },
  {
    base: '/data/foundation/export',
    source: 'data-access.yaml',
    endpoints: `
      GET /batches/:id/failed
      GET /batches/:id/files
      GET /batches/:id/meta
      GET /datasets/:id/preview
      GET HEAD /files/:id
    `,
  },
  {
    base: '/data/foundation/conversion',
    source: 'data-prep.yaml',
    endpoints: `
      GET /languages/el/functions
      GET /languages/el/operators
      POST /languages/el/validate
      GET POST /mappingSets
      GET PUT /mappingSets/:id
      GET /mappingSets/:id/mappings
      GET /mappingSets/:id/mappings/:id
      POST /mappingSets/preview
      POST /mappingSets/validate
    `,
  },
  {
    base: '/data/foundation/flowservice',
    source: 'flow-service.yaml',
    endpoints: `
      GET POST /connectionSpecs
      GET PUT /connectionSpecs/:id
      GET /connectionSpecs/:id/configs
      GET /connectionSpecs/:id/explore
      GET POST /connections
      GET PATCH DELETE /connections/:id
      POST /connections/:id/action
      GET /connections/:id/configs
      GET /connections/:id/explore
      GET /connections/:id/test
      POST /connections/search
      GET POST /flowSpecs
      GET PUT /flowSpecs/:id
      POST /flowSpecs/search
      GET POST /flows
      GET PATCH DELETE /flows/:id
      POST /flows/:id/action
      POST /flows/search
      GET POST /runs
      GET PUT /runs/:id
      POST /runs/:id/action
      GET POST /sourceConnections
      GET PATCH DELETE /sourceConnections/:id
      POST /sourceConnections/:id/action
      GET POST /targetConnections
      GET PATCH DELETE /targetConnections/:id
      POST /targetConnections/:id/action
    `,
  },
  {
    base: '/data/core',
    source: 'identity-service.yaml',
    endpoints: `
      GET /identity/cluster/members
      POST /identity/clusters/members
      GET /identity/identity
      POST /identity/v2/graph
      GET POST /idnamespace/identities
      GET PUT /idnamespace/identities/:id
    `,
  },
  {
    base: '/data/infrastructure/observability/insights',
    source: 'observability-insights.yaml',
    endpoints: `
      GET POST /metrics
    `,
  },
  {
    base: '/data/foundation',
    source: 'sandbox.yaml',
    endpoints: `
      POST /exim/handshake/action
      POST /exim/handshake/bulkCreate
      GET /exim/handshake/list
      GET POST PUT /exim/packages
      GET DELETE /exim/packages/:id
      POST /exim/packages/:id/children
      GET /exim/packages/:id/export
      GET /exim/packages/:id/import
      PUT /exim/packages/import
      GET /exim/packages/jobs
      GET /exim/packages/payload/:id
      GET /exim/packages/preflight/:id/export
      PUT /exim/packages/update
      GET /exim/tools/job/:id
      POST /exim/transfer
      GET /exim/transfer/:id
      GET /exim/transfer/list
      POST /exim/transfer/pullRequest
      GET /sandbox-management
      GET /sandbox-management/sandboxTypes
      GET POST /sandbox-management/sandboxes
      GET PUT PATCH DELETE /sandbox-management/sandboxes/:id
    `,
  },
  {
    base: '',
    source: 'streaming-ingestion.yaml',
    endpoints: `
      POST /collection/:id
      POST /collection/batch/:id
    `,
  },
];

/** What else Adobe calls or writes about. */
export const CALLED: readonly Service[] = [
  {
    base: '/data/core/activation/authoring',
    source: 'aepp',
    endpoints: `
      GET POST /audience-templates
      GET POST DELETE /audience-templates/:id
      GET POST /credentials
      GET PUT DELETE /credentials/:id
      GET POST /destination-servers
      GET PUT DELETE /destination-servers/:id
      GET POST PUT /destinations
      GET DELETE /destinations/:id
      GET POST /destinations/publish
      GET PUT /destinations/publish/:id
      GET /sample-profiles
      POST /testing/destinationInstance/:id
      POST /testing/template/render
      GET /testing/template/sample/:id
    `,
  },
  {
    base: '/data/core/activation/disflowprovider',
    source: 'aepp',
    endpoints: `
      POST /adhocrun
    `,
  },
  {
    base: '/data/core/ais',
    source: 'aepp',
    endpoints: `
      POST /external-audience
      POST /external-audience/:id/runs
      GET /external-audience/:id/runs/:id
      GET /external-audience/operations/:id
    `,
  },
  {
    base: '/data/core/ca',
    source: 'aepp',
    endpoints: `
      GET POST PATCH /attributes
      GET DELETE /attributes/:id
    `,
  },
  {
    base: '/data/core/hygiene',
    source: 'aepp',
    endpoints: `
      GET /quota
      GET /ttl
      GET PUT DELETE /ttl/:id
      GET POST /workorder
      GET PUT /workorder/:id
    `,
  },
  {
    base: '/data/core/identity',
    source: 'aepp',
    endpoints: `
      GET POST /mapping
    `,
  },
  {
    base: '/data/core/idnamespace',
    source: 'aepp',
    endpoints: `
      GET /orgs/:id/identities
    `,
  },
  {
    base: '/data/core/privacy',
    source: 'aepp',
    endpoints: `
      GET POST /jobs
      GET /jobs/:id
      POST /jobs/:id/child-job
    `,
  },
  {
    base: '/data/core/ups',
    source: 'aepp',
    endpoints: `
      GET POST DELETE /access/entities
      GET POST /audiences
      GET PUT PATCH DELETE /audiences/:id
      GET POST /config/destinations
      GET PUT DELETE /config/destinations/:id
      GET POST /config/mergePolicies
      GET PUT PATCH DELETE /config/mergePolicies/:id
      GET POST /config/projections
      GET PUT DELETE /config/projections/:id
      GET POST /config/schedules
      GET PATCH DELETE /config/schedules/:id
      GET /estimate/:id
      GET POST /export/jobs
      GET DELETE /export/jobs/:id
      POST /preview
      GET DELETE /preview/:id
      GET /previewsamplestatus
      GET /previewsamplestatus/report/dataset
      GET /previewsamplestatus/report/dataset/overlap
      GET /previewsamplestatus/report/namespace
      GET /search/entities
      GET /search/namespaces
      POST /segment/conversion
      GET POST /segment/definitions
      GET PATCH DELETE /segment/definitions/:id
      POST /segment/definitions/bulk-get
      GET POST /segment/jobs
      GET DELETE /segment/jobs/:id
      GET POST /system/jobs
      GET DELETE /system/jobs/:id
    `,
  },
  {
    base: '/data/foundation/access-control',
    source: 'aepp',
    endpoints: `
      POST /acl/effective-policies
      GET /acl/reference
      GET POST /administration/policies
      GET PUT PATCH DELETE /administration/policies/:id
      GET /administration/products
      GET /administration/products/:id/categories
      GET /administration/products/:id/permission-sets
      GET /administration/roles
      GET PUT PATCH DELETE /administration/roles/:id
      GET PATCH /administration/roles/:id/subjects
    `,
  },
  {
    base: '/data/foundation/catalog',
    source: 'aepp',
    endpoints: `
      GET /dataSets/:id/views
      GET /dataSets/:id/views/:id
      GET /dataSets/:id/views/:id/files
    `,
  },
  {
    base: '/data/foundation/connectors',
    source: 'aepp',
    endpoints: `
      GET /landingzone
      GET /landingzone/credentials
    `,
  },
  {
    base: '/data/foundation/conversion',
    source: 'aepp',
    endpoints: `
      DELETE /mappingSets/:id
      POST /mappingSets/:id/mappings
      PUT DELETE /mappingSets/:id/mappings/:id
      GET /mappingSets/suggestion
      GET /xdmBatchConversions
      GET /xdmBatchConversions/:id
      GET /xdmBatchConversions/:id/activities
    `,
  },
  {
    base: '/data/foundation/dataset',
    source: 'aepp',
    endpoints: `
      GET HEAD POST PUT DELETE /datasets/:id/labels
    `,
  },
  {
    base: '/data/foundation/dulepolicy',
    source: 'aepp',
    endpoints: `
      POST /bulk-eval
      GET PUT /enabledCorePolicies
      GET /labels/core
      GET /labels/core/:id
      GET /labels/custom
      GET PUT /labels/custom/:id
      GET /marketingActions/core
      GET /marketingActions/core/:id
      POST /marketingActions/core/:id/constraints
      GET /marketingActions/custom
      GET PUT DELETE /marketingActions/custom/:id
      POST /marketingActions/custom/:id/constraints
      GET /policies/core
      GET /policies/core/:id
      GET POST /policies/custom
      GET /policies/custom/:id
    `,
  },
  {
    base: '/data/foundation/exim',
    source: 'aepp',
    endpoints: `
      POST /packages/:id/import
      GET /packages/preflight/:id
    `,
  },
  {
    base: '/data/foundation/import',
    source: 'aepp',
    endpoints: `
      POST PATCH /batches
      POST /batches/:id
      HEAD POST PUT /batches/:id/datasets/:id/files/:id
      GET /batches/:id/datasets/:id/preview
    `,
  },
  {
    base: '/data/foundation/query',
    source: 'aepp',
    endpoints: `
      POST /accelerated-queries
      GET POST /alert-subscriptions
      GET /alert-subscriptions/:id
      GET PATCH DELETE /alert-subscriptions/:id/:id
      GET /alert-subscriptions/user-subscriptions/:id
      GET /connection_parameters
      GET POST /queries
      GET PATCH DELETE /queries/:id
      GET POST /query-templates
      GET DELETE /query-templates/:id
      GET POST /schedules
      GET PATCH DELETE /schedules/:id
      GET /schedules/:id/runs
      GET /schedules/:id/runs/:id
      GET /statistics
    `,
  },
  {
    base: '/data/sensei',
    source: 'aepp',
    endpoints: `
      GET /engines
      GET DELETE /engines/:id
      GET /engines/dockerRegistry
      GET POST /mlInstances
    `,
  },
  {
    base: '/unifiedtags',
    source: 'aepp',
    endpoints: `
      GET POST /tagCategory
      GET PATCH DELETE /tagCategory/:id
      GET POST /tags
      GET PATCH DELETE /tags/:id
      POST /tags/validate
    `,
  },
  {
    base: '/unifiedfolders',
    source: 'aepp',
    endpoints: `
      PATCH DELETE /:id/:id
      GET /:id/:id/validate
      POST /folder/:id
      GET /folders/:id/:id
      GET /folders/:id/:id/subfolders
      GET /folders/:id/root/folderview
    `,
  },
  {
    base: '/ajo',
    source: 'aepp',
    endpoints: `
      POST /campaign-orchestration/orchestratedCampaigns/:id/trigger
      GET POST /config/suppression/addresses
      GET DELETE /config/suppression/addresses/:id
      DELETE /config/suppression/admin/:id/:id
      GET POST /config/suppression/domains
      GET DELETE /config/suppression/domains/:id
      GET POST /config/suppression/uploads
      GET DELETE /config/suppression/uploads/:id
      GET POST /content/fragments
      GET PUT PATCH /content/fragments/:id
      GET /content/fragments/:id/lastPublicationStatus
      GET /content/fragments/:id/liveFragment
      POST /content/fragments/publications
      POST /content/templates
      GET PUT PATCH DELETE /content/templates/:id
      GET /contentTemplates
      POST /im/executions/audience
      GET /im/executions/audience/:id
      POST /im/executions/highthroughput
      GET DELETE /im/executions/schedules/:id
      POST /im/executions/unitary
      GET /im/health
      GET /journey
      GET /journey/:id
      GET /relational/modeler/datasets/:id/extensions/validation
      POST /relational/modeler/datasets/extensions/enablement
      GET /relational/modeler/datasets/extensions/enablement/jobs/:id
      POST /simulations/campaigns/:id/previews
      POST /simulations/campaigns/:id/proofs
      GET /simulations/campaigns/:id/proofs/:id
    `,
  },
  {
    base: '/journey',
    source: 'aepp',
    endpoints: `
      POST /campaigns/service/campaigns
      GET /campaigns/service/campaigns/:id
      GET /campaigns/service/campaigns/:id/messages/:id
      GET /campaigns/service/campaigns/:id/messages/:id/variants/:id
      GET /campaigns/service/campaigns/:id/packages/:id
      GET /campaigns/service/campaigns/:id/publish/validation
      GET /campaigns/service/campaigns/:id/versions
      POST /campaigns/service/metadata/surfaces
      GET /campaigns/service/metadata/surfaces/:id/:id
      GET /campaigns/service/workflows/:id
      POST /orchestration/endpointConfigs
      GET PUT DELETE /orchestration/endpointConfigs/:id
      POST /orchestration/endpointConfigs/:id/deploy
      POST /orchestration/endpointConfigs/:id/undeploy
      POST /orchestration/list/endpointConfigs
      POST /orchestration/list/throttlingConfigs
      POST /orchestration/throttlingConfigs
      GET PUT DELETE /orchestration/throttlingConfigs/:id
      GET /orchestration/throttlingConfigs/:id/canDeploy
      POST /orchestration/throttlingConfigs/:id/deploy
      POST /orchestration/throttlingConfigs/:id/undeploy
    `,
  },
  {
    base: '/ims',
    source: 'aio-lib-ims',
    endpoints: `
      GET /authorize/v1
      POST /exchange/jwt
      GET /organizations/v6
      GET /profile/v1
      POST /token/v1
    `,
  },
  {
    base: '/data/foundation/schemaregistry',
    source: 'xdm/api/csv-to-schema',
    endpoints: `
      POST /rpc/csv2schema
    `,
  },
];

export function endpointsOf({ base, endpoints }: Service): Endpoint[] {
  return endpoints
    .trim()
    .split('\n')
    .flatMap((line) => {
      const words = line.trim().split(' ');
      const path = words.pop() as string;
      const pattern = path === '/' ? base : base + path;
      return words.map((method) => ({ method, pattern, base }));
    });
}

/** Every endpoint there is, in the order of the table. */
export const PUBLISHED: readonly Endpoint[] = [...DOCUMENTED, ...CALLED].flatMap(endpointsOf);
