/** What CodesWholesale and G2A allow: the defaults of the program and of the sandboxes. */
export const REAL_LIMITS = {
  cwsProducts: { requests: 400, seconds: 600 },
  cwsProduct: { requests: 600, seconds: 300 },
  g2a: { requests: 600, seconds: 60 },
};

/** Products that CodesWholesale is asked for at once, and the share of its limit that may go into that. */
const SWEEP_BATCH = 75;
const SWEEP_SHARE = 0.8;

/** A limit as programs take it, such as `4000/600s`, with `factor` times the requests in the same time. */
export function scaled({ requests, seconds }, factor) {
  return `${Math.round(requests * factor)}/${seconds}s`;
}

/** Seconds from the first to the last of so many requests, as fast as a limit over any stretch of time lets them go. */
export function secondsWithin({ requests, seconds }, count) {
  return Math.max(0, Math.ceil(count / requests) - 1) * seconds;
}

/** The same of requests to both sides, which are worked off beside each other. */
export function secondsAtRealLimits({ cwsProducts, g2a }) {
  return Math.max(secondsWithin(REAL_LIMITS.cwsProducts, cwsProducts), secondsWithin(REAL_LIMITS.g2a, g2a));
}

/** Seconds in which the sweep looks at so many products once, at the real limits. */
export function sweepSecondsAtRealLimits(products) {
  const { requests, seconds } = REAL_LIMITS.cwsProducts;
  return (Math.ceil(products / SWEEP_BATCH) * seconds) / (requests * SWEEP_SHARE);
}
