// Time that passes only where everybody waits: several sleepers side by side, in the order in which they wake up.

export interface SharedTime {
  now: number;
}

/** Sleeps on `time`: when nothing else is going on, it moves on to whoever wakes up next. */
export function sleeper(time: SharedTime): (ms: number) => Promise<void> {
  const waiting: { at: number; wake: () => void }[] = [];
  let moving = false;
  const move = () => {
    moving = false;
    waiting.sort((a, b) => a.at - b.at);
    const next = waiting.shift();
    if (next === undefined) return;
    time.now = Math.max(time.now, next.at);
    next.wake();
    moveLater();
  };
  const moveLater = () => {
    if (moving || waiting.length === 0) return;
    moving = true;
    // Twice: what a turn of the event loop has set going comes first.
    setImmediate(() => setImmediate(move));
  };
  return (ms) =>
    new Promise((wake) => {
      waiting.push({ at: time.now + Math.max(0, ms), wake });
      moveLater();
    });
}
