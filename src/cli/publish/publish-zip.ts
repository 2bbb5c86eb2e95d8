import { type FileHandle, open } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { checkZip } from '../../hosted/check-zip.ts';
import type { HostedVersion } from '../../hosted/hosted-version.ts';
import { escapeModulePath } from '../../module/module-path.ts';
import { escapeVersion } from '../../module/version.ts';
import { MAX_ZIP_BYTES } from '../../zip/rules/sizes.ts';
import { messageOf } from '../terminal/message.ts';
import { explain, PLATFORM_LIMIT } from './explain.ts';

export interface PublishOptions {
  /** The path of the zip. */
  readonly file: string;
  readonly version: HostedVersion;
  /** The origin of modferry's address. */
  readonly address: string;
  readonly token: string;
  /** The variable of the environment with the token. */
  readonly tokenVariable: string;
}

const SHOWN_BYTES = 4_096;

/**
 * Checks a zip as modferry does, and publishes it. Resolves with what happened, or fails with what is
 * wrong and what to do. Only a part of the zip is in memory.
 */
export async function publishZip(options: PublishOptions): Promise<Result<string>> {
  const { address, file, token, tokenVariable } = options;
  const { module, version } = options.version;
  const subject = `${module}@${version}`;
  const checked = await checkFile(file, options.version);
  if (!checked.ok) return failed(`Cannot publish ${file} as ${subject}: ${checked.reason}`);
  const path = `${escapeModulePath(module)}/@v/${escapeVersion(version)}.zip`;
  const body = await openAsBlob(file);
  try {
    const response = await fetch(`${address}/-/api/modules/${path}`, {
      method: 'PUT',
      redirect: 'manual', // a token goes to no other host
      headers: { Authorization: `Bearer ${token}` },
      body,
    });
    const text = await readStart(response);
    const sent = { subject, bytes: body.size, tokenVariable };
    const explained = explain({ status: response.status, text }, sent);
    return explained.isPublished
      ? success(`${explained.text} (${checked.value})`)
      : failed(explained.text);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const isLarge = body.size > 100_000_000;
    const hint = isLarge ? `. It may be too large for the platform: ${PLATFORM_LIMIT}` : '';
    return failed(`Cannot publish ${subject} to ${address}: ${messageOf(cause)}${hint}`);
  }
}

/** The h1 of the file, if it can be published as this version. */
async function checkFile(path: string, version: HostedVersion): Promise<Result<string>> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    return failed(messageOf(error));
  }
  try {
    const { size } = await file.stat();
    if (size > MAX_ZIP_BYTES)
      return failed(`it has ${size} bytes, and the go command reads at most ${MAX_ZIP_BYTES}`);
    const checked = await checkZip(sourceOf(file, size), version);
    return checked.ok ? success(checked.value.h1) : checked;
  } catch (error) {
    return failed(messageOf(error));
  } finally {
    await file.close();
  }
}

function sourceOf(file: FileHandle, size: number): ByteSource {
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
  };
}

async function readStart(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > SHOWN_BYTES) break;
  }
  return text;
}
