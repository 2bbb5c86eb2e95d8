import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Parsed } from '../../config/problems.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { Region } from '../../origins/race/order.ts';
import { hasCode, messageOf } from '../terminal/message.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** The variables that `npm start` itself reads. */
export interface StartOptions {
  readonly port: number;
  /** Undefined for plain http. */
  readonly certificate: Certificate | undefined;
  readonly stateDirectory: string;
  /** Where requests seem to arrive. */
  readonly region: Region;
  readonly logFormat: LogFormat;
}

/** JSON for programs, or one short line an event for people. */
export type LogFormat = 'json' | 'text';

interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
}

/** Parses the variables of the local run. Fails with every problem. */
export async function parseStartOptions({
  environment,
  isTerminal,
}: Surroundings): Promise<Parsed<StartOptions>> {
  const text = (name: string, otherwise: string) => environment[name] || otherwise;
  const port = parsePort(text('PORT', '8787'));
  const stateDirectory = await openDirectory(text('STATE_DIR', '.modferry'));
  const region = parseRegion(text('REGION', ''));
  const logFormat = parseFormat(text('LOG_FORMAT', isTerminal ? 'text' : 'json'));
  const certificate = await readCertificate(text('TLS_CERT', ''), text('TLS_KEY', ''));
  if (port.ok && stateDirectory.ok && region.ok && logFormat.ok && certificate.ok) {
    return success({
      port: port.value,
      certificate: certificate.value,
      stateDirectory: stateDirectory.value,
      region: region.value,
      logFormat: logFormat.value,
    });
  }
  const all = [port, stateDirectory, region, logFormat, certificate];
  return failed(all.flatMap((result) => (result.ok ? [] : result.reason)));
}

function parsePort(text: string): Result<number> {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535
    ? success(port)
    : failed(`Cannot use PORT ${JSON.stringify(text)}: it is a number from 0 to 65535`);
}

/** Makes the directory where it is missing. */
async function openDirectory(text: string): Promise<Result<string>> {
  const directory = resolve(text);
  try {
    await makeDirectory(directory);
    await access(directory, constants.W_OK | constants.X_OK);
    return (await stat(directory)).isDirectory()
      ? success(directory)
      : failed(`Cannot use STATE_DIR ${JSON.stringify(directory)}: it is a file`);
  } catch (error) {
    const why = messageOf(error);
    return failed(
      `Cannot use STATE_DIR ${JSON.stringify(directory)}: it is no directory to write to (${why})`,
    );
  }
}

/** Node's own `recursive` never ends below /proc, where a directory is missing and cannot be made. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    const parent = dirname(directory);
    if (!hasCode(error, 'ENOENT') || parent === directory) throw error;
    await makeDirectory(parent);
    await mkdir(directory);
  }
}

const CONTINENTS = ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'];

/**
 * One code: ORIGINS compares its `regions` with all three alike, so that a code which is both a
 * country and a continent does not matter.
 */
function parseRegion(text: string): Result<Region> {
  if (text === '') return success({});
  if (CONTINENTS.includes(text)) return success({ continent: text });
  if (/^[A-Z]{2}$/.test(text)) return success({ country: text });
  if (/^[A-Z]{3}$/.test(text)) return success({ dataCentre: text });
  return failed(
    `Cannot use REGION ${JSON.stringify(text)}: it is the code of a data centre (HKG), country (CN) or continent (EU)`,
  );
}

function parseFormat(text: string): Result<LogFormat> {
  return text === 'json' || text === 'text'
    ? success(text)
    : failed(`Cannot use LOG_FORMAT ${JSON.stringify(text)}: it is json or text`);
}
