import type { ByteSource } from '../bytes/byte-source.ts';
import type { H1 } from '../bytes/h1.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { checkMod, declaredModules } from '../goproxy/check-answer.ts';
import { failureText } from '../origins/failure.ts';
import { hashZip } from '../zip/hash/hash-zip.ts';
import { describePath } from '../zip/read/describe-name.ts';
import { readEntry } from '../zip/read/entry-content.ts';
import type { Entry } from '../zip/read/directory-header.ts';
import { Windows } from '../zip/read/windows.ts';
import { checkModuleZip } from '../zip/rules/check-module-zip.ts';
import type { HostedVersion } from './hosted-version.ts';

/** What a module zip has. */
export interface CheckedZip {
  readonly h1: H1;
  /** The `.mod` of the version. */
  readonly mod: Uint8Array;
}

/**
 * Whether a zip can be published as this version: the go command would unpack it, and its go.mod is
 * that of the module. Fails with the reason. Rejects when `source` does.
 *
 * A zip without go.mod gets the `.mod` that the go command makes up (cmd/go/internal/modfetch,
 * LegacyGoMod).
 */
export async function checkZip(
  source: ByteSource,
  { module, version }: HostedVersion,
): Promise<Result<CheckedZip>> {
  if (source.size === 0) return failed('there are no bytes: send the zip of the module');
  const prefix = `${module}@${version}/`;
  let goMod: Entry | undefined;
  const hashed = await hashZip(source, {
    check(entries) {
      const problem = checkModuleZip(entries, { prefix, size: source.size });
      if (problem === undefined) goMod = findEntry(entries, `${prefix}go.mod`);
      return problem;
    },
  });
  if (hashed.kind === 'broken')
    return failed(`the go command would not unpack this zip: ${hashed.reason}`);
  const { h1 } = hashed;
  if (!goMod) return success({ h1, mod: new TextEncoder().encode(`module ${module}\n`) });
  const read = await readEntry(new Windows(source, { end: 0 }), goMod);
  if (!read.ok) return failed(`go.mod ${read.reason}`);
  const mod = new Uint8Array(read.value); // its own memory, not that of the zip
  const problem = findModProblem(mod, { module, version });
  return problem === undefined ? success({ h1, mod }) : failed(problem);
}

function findEntry(entries: readonly Entry[], name: string): Entry | undefined {
  const wanted = new TextEncoder().encode(name);
  return entries.find(
    (entry) =>
      entry.name.length === wanted.length && wanted.every((byte, at) => entry.name[at] === byte),
  );
}

function findModProblem(mod: Uint8Array, { module, version }: HostedVersion): string | undefined {
  if (version.endsWith('+incompatible'))
    return `the zip has a go.mod, and ${version} is for modules without one: the path of a module with go.mod ends in its major version`;
  const checked = checkMod(mod, module);
  if (!checked.ok) return `the zip has, as its go.mod, ${failureText(checked.reason)}`;
  const [declared = ''] = declaredModules(mod);
  return declared === module
    ? undefined
    : `the go.mod in the zip says "module ${describePath(declared)}" instead of "module ${module}"`;
}
