/** What is known of a code that wrangler reports; README has the same table for people. */
const REMEDIES = new Map<number, (subject: Subject) => string>([
  [
    10_014,
    () =>
      'a KV namespace of this name exists: run "npm run deploy" and not "wrangler deploy", it finds the namespace',
  ],
  [
    10_063,
    ({ account }) =>
      `open https://dash.cloudflare.com/${account}/workers-and-pages once, which makes the account's workers.dev subdomain; Cloudflare starts no cron without one`,
  ],
  [
    10_072,
    () =>
      'the account has all the cron triggers that its plan allows: remove one of another Worker',
  ],
  [
    10_000,
    () =>
      'the login may not do this: run "npx wrangler login" again, or give the token the permissions that README names',
  ],
  [10_136, () => 'Cloudflare has not switched R2 on yet: wait some minutes, or use --without-r2'],
  [
    100_117,
    ({ host }) =>
      `delete the DNS records of ${host} in the dashboard (DNS, Records), or name another host with --host`,
  ],
  [100_328, () => 'the free plan has no CPU limit to set: remove [limits] from wrangler.toml'],
]);

export interface Subject {
  readonly host: string;
  readonly account: string;
}

/** One message about a run of wrangler that failed: its own reason, and what to do. */
export function wranglerFailure(output: string, subject: Subject): string {
  const codes = [...output.matchAll(/\[code: (\d+)\]/g)].map(([, code]) => Number(code));
  const remedy = codes.map((code) => REMEDIES.get(code)?.(subject)).find(Boolean);
  return `wrangler could not deploy: ${reasonIn(output)}; ${remedy ?? 'run this again to go on from here'}`;
}

/** What follows the reason in each report. */
const REST = /If you think this is a bug|Successful trigger changes|Note that there is a newer|🪵/u;

/** The report that begins with ERROR, on one line. */
function reasonIn(output: string): string {
  const start = output.indexOf(ERROR);
  const report = start < 0 ? output : output.slice(start + ERROR.length);
  const [reason = ''] = report.split(REST, 1);
  return reason.replaceAll(/\s+/g, ' ').trim() || 'it gave no reason';
}

const ERROR = '[ERROR]';
