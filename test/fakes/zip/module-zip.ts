import { writeZip } from './zip-writer.ts';

/**
 * The zip of a version of a module, as the go command makes it. File names are relative to its root.
 */
export function moduleZip(
  path: string,
  version: string,
  files: Readonly<Record<string, string | Uint8Array>> = {
    'go.mod': `module ${path}\n`,
    'tool.go': 'package tool\n',
  },
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(files).map(([name, content]) => ({
    name: `${path}@${version}/${name}`,
    content,
  }));
  return new Uint8Array(writeZip(entries));
}
