// Waits for a promise, but only for a limited time.

/**
 * The result of `promise`, or `'late'` after `ms`. Uses the process's own timers: the wait is for the outside
 * world, so a simulated clock does not move it. A later result or error is dropped.
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
