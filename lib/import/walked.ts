// What AEP answered about one pipeline: the flow, and everything that it leads to.
import type {
  Connection,
  Dataset,
  DatasetLabels,
  FieldGroup,
  Flow,
  IdentityDescriptor,
  MappingSet,
  Schema,
  SourceConnection,
  TargetConnection,
} from '../aep/index.ts';

/** A field group of the organization that the schema has. */
export interface WalkedGroup {
  readonly group: FieldGroup;
  /** The schemas that have it, this one among them. */
  readonly schemas: readonly string[];
}

export interface WalkedFlow {
  readonly flow: Flow;
  readonly source: SourceConnection;
  readonly base: Connection;
  readonly target: TargetConnection;
  readonly dataset: Dataset;
  readonly labels: DatasetLabels;
  /** Other flows that fill the dataset, by their ids. */
  readonly otherFlows: readonly string[];
  readonly schema: Schema;
  /** Other datasets of the schema, by their ids; `undefined` where there are too many datasets to know. */
  readonly otherDatasets: readonly string[] | undefined;
  /** By `$id`. A field group of Adobe is not among them. */
  readonly groups: ReadonlyMap<string, WalkedGroup>;
  /** With the codes of their namespaces. */
  readonly identities: readonly IdentityDescriptor[];
  /** How many descriptors of other kinds the schema has. */
  readonly otherDescriptors: Readonly<Record<string, number>>;
  /** In the version that the flow uses; absent if the flow maps nothing. */
  readonly mappingSet?: MappingSet;
  /** The organization's namespace, without the underscore. */
  readonly tenant: string;
}

/** The transformation of a flow that maps records. */
export function mappingIn({ transformations }: Flow) {
  return transformations?.find(({ name }) => name === 'Mapping');
}
