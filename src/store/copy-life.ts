/**
 * How long the near and the world tier keep a copy at most, in seconds. A mark (marks.ts) must
 * outlive every copy, so no copy may live for ever.
 */
export const MAX_COPY_SECONDS = 30 * 86_400;
