import * as v from 'valibot';

/** A line of modferry's log. Its other fields depend on the event. */
export const LogLine = v.looseObject({ event: v.string() });

export type LogLine = v.InferOutput<typeof LogLine>;

/** Parses a line that the Worker wrote; undefined for a line of workerd itself. */
export function parseLogLine(line: string): LogLine | undefined {
  try {
    const parsed = v.safeParse(LogLine, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined; // no JSON
  }
}

/** The fields of the line of a request that the terminal shows. */
export const RequestLine = v.object({
  event: v.literal('request'),
  kind: v.string(),
  status: v.number(),
  tier: v.string(),
  ms: v.number(),
  module: v.optional(v.string()),
  version: v.optional(v.string()),
  path: v.optional(v.string()),
  origin: v.optional(v.string()),
  stale: v.optional(v.boolean()),
  token: v.optional(v.string()),
  text: v.optional(v.string()),
});

export type RequestLine = v.InferOutput<typeof RequestLine>;

/** A failure that belongs to no answer. */
export const TroubleLine = v.object({
  event: v.literal('trouble'),
  label: v.string(),
  message: v.string(),
});

export type TroubleLine = v.InferOutput<typeof TroubleLine>;

/** What the holder of a token did. */
const AdminLine = v.object({
  event: v.literal('admin'),
  token: v.string(),
  action: v.string(),
  subject: v.string(),
});

/** What has one short line of its own in the terminal. */
export const KnownLine = v.variant('event', [
  RequestLine,
  TroubleLine,
  AdminLine,
  v.object({ event: v.literal('note'), text: v.string() }),
  v.object({
    event: v.literal('probe'),
    origin: v.string(),
    verdict: v.string(),
    ms: v.number(),
  }),
]);
