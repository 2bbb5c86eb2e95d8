import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Resolver } from '../../../src/cli/address/resolve.ts';
import type { DeployFlags } from '../../../src/cli/deploy/answers.ts';
import type { DeployEffects } from '../../../src/cli/deploy/effects.ts';
import { runDeploy } from '../../../src/cli/deploy/run-deploy.ts';
import { success } from '../../../src/effects/result.ts';
import { cleanEnvironment } from '../../go/go.ts';
import { fakeEdge, type FakeEdge } from './edge.ts';
import { type FakePlatform, startPlatform } from './platform.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Somebody who deploys modferry to a platform on loopback, with the real wrangler. */
export interface Deployer {
  readonly platform: FakePlatform;
  readonly edge: FakeEdge;
  /** Where the deployment keeps its files. */
  readonly directory: string;
  /** One run of `npm run deploy`. Never rejects. */
  run(flags?: DeployFlags, options?: RunOptions): Promise<Run>;
  close(): Promise<void>;
}

export interface RunOptions {
  /** The answers to questions on the terminal, in order. Default: there is no terminal. */
  readonly answers?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where wrangler.toml is. Default: that of this repository. */
  readonly root?: string;
  /** Where the deployment keeps its files. Default: that of the deployer. */
  readonly directory?: string;
  /** Default: DNS has the records of the account. */
  readonly resolve?: Resolver;
}

export interface Run {
  /** The message of its failure; undefined when it succeeded. */
  readonly error: string | undefined;
  readonly printed: string;
  readonly questions: readonly string[];
}

/** The environment of a deployment to the platform, with nothing of this machine's own login. */
export function deployEnvironment(platform: FakePlatform, home: string): NodeJS.ProcessEnv {
  return {
    ...cleanEnvironment(),
    HOME: home,
    XDG_CONFIG_HOME: home,
    TMPDIR: home,
    CLOUDFLARE_API_BASE_URL: platform.url,
    CLOUDFLARE_API_TOKEN: 'api-token',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
  };
}

/** A new account, and nothing deployed. */
export async function newDeployer(): Promise<Deployer> {
  const platform = await startPlatform();
  const home = await mkdtemp(join(tmpdir(), 'modferry-deploy-'));
  await pretendNewest(home);
  const edge = fakeEdge(platform.state);
  const directory = join(home, 'deploy');
  let tokens = 0;
  return {
    platform,
    edge,
    directory,
    async run(
      flags = {},
      { directory: kept = directory, answers, environment = {}, resolve, root = ROOT } = {},
    ) {
      const { records } = platform.state;
      const printed: string[] = [];
      const questions: string[] = [];
      const left = [...(answers ?? [])];
      let now = 0;
      const effects: DeployEffects = {
        environment: { ...deployEnvironment(platform, home), ...environment },
        root,
        directory: kept,
        ask:
          answers &&
          (async (question) => {
            questions.push(question);
            return left.shift() ?? '';
          }),
        print: (line) => void printed.push(line),
        visit: edge.visit,
        resolve:
          resolve ??
          (async (host) =>
            success(records.flatMap(({ content, name }) => (name === host ? [content] : [])))),
        clock: { now: () => now, sleep: async (ms) => void (now += ms) },
        random: () => `random-${++tokens}`,
      };
      const error = await runDeploy(flags, effects).then(
        () => undefined,
        (failure: unknown) => (failure instanceof Error ? failure.message : String(failure)),
      );
      return { error, printed: printed.join('\n'), questions };
    },
    async close() {
      await platform.close();
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** wrangler looks for a newer wrangler when it fails, unless it did so lately. */
async function pretendNewest(temporary: string): Promise<void> {
  const directory = join(temporary, 'update-check');
  await mkdir(directory);
  const checked = { latest: null, lastUpdate: Date.now() };
  await writeFile(join(directory, 'wrangler-latest.json'), JSON.stringify(checked));
}
