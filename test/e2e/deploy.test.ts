import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { runWrangler } from '../../src/cli/deploy/wrangler.ts';
import { eventually } from '../eventually.ts';
import { deployEnvironment, type Deployer, newDeployer } from '../fakes/cloudflare/deployment.ts';
import { answered, CHALLENGE, own } from '../fakes/cloudflare/edge.ts';
import { npm, untilGone } from './npm-start.ts';

const FLAGS = { host: 'go.example.com', plan: 'free' };

/** The real wrangler, and Cloudflare's API on loopback. */
describe('npm run deploy', { concurrent: false }, () => {
  let deployer: Deployer;
  beforeEach(async () => {
    deployer = await newDeployer();
  });
  afterEach(() => deployer.close());

  it('makes everything on an empty account, and finds it all the second time', async () => {
    const { directory, platform, run } = deployer;
    const { state } = platform;
    const first = await run(FLAGS);
    expect(first.error).toBeUndefined();
    expect(first.printed).toContain('go env -w GOPROXY=https://go.example.com');
    expect(first.printed).toContain('random-1');
    expect(first.printed).toContain(
      `curl -H "Authorization: Bearer $ADMIN_TOKEN" -d '{"name":"ci","scope":"read"}' https://go.example.com/-/api/tokens`,
    );
    expect(state.domains).toEqual([{ hostname: 'go.example.com', service: 'modferry' }]);
    expect(state.schedules).toEqual(['*/15 * * * *']);
    expect(state.secrets).toEqual(new Map([['TOKENS', 'admin:admin:random-1']]));
    expect(state.worker?.bindings).toEqual(
      expect.arrayContaining([
        { name: 'FILES', type: 'r2_bucket', bucket_name: 'modferry-files' },
        { name: 'META', type: 'kv_namespace', namespace_id: '00000000000000000000000000000001' },
        { name: 'VERIFY', type: 'plain_text', text: 'mod' },
        { name: 'CACHE_HOST', type: 'plain_text', text: 'go.example.com' },
      ]),
    );

    platform.reset();
    const second = await run();
    expect(second.error).toBeUndefined();
    expect(second.printed).toContain('go env -w GOPROXY=https://go.example.com');
    expect(second.printed).not.toContain('random');
    expect(second.printed).not.toContain('ten minutes');
    expect(platform.count(/^POST .*(namespaces|buckets)$|^PUT .*secrets$/)).toBe(0);
    expect(state.worker?.bindings).toContainEqual({
      name: 'VERIFY',
      type: 'plain_text',
      text: 'mod',
    });

    // What was uploaded is what wrangler.toml builds.
    const config = join(directory, 'wrangler.json');
    const outdir = join(directory, 'built');
    const args = ['deploy', '--dry-run', '--config', config, '--outdir', outdir];
    const built = await runWrangler(args, deployEnvironment(platform, directory));
    expect(built.output).toContain('--dry-run: exiting now.');
    expect(withoutPaths(await readFile(join(outdir, 'worker.js'), 'utf8'))).toBe(
      withoutPaths(inject('workerScript')),
    );
  });

  // In the order of the steps, so that each run gets one step further than the one before.
  const STEPS: readonly (readonly [fault: RegExp, message: string])[] = [
    [/^GET .zones$/, 'Cannot look for the domain go.example.com: '],
    [/^GET .*workers.domains$/, 'Cannot look for Workers that serve at go.example.com: '],
    [/^GET .*dns_records$/, 'Cannot look for DNS records of go.example.com: '],
    [/^GET .*r2.buckets/, 'Cannot look for the R2 bucket "modferry-files": '],
    [/^POST .*r2.buckets$/, 'Cannot make the R2 bucket "modferry-files": '],
    [/^GET .*kv.namespaces$/, 'Cannot list the KV namespaces: '],
    [/^POST .*kv.namespaces$/, 'Cannot make the KV namespace "modferry-meta": '],
    [/^PUT .*scripts.modferry$/, 'wrangler could not deploy: '],
    [/^POST .*scripts.modferry.subdomain$/, 'wrangler could not deploy: '],
    // One run sets both, and fails in both.
    [/^PUT .*(schedules|domains.records)$/, 'wrangler could not deploy: '],
    [/^PUT .*secrets$/, 'Cannot store the secret TOKENS: '],
  ];

  it('goes on, whichever step failed in the run before', async () => {
    const { edge, platform, run } = deployer;
    for (const [step, message] of STEPS) {
      platform.reset();
      platform.failOnce(step);
      if (step.source.includes('|')) platform.failOnce(step);
      const { error, printed } = await run(FLAGS);
      expect({ step, error, printed }).toEqual({
        step,
        error: expect.stringContaining(message),
        printed: expect.not.stringContaining('random-'),
      });
      expect(error).toContain('Something failed [code: 7000]');
    }
    platform.reset();
    edge.next(own(200, 'ok\n'), answered(500, 'error code: 1101'), ...Array(3).fill(CHALLENGE));
    expect((await run()).error).toContain('cannot be had');
    const last = await run();
    expect(last.error).toBeUndefined();
    expect(last.printed).toContain('The secret TOKENS exists');
    expect(platform.state.namespaces).toHaveLength(1);
    expect(platform.state.buckets).toHaveLength(1);
  });

  it('a first deployment by wrangler alone that failed half-way is continued', async () => {
    const { directory, platform, run } = deployer;
    const environment = {
      ...deployEnvironment(platform, directory),
      CLOUDFLARE_ACCOUNT_ID: platform.state.account,
    };
    platform.state.hasR2 = false;
    const half = await runWrangler(['deploy'], environment);
    expect(half.code).toBe(1);
    platform.state.hasR2 = true;
    const again = await runWrangler(['deploy'], environment);
    expect(again.output).toContain('[code: 10014]');

    // In CI, where the log may be public, no token is made.
    const whole = await run(FLAGS, { environment: { CI: 'true' } });
    expect(whole.error).toBeUndefined();
    expect(whole.printed).toContain('No secret TOKENS was made');
    expect(platform.state.namespaces).toHaveLength(1);
    expect(platform.state.secrets.size).toBe(0);
  });

  it('a DNS record that the login may not see is replaced with --replace-record alone', async () => {
    const { platform, run } = deployer;
    const { state } = platform;
    state.mayReadDns = false;
    const record = { name: 'go.example.com', type: 'A', content: '192.0.2.1' };
    state.records = [record];
    expect((await run(FLAGS)).error).toContain('a DNS record exists');
    expect(state.records).toEqual([record]);
    expect(platform.count(/^PUT .*domains.records$/)).toBe(0);

    expect((await run({ ...FLAGS, replaceRecord: true })).error).toBeUndefined();
    expect(state.records).toEqual([]);
    // The name is its own from now on.
    expect((await run(FLAGS)).error).toBeUndefined();
  });

  // The process tree is read from /proc.
  it.runIf(process.platform === 'linux')('SIGTERM to npm ends wrangler too', async () => {
    const { directory, platform } = deployer;
    const upload = /^PUT .*scripts.modferry$/;
    platform.failOnce(upload, new Promise(() => {})); // it never ends
    const environment = deployEnvironment(platform, directory);
    const run = npm(['run', 'deploy', '--', '--host', 'go.example.com', '--plan', 'free'], {
      ...environment,
      STATE_DIR: directory,
    });
    try {
      await eventually(() => expect(platform.count(upload)).toBe(1), 60_000);
      const tree = run.tree();
      process.kill(run.pid, 'SIGTERM');
      await untilGone(tree);
      expect(platform.state.secrets.size).toBe(0);
      await eventually(() => expect(run.output()).toContain('run it again to go on from here'));
    } finally {
      run.killAll();
    }
  });

  it('goes on without R2 where its user agreed once, and adds R2 when it is there', async () => {
    const { platform, run } = deployer;
    platform.state.hasR2 = false;
    const first = await run(FLAGS, { answers: ['y'] });
    expect(first.error).toBeUndefined();
    expect(first.questions).toEqual([expect.stringContaining('without R2')]);
    const kinds = () => platform.state.worker?.bindings.map(({ type }) => type);
    expect(kinds()).not.toContain('r2_bucket');
    platform.state.hasR2 = true;
    expect((await run()).error).toBeUndefined();
    expect(kinds()).toContain('r2_bucket');
  });
});

/** A built Worker without the comments that name each source file. */
function withoutPaths(script: string): string {
  return script.replaceAll(/^\/\/.*$/gm, '');
}
