/**
 * By how much the clocks of two data centres may differ. A time in a shared text that lies further
 * ahead is not trusted.
 */
export const MAX_CLOCK_SKEW_MS = 60_000;
