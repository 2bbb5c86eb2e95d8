import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Parsed } from '../../config/problems.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { messageOf } from '../terminal/message.ts';

/** A certificate with its chain, and its private key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads what `TLS_CERT` and `TLS_KEY` name; undefined where both are empty. Fails with every
 * problem.
 */
export async function readCertificate(
  certFile: string,
  keyFile: string,
): Promise<Parsed<Certificate | undefined>> {
  if (certFile === '' && keyFile === '') return success(undefined);
  if (keyFile === '')
    return failed([
      `Cannot use TLS_CERT ${quote(certFile)} alone: set TLS_KEY to the file of its key`,
    ]);
  if (certFile === '')
    return failed([
      `Cannot use TLS_KEY ${quote(keyFile)} alone: set TLS_CERT to the file of its certificate`,
    ]);
  const cert = await readPem('TLS_CERT', certFile, certificateOf);
  const key = await readPem('TLS_KEY', keyFile, createPrivateKey);
  if (!cert.ok || !key.ok)
    return failed([cert, key].flatMap((result) => (result.ok ? [] : [result.reason])));
  if (!cert.value.parsed.checkPrivateKey(key.value.parsed)) {
    const problem = `Cannot use TLS_KEY ${quote(keyFile)}: it is not the key of the certificate in TLS_CERT ${quote(certFile)}, whose own one must come first in that file`;
    return failed([problem]);
  }
  return success({ cert: cert.value.text, key: key.value.text });
}

/** The first certificate of a file. Throws where the file, chain included, is no certificate. */
function certificateOf(text: string): X509Certificate {
  createSecureContext({ cert: text });
  return new X509Certificate(text);
}

const FORMS = {
  TLS_CERT: 'it holds no certificate as PEM ("-----BEGIN CERTIFICATE-----")',
  TLS_KEY: 'it holds no private key as PEM ("-----BEGIN PRIVATE KEY-----") without a password',
};

/** What a file has, and what `parse` makes of it. */
async function readPem<T>(
  variable: keyof typeof FORMS,
  file: string,
  parse: (text: string) => T,
): Promise<Result<{ readonly text: string; readonly parsed: T }>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return failed(
      `Cannot use ${variable} ${quote(file)}: name a file that can be read (${messageOf(error)})`,
    );
  }
  try {
    return success({ text, parsed: parse(text) });
  } catch (error) {
    // OpenSSL's message never shows what the file has.
    return failed(
      `Cannot use ${variable} ${quote(file)}: ${FORMS[variable]} (${messageOf(error)})`,
    );
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
