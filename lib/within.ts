// Waits for something, but no longer than there is time.

/**
 * What `promise` brings, or `'late'` after `ms`. Measured by the process's own timers: the wait is for the world, and
 * no simulated clock moves it along. What arrives later, error or not, is dropped.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(resolve, Math.max(0, ms), 'late');
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
