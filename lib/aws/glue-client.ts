// The part of Glue's client that is used, which lies in a file of its own in the bundle.
export { GetSchemaVersionCommand, GlueClient } from '@aws-sdk/client-glue';
