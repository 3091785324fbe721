// The Experience Platform client, usable on its own as `penstock/aep`.
export { FAILURES, Failure, type FailureCode, isFailure } from '../failure.ts';
export type { Batch, Dataset, NewDataset } from './catalog.ts';
export { type Aep, type AepOptions, createAep } from './client.ts';
export type { BatchFile } from './data-access.ts';
export type { Mapping, MappingSet, NewMappingSet, PreviewRow, ReadMapping } from './data-prep.ts';
export type { DatasetLabels } from './dataset-service.ts';
export {
  CONNECTION_SPECS,
  type Collection,
  type Connection,
  FLOW_SPECS,
  type Flow,
  type FlowAction,
  type ListedFlow,
  type NewConnection,
  type NewFlow,
  type NewInletConnection,
  type NewSourceConnection,
  type NewTargetConnection,
  type SourceConnection,
  type TargetConnection,
} from './flow-service.ts';
export * from './inlet.ts';
export type { PatchOperation } from './json-patch.ts';
export type { Call, Reply, Request } from './request.ts';
export { CONTROL_PLANE, type RetryPolicy } from './retry.ts';
export type { Sandbox } from './sandboxes.ts';
export type {
  FieldGroup,
  IdentityDescriptor,
  NewFieldGroup,
  NewIdentityDescriptor,
  NewSchema,
  Schema,
  SchemaFields as Fields,
} from './schema-registry.ts';
export { type Credentials, createSessions, DEFAULT_SCOPES, type Session, type Sessions } from './token.ts';
export {
  type Clock,
  type Fetch,
  type FetchAnswer,
  type FetchInit,
  systemClock,
  type Transport,
} from './transport.ts';
