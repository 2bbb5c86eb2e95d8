import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../config/config.ts';
import { secretNames } from '../../config/origins-syntax.ts';
import type { Result } from '../../effects/result.ts';
import { parseToml } from '../local/parse-toml.ts';
import { CommandError } from '../terminal/command-error.ts';
import { type DeployFlags, knownAnswers } from './answers.ts';
import { type PlatformApi, platformApi } from './api.ts';
import { findCredentials } from './credentials.ts';
import type { DeployEffects } from './effects.ts';
import { checkName, checkSubdomain } from './free-name.ts';
import {
  type Deployment,
  hostsOf,
  type Manifest,
  parseManifest,
  resourceName,
  wranglerConfig,
} from './manifest.ts';
import { agreeWithoutR2, completeAnswers } from './questions.ts';
import { type ReachOptions, tryModule, waitForAddress } from './reach.ts';
import { loadAnswers, prepareDirectory, saveAnswers } from './saved.ts';
import { ensureBucket, ensureNamespace } from './storage.ts';
import { checkTokens, ensureToken } from './token.ts';
import { runWrangler } from './wrangler.ts';
import { wranglerFailure } from './wrangler-failure.ts';
import { findZone, type Zone } from './zone.ts';

const API = 'https://api.cloudflare.com/client/v4';

/**
 * Deploys modferry to Cloudflare. Each step finds what an earlier run made, so a run that failed is
 * continued by the next one. Throws `CommandError` with what went wrong and what to do.
 */
export async function runDeploy(flags: DeployFlags, effects: DeployEffects): Promise<void> {
  const { directory, environment, print, root } = effects;
  const toml = parseToml(await readFile(join(root, 'wrangler.toml'), 'utf8'));
  const manifest = valueOf(parseManifest(toml));
  valueOf(await prepareDirectory(directory));
  const saved = await loadAnswers(directory);
  const known = valueOf(knownAnswers({ flags, environment, manifest, saved }));
  const given = environment['TOKENS'] || undefined;
  valueOf(checkTokens(given));
  const { host, plan, verify } = valueOf(await completeAnswers(known, effects));
  checkVariables(manifest, { host, verify });
  const credentials = valueOf(await findCredentials(effects));
  const api = platformApi({ baseUrl: environment['CLOUDFLARE_API_BASE_URL'] || API, credentials });

  const named = environment['CLOUDFLARE_ACCOUNT_ID'] || manifest.account_id;
  const zone = valueOf(await findZone(api, host, named));
  const account = zone.account.id;
  print(`${host} is in the domain ${zone.name} of the account ${zone.account.name}`);
  valueOf(await checkSubdomain(api, account));
  const worker = manifest.name;
  const { resolve } = effects;
  const mayReplace = flags.replaceRecord === true;
  const state = valueOf(await checkName(api, { host, worker, zone, mayReplace, resolve }));
  // wrangler attaches all of them.
  for (const other of hostsOf(manifest).filter((name) => name !== host)) {
    const found = valueOf(await findZone(api, other, account));
    const name = { host: other, worker, zone: found, mayReplace, resolve };
    valueOf(await checkName(api, name));
  }
  const { buckets, isWithoutR2 } = await ensureBuckets(api, manifest, {
    account,
    agree: () => agreeWithoutR2(known, account, effects),
    print,
  });
  const namespaces = await ensureNamespaces(api, manifest, { account, print });
  await saveAnswers(directory, {
    host,
    ...(plan === undefined ? {} : { plan }),
    ...(isWithoutR2 || saved.withoutR2 ? { withoutR2: true } : {}),
  });

  await upload(manifest, { host, verify, buckets, namespaces }, { ...effects, zone });
  await storeToken(api, { account, worker, given, effects });
  await reach({ ...effects, address: `https://${host}`, isNew: state !== 'ours' });
}

/** What the Worker would refuse to start with is refused before it is uploaded. */
function checkVariables(
  { vars }: Manifest,
  { host, verify }: { readonly host: string; readonly verify: string },
): void {
  // The secrets are at Cloudflare, or will be.
  const secrets = Object.fromEntries(secretNames(vars['ORIGINS']).map((name) => [name, 'a:b']));
  const config = parseConfig({ ...secrets, CACHE_HOST: host, ...vars, VERIFY: verify });
  if (config.ok) return;
  const lines = config.reason.map((problem) => `  ${problem}`);
  throw stopped(['[vars] in wrangler.toml is wrong:', ...lines].join('\n'));
}

interface StorageOptions {
  readonly account: string;
  readonly print: (line: string) => void;
}

async function ensureNamespaces(
  api: PlatformApi,
  { kv_namespaces: bindings, name: worker }: Manifest,
  { account, print }: StorageOptions,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const { binding, id } of bindings) {
    if (id !== undefined) {
      ids.set(binding, id);
      continue;
    }
    const title = resourceName(worker, binding);
    const namespace = valueOf(await ensureNamespace(api, account, title));
    print(`KV namespace ${title}: ${namespace.isNew ? 'made' : 'found'}`);
    ids.set(binding, namespace.id);
  }
  return ids;
}

async function ensureBuckets(
  api: PlatformApi,
  { name: worker, r2_buckets: bindings }: Manifest,
  { account, agree, print }: StorageOptions & { readonly agree: () => Promise<Result<void>> },
): Promise<{ readonly buckets: ReadonlyMap<string, string>; readonly isWithoutR2: boolean }> {
  const buckets = new Map<string, string>();
  for (const { binding, bucket_name: name = resourceName(worker, binding) } of bindings) {
    const bucket = await ensureBucket(api, account, name);
    if (!bucket.ok) {
      if (bucket.reason.kind === 'failed') throw stopped(bucket.reason.text);
      valueOf(await agree());
      return { buckets: new Map(), isWithoutR2: true };
    }
    print(`R2 bucket ${name}: ${bucket.value.isNew ? 'made' : 'found'}`);
    buckets.set(binding, name);
  }
  return { buckets, isWithoutR2: false };
}

async function upload(
  manifest: Manifest,
  deployment: Deployment,
  { directory, environment, print, root, zone }: DeployEffects & { readonly zone: Zone },
): Promise<void> {
  const { host } = deployment;
  const account = zone.account.id;
  const file = join(directory, 'wrangler.json');
  const log = join(directory, 'wrangler.log');
  const config = wranglerConfig(manifest, root, deployment);
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`);
  print('wrangler builds and uploads modferry');
  const { code, output } = await runWrangler(['deploy', '--config', file], {
    ...environment,
    CLOUDFLARE_ACCOUNT_ID: account,
  });
  await writeFile(log, output);
  if (code !== 0) {
    throw stopped(`${wranglerFailure(output, { host, account })}\nAll that wrangler said: ${log}`);
  }
}

interface TokenStep {
  readonly account: string;
  readonly worker: string;
  readonly given: string | undefined;
  readonly effects: DeployEffects;
}

async function storeToken(
  api: PlatformApi,
  { account, effects, given, worker }: TokenStep,
): Promise<void> {
  const { environment, print, random } = effects;
  // The log of a workflow may be public.
  const options = { account, worker, given, random: environment['CI'] ? undefined : random };
  const outcome = valueOf(await ensureToken(api, options));
  switch (outcome.kind) {
    case 'made':
      print(`The admin token, shown once and stored as the secret TOKENS. Keep it:

  ${outcome.token}
`);
      return;
    case 'given':
      print('The secret TOKENS is that of the environment');
      return;
    case 'kept':
      print('The secret TOKENS exists; "npx wrangler secret put TOKENS" replaces it');
      return;
    case 'none':
      print(
        'No secret TOKENS was made, because the log of a workflow may be public. Set TOKENS (name:scope:token) to have one',
      );
  }
}

async function reach(options: ReachOptions): Promise<void> {
  const { address, print } = options;
  valueOf(await waitForAddress(options));
  const from = valueOf(await tryModule(options));
  print(`${address} serves modules (${from}).

Run this on every machine that shall use it:

  go env -w GOPROXY=${address}

The admin token makes one for each colleague and each CI, and shows it once:

  curl -H "Authorization: Bearer $ADMIN_TOKEN" -d '{"name":"ci","scope":"read"}' ${address}/-/api/tokens

Then check the platform once: npm run first-day -- ${address}`);
}

function valueOf<T>(result: Result<T, string | readonly string[]>): T {
  if (result.ok) return result.value;
  const { reason } = result;
  throw stopped(typeof reason === 'string' ? reason : reason.join('\n'));
}

function stopped(message: string): CommandError {
  return new CommandError(message, 1);
}
