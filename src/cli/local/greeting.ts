export interface Started {
  /** Where it listens, such as "http://127.0.0.1:8787". */
  readonly url: string;
  readonly stateDirectory: string;
  /** Whether wrangler.toml binds a bucket. */
  readonly hasBucket: boolean;
}

/** What `npm start` prints when modferry listens. */
export function greeting(started: Started): readonly string[] {
  const { hasBucket, stateDirectory, url } = started;
  const files = hasBucket
    ? `keeps its files in ${stateDirectory}`
    : 'keeps no files, because wrangler.toml has no R2 bucket with the binding FILES';
  return [`modferry listens on ${url} and ${files}`, `Paste this line:  go env -w GOPROXY=${url}`];
}
