import { setFlagsFromString } from 'node:v8';

/** Resident memory, in bytes, above which garbage is looked for earlier: a shop of some thousand products stays below. */
const TIGHT_ABOVE_BYTES = 240_000_000;
/** How much of what lives may come on top of it as garbage then, in percent; 0: as V8 likes, up to three times as much. */
const TIGHT_PERCENT = 50;
const LOOK_MS = 1000;

/**
 * Keeps memory down where there is much of it: with 100,000 products V8 lets 470 MB gather for 80 MB that live, and looking for garbage
 * earlier makes that 260 MB. It costs a tenth to a fifth of the processor time of each request, so small shops are left alone. A flag that
 * V8 reads at each collection (Node 20 to 24), not a limit of the heap: it never ends the process.
 */
export function keepHeapTight(): void {
  let percent = 0;
  setInterval(() => {
    const wanted = process.memoryUsage.rss() > TIGHT_ABOVE_BYTES ? TIGHT_PERCENT : 0;
    if (wanted === percent) return;
    percent = wanted;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  }, LOOK_MS).unref();
}
