import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import type { DeployEffects } from './effects.ts';
import { logIn, runWrangler } from './wrangler.ts';

/** Text for a header. What refuses other text, such as `fetch`, shows it. */
const Visible = v.pipe(v.string(), v.regex(/^[\x21\x23-\x26\x28-\x7e]+$/));

/** What `wrangler auth token --json` writes. */
const Credentials = v.variant('type', [
  v.object({ type: v.picklist(['oauth', 'api_token']), token: Visible }),
  v.object({ type: v.literal('api_key'), key: Visible, email: Visible }),
]);

const CredentialsText = v.pipe(v.string(), v.parseJson(), Credentials);

/**
 * The headers that name who asks Cloudflare's API: the token of the environment, else the login
 * that wrangler has. On a terminal without either, wrangler's login is started.
 */
export async function findCredentials({
  ask,
  environment,
  print,
}: Pick<DeployEffects, 'ask' | 'environment' | 'print'>): Promise<
  Result<Readonly<Record<string, string>>>
> {
  const token = environment['CLOUDFLARE_API_TOKEN'];
  if (token) {
    if (v.is(Visible, token)) return success({ Authorization: `Bearer ${token}` });
    return failed(
      'Cannot use CLOUDFLARE_API_TOKEN: it has a space, a line break, a quote or a letter outside of ASCII; write the token alone, without quotes and without "Bearer "',
    );
  }
  const found = await wranglerCredentials(environment);
  if (found) return success(found);
  if (!ask) {
    return failed(
      'Nobody is logged in to Cloudflare: set CLOUDFLARE_API_TOKEN, or run "npx wrangler login" on a terminal before',
    );
  }
  print('Nobody is logged in to Cloudflare: wrangler opens a browser for it');
  await logIn(environment);
  const after = await wranglerCredentials(environment);
  if (after) return success(after);
  return failed(
    'Still nobody is logged in to Cloudflare: where the browser cannot finish the login, make an API token in the dashboard and set CLOUDFLARE_API_TOKEN',
  );
}

async function wranglerCredentials(
  environment: DeployEffects['environment'],
): Promise<Readonly<Record<string, string>> | undefined> {
  const { code, stdout } = await runWrangler(['auth', 'token', '--json'], environment);
  return code === 0 ? credentialsIn(stdout) : undefined;
}

/** The headers in what `wrangler auth token --json` wrote; undefined where it has another form. */
export function credentialsIn(stdout: string): Readonly<Record<string, string>> | undefined {
  const parsed = v.safeParse(CredentialsText, stdout);
  if (!parsed.success) return undefined;
  const credentials = parsed.output;
  return credentials.type === 'api_key'
    ? { 'X-Auth-Key': credentials.key, 'X-Auth-Email': credentials.email }
    : { Authorization: `Bearer ${credentials.token}` };
}
