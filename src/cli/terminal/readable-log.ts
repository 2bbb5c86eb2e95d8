import * as v from 'valibot';
import { KnownLine, type LogLine, type RequestLine } from './log-line.ts';

/** All tiles within this time are one line. */
const TILES_MS = 1_000;

/** The longest tier is "origin". */
const TIER_WIDTH = 6;

export interface ReadableLogOptions {
  readonly write: (line: string) => void;
  /** Calls a function after a time, if the process still runs then. */
  readonly schedule: (run: () => void, ms: number) => void;
}

/** A log for people: one short line an event, with the time of day. */
export function readableLog({
  write,
  schedule,
}: ReadableLogOptions): (line: LogLine, time: number) => void {
  let tiles: RequestLine[] = [];
  const writeAt = (time: number, text: string) => write(`${timeOfDay(time)} ${plain(text)}`);

  /** A client that looks up one record asks for some ten tiles. */
  function addTile(tile: RequestLine, time: number): void {
    tiles.push(tile);
    if (tiles.length > 1) return;
    schedule(() => {
      writeAt(time, describeTiles(tiles));
      tiles = [];
    }, TILES_MS);
  }

  return (line, time) => {
    const { success, output } = v.safeParse(KnownLine, line);
    if (!success) writeAt(time, describeFacts(line));
    else if (output.event === 'request' && output.kind === 'tile' && output.status < 400)
      addTile(output, time);
    else writeAt(time, describe(output));
  };
}

function describe(line: v.InferOutput<typeof KnownLine>): string {
  switch (line.event) {
    case 'request':
      return describeRequest(line);
    case 'trouble':
      return `trouble ${line.label}: ${line.message}`;
    case 'admin':
      return `admin ${line.token}: ${line.action} ${line.subject}`;
    case 'note':
      return `note ${line.text}`;
    case 'probe':
      return `probe ${line.origin}: ${line.verdict}, ${line.ms} ms`;
  }
}

function describeRequest(request: RequestLine): string {
  const { ms, origin, stale, status, text, tier, token } = request;
  const subject = subjectOf(request);
  return [
    `${status} ${tier.padEnd(TIER_WIDTH)} ${subject} ${ms} ms`,
    ...(stale ? [', stale'] : []),
    ...(text === undefined && origin !== undefined ? [` from ${origin}`] : []),
    ...(token === undefined ? [] : [` for ${token}`]),
    ...(text === undefined ? [] : [`: ${causeIn(text, subject)}`]),
  ].join('');
}

/** What was requested, as the error texts of modferry call it. */
function subjectOf({ kind, module, path, version }: RequestLine): string {
  if (module === undefined) return path ?? kind;
  if (kind === 'list') return `${module}/@v/list`;
  if (kind === 'latest') return `${module}/@latest`;
  if (kind === 'lookup') return `lookup ${module}@${version}`;
  return `${module}@${version}.${kind === 'query' ? 'info' : kind}`;
}

/** An error text without the subject, which the line has already. */
function causeIn(text: string, subject: string): string {
  const start = text.indexOf(`${subject}: `);
  return start < 0 ? text : text.slice(start + subject.length + 2);
}

function describeTiles(tiles: readonly RequestLine[]): string {
  const tiers = [...new Set(tiles.map(({ tier }) => tier))].map(
    (name) => `${tiles.filter(({ tier }) => tier === name).length} ${name}`,
  );
  const slowest = Math.max(...tiles.map(({ ms }) => ms));
  const count = tiles.length === 1 ? '1 tile' : `${tiles.length} tiles`;
  return `200 ${'tiles'.padEnd(TIER_WIDTH)} ${count} (${tiers.join(', ')}), at most ${slowest} ms`;
}

/** An event without words of its own, such as a security alarm, with all that is known of it. */
function describeFacts({ event, ...facts }: LogLine): string {
  const fields = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [event === 'security' ? 'SECURITY' : event, ...fields].join(' ');
}

function timeOfDay(time: number): string {
  return new Date(time).toTimeString().slice(0, 'hh:mm:ss'.length);
}

/** Paths and texts come from strangers: nothing in them may control the terminal. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
