// The Experience Platform client, usable on its own as `penstock/aep`.
export { FAILURES, Failure, type FailureCode, isFailure } from '../failure.ts';
export type { Dataset, NewDataset } from './catalog.ts';
export { type Aep, type AepOptions, createAep } from './client.ts';
export type { Mapping, MappingSet, NewMappingSet } from './data-prep.ts';
export {
  CONNECTION_SPECS,
  type Connection,
  FLOW_SPECS,
  type Flow,
  type NewFlow,
  type NewInletConnection,
  type NewTargetConnection,
  type SourceConnection,
  type TargetConnection,
} from './flow-service.ts';
export * from './inlet.ts';
export type { Call, Reply, Request } from './request.ts';
export { CONTROL_PLANE, type RetryPolicy } from './retry.ts';
export type { NewSchema, Schema } from './schema-registry.ts';
export { type Credentials, createSessions, DEFAULT_SCOPES, type Session, type Sessions } from './token.ts';
export { type Clock, type Fetch, type FetchInit, systemClock, type Transport } from './transport.ts';
