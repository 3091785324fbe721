// What a deployment calls its own consumers of Kinesis streams, and how one is told from a consumer made by hand.

/** One for each stream. cloud/roles.yml allows no others to be removed. */
export function consumerName(stage: string): string {
  return `penstock-${stage}`;
}

/** Whether the ARN is that of a consumer of this stage: `{stream's ARN}/consumer/{name}:{time}`. */
export function isOwnConsumer(consumerArn: string, stage: string): boolean {
  return consumerArn.includes(`/consumer/${consumerName(stage)}:`);
}
