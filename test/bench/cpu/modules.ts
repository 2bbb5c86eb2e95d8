import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { hashGoMod, hashFiles } from '../../fakes/zip/dirhash.ts';
import { seededRandom } from '../../fakes/effects/seeded-random.ts';
import { type FakeModule, infoJSON, makeModule } from '../../fakes/origin/module.ts';
import { writeZip } from '../../fakes/zip/zip-writer.ts';

export const VERSION = 'v1.0.0';

/** Bytes of a file, about those of a source file. It deflates to a third, as source files do. */
const FILE_BYTES = 7_000;
const random = seededRandom(1);
const WORDS = Array.from({ length: 600 }, () => Math.floor(random.next() * 36 ** 7).toString(36));

/** Files that many zips share: only their names differ from module to module. */
const FILES = Array.from({ length: 500 }, () => {
  let text = '';
  while (text.length < FILE_BYTES) {
    text += `${WORDS[Math.floor(random.next() ** 2 * WORDS.length)]} `;
  }
  return deflated(Buffer.from(text.slice(0, FILE_BYTES)));
});
const MEAN_BYTES = FILES.reduce((sum, { data }) => sum + data.length, 0) / FILES.length + 200;

/** A module with its record in a checksum database. */
export interface LoggedModule {
  readonly module: FakeModule;
  /** The two go.sum lines. */
  readonly record: string;
}

/** A module whose zip has about `bytes` bytes of source files. */
export function sourceModule(path: string, bytes: number): LoggedModule {
  const prefix = `${path}@${VERSION}/`;
  const requires = Array.from({ length: 12 }, (_, at) => `\trequired.example/m${at} v1.${at}.0\n`);
  const mod = `module ${path}\n\ngo 1.21\n\nrequire (\n${requires.join('')})\n`;
  const files = [
    { name: `${prefix}go.mod`, ...deflated(Buffer.from(mod)) },
    ...Array.from({ length: Math.round(bytes / MEAN_BYTES) }, (_, at) => ({
      name: `${prefix}internal/package${Math.floor(at / 10)}/source_file_${at}.go`,
      ...random.pick(FILES),
    })),
  ];
  const zip = writeZip(files);
  const h1 = hashFiles(files.map(({ name, sum }) => [name, sum]));
  return {
    module: makeModule(path, { [VERSION]: { info: infoJSON(path, VERSION), mod, zip } }),
    record: `${path} ${VERSION} ${h1}\n${path} ${VERSION}/go.mod ${hashGoMod(mod)}\n`,
  };
}

function deflated(content: Buffer) {
  const sum = createHash('sha256').update(content).digest('hex');
  return { content, data: deflateRawSync(content), sum };
}
