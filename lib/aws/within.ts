// How long a call to AWS may take: what hangs is better repeated by the SDK than waited for.

/**
 * For `requestHandler` of a client, both in ms: until there is a connection, and from the beginning of a request to its answer. Connections are kept.
 * By `requestTimeout` alone the SDK writes a warning and waits on.
 */
export function within(connectionTimeout: number, requestTimeout: number) {
  return { connectionTimeout, requestTimeout, throwOnRequestTimeout: true } as const;
}
