import { type FakeModule, infoJSON, makeModule, makeVersion } from '../fakes/origin/module.ts';

/**
 * A module that no other row uses: v1.0.0, v1.1.0 and the branch main. Its path is made of any
 * text.
 */
export function ownModule(text: string): FakeModule {
  return twoVersions(ownPath(text));
}

/** A module with v1.0.0, v1.1.0 and the branch main. */
export function twoVersions(path: string): FakeModule {
  const version = (version: string) => makeVersion(path, version, { 'go.mod': `module ${path}\n` });
  return makeModule(
    path,
    { 'v1.0.0': version('v1.0.0'), 'v1.1.0': version('v1.1.0') },
    { queries: { main: infoJSON(path, 'v1.1.1-0.20240501120000-0123456789ab') } },
  );
}

/** A module path out of any text. */
export function ownPath(text: string): string {
  return `example.com/${text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}
