// What something costs of a processor: unlike the time it takes, not the affair of what else the machine does.

/** All threads of this process together, in seconds. */
export async function processorSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
