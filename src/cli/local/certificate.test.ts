import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, makeCertificate } from '../../../test/fakes/certificate.ts';
import { readCertificate } from './certificate.ts';

let directory: string;
let right: CertificateFiles;
let other: CertificateFiles;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-certificate-'));
  right = await makeCertificate(directory);
  other = await makeCertificate(directory, 'other');
});
afterAll(() => rm(directory, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(directory, name), text);
  return join(directory, name);
}

async function problems(cert: string, key: string): Promise<readonly string[]> {
  const read = await readCertificate(cert, key);
  return read.ok ? [] : read.reason;
}

it('without TLS_CERT and TLS_KEY there is none', async () => {
  expect(await readCertificate('', '')).toEqual({ ok: true, value: undefined });
});

it('is what the two files have', async () => {
  const { cert, certFile, key, keyFile } = right;
  expect(await readCertificate(certFile, keyFile)).toEqual({ ok: true, value: { cert, key } });
});

it('may have its chain behind it', async () => {
  const chain = await file('chain.crt', right.cert + other.cert);
  expect(await problems(chain, right.keyFile)).toEqual([]);
});

describe('a problem names the variable, its value and what to do:', () => {
  it('one of the two alone', async () => {
    expect(await problems('a.crt', '')).toEqual([
      'Cannot use TLS_CERT "a.crt" alone: set TLS_KEY to the file of its key',
    ]);
    expect(await problems('', 'a.key')).toEqual([
      'Cannot use TLS_KEY "a.key" alone: set TLS_CERT to the file of its certificate',
    ]);
  });

  it('files that are missing or cannot be read', async () => {
    expect(await problems('/no/a.crt', directory)).toEqual([
      expect.stringMatching(/^Cannot use TLS_CERT "\/no\/a\.crt": name a file .*\(ENOENT: /),
      expect.stringMatching(/^Cannot use TLS_KEY ".*": name a file .*\(EISDIR: /),
    ]);
  });

  it('files of something else', async () => {
    const { certFile, keyFile } = right;
    expect(await problems(keyFile, certFile)).toEqual([
      expect.stringContaining(
        `TLS_CERT ${JSON.stringify(keyFile)}: it holds no certificate as PEM`,
      ),
      expect.stringContaining(
        `TLS_KEY ${JSON.stringify(certFile)}: it holds no private key as PEM`,
      ),
    ]);
    expect(await problems(await file('empty.crt', ''), keyFile)).toHaveLength(1);
    const broken = right.cert + right.cert.replace('MII', 'MIX');
    expect(await problems(await file('broken.crt', broken), keyFile)).toHaveLength(1);
  });

  it('a key with a password', async () => {
    const locked = generateKeyPairSync('ec', {
      namedCurve: 'prime256v1',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    });
    const keyFile = await file('locked.key', locked.privateKey);
    expect(await problems(right.certFile, keyFile)).toEqual([
      expect.stringContaining('without a password'),
    ]);
  });

  it('the key of another certificate', async () => {
    expect(await problems(right.certFile, other.keyFile)).toEqual([
      expect.stringContaining(
        `TLS_KEY ${JSON.stringify(other.keyFile)}: it is not the key of the certificate in TLS_CERT ${JSON.stringify(right.certFile)}`,
      ),
    ]);
  });
});
