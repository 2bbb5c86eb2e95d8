import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from '../../src/cli/local/certificate.ts';

export interface CertificateFiles extends Certificate {
  /** PEM, and what a client has to trust. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a certificate for this machine that signs itself, and its key, in a folder. */
export async function makeCertificate(
  directory: string,
  name = 'localhost',
): Promise<CertificateFiles> {
  const certFile = join(directory, `${name}.crt`);
  const keyFile = join(directory, `${name}.key`);
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  const files = ['-keyout', keyFile, '-out', certFile];
  await promisify(execFile)('openssl', [...words.split(' '), ...subject, ...files]);
  return {
    certFile,
    keyFile,
    cert: await readFile(certFile, 'utf8'),
    key: await readFile(keyFile, 'utf8'),
  };
}
