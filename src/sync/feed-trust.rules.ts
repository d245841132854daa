/** A change that we found by ourselves is missed when so many complete passes of the feed, begun since, have not mentioned it … */
export const PASSES_TO_ANNOUNCE = 2;
/** … and the last of them began so long after it was found: a feed that is a little late does not lie. */
export const SECONDS_TO_ANNOUNCE = 60;
/** Up to so long after it was found, a late announcement undoes that verdict: so late a change is still read (see feed-window.rules.ts). */
export const SECONDS_TO_ANNOUNCE_LATE = 120;
/** Over how long verdicts are counted. */
export const VERDICT_WINDOW_SECONDS = 600;

/** A few changes may be missed by chance: from so many on, and more than this part of those that we found first, it is no chance. */
const MISSES_TO_DISTRUST = 3;
const MISSED_SHARE_TO_DISTRUST = 0.05;
/** The feed is believed again when nothing was missed for so long. */
const TRUST_AFTER_SECONDS = 1800;

/** What became of the changes that we found before the feed had announced them. */
export interface FeedVerdicts {
  /** Never announced, in the last VERDICT_WINDOW_SECONDS. */
  readonly missed: number;
  /** Missed or announced after all, in the same time. */
  readonly judged: number;
  /** When one was last found to have been missed; null: not within the last hour. */
  readonly lastMissedAt: Date | null;
}

/**
 * Since when the feed is not believed; null when it is.
 * @param unreliableSince what held so far.
 */
export function judgeFeed(verdicts: FeedVerdicts, unreliableSince: Date | null, now: Date): Date | null {
  const { missed, judged, lastMissedAt } = verdicts;
  if (unreliableSince === null) {
    return missed >= MISSES_TO_DISTRUST && missed > judged * MISSED_SHARE_TO_DISTRUST ? now : null;
  }
  const quietMs = now.getTime() - (lastMissedAt ?? unreliableSince).getTime();
  return quietMs >= TRUST_AFTER_SECONDS * 1000 ? null : unreliableSince;
}
