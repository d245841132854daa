const WATCH_INTERVAL_MS = 500;

/**
 * Calls `action` once when npm, having started this process, is gone. `npm start` runs us below a shell, and passes a SIGTERM
 * on to that shell only: it dies, and without this we would live on as an orphan. Does nothing when npm did not start us.
 */
export function whenNpmEnds(action: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    action();
  }, WATCH_INTERVAL_MS);
  watch.unref();
}
