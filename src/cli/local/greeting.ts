export interface Started {
  /** Where it listens, such as "http://127.0.0.1:8787". */
  readonly url: string;
  readonly stateDirectory: string;
  /** Whether wrangler.toml binds a bucket. */
  readonly hasBucket: boolean;
  /** Whether the variable TOKENS is set. */
  readonly hasTokens: boolean;
}

/** What `npm start` prints when modferry listens. */
export function greeting(started: Started): readonly string[] {
  const { hasBucket, hasTokens, stateDirectory, url } = started;
  const files = hasBucket
    ? `keeps its files in ${stateDirectory}`
    : 'keeps no files, because wrangler.toml has no R2 bucket with the binding FILES';
  return [
    `modferry listens on ${url} and ${files}`,
    ...(hasTokens ? ['TOKENS is not in use: this version serves everybody who reaches it'] : []),
    `Paste this line:  go env -w GOPROXY=${url}`,
  ];
}
