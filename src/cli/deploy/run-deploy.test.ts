import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failed } from '../../effects/result.ts';
import { type Deployer, newDeployer } from '../../../test/fakes/cloudflare/deployment.ts';

const FLAGS = { host: 'go.example.com', plan: 'free' };

const brokenDns = async () => failed('queryA ESERVFAIL go.example.com');

describe('before anything is uploaded or made', () => {
  let deployer: Deployer;
  beforeEach(async () => {
    deployer = await newDeployer();
  });
  afterEach(async () => {
    const { platform } = deployer;
    const changes = platform.calls.filter((call) => !call.startsWith('GET '));
    if (changes.length > 0) throw new Error(`Not only read: ${changes.join(', ')}`);
    await deployer.close();
  });

  it('names everything that is missing where there is no terminal', async () => {
    const { error } = await deployer.run();
    expect(error).toContain('--host go.example.com, or DEPLOY_HOST');
    expect(error).toContain('--plan free or paid, or DEPLOY_PLAN');
    expect(deployer.platform.calls).toEqual([]);
  });

  it('names every value that is wrong', async () => {
    const environment = { DEPLOY_HOST: 'https://go.example.com/', DEPLOY_PLAN: 'gratis' };
    const { error } = await deployer.run({}, { environment });
    expect(error).toContain('Cannot serve at "https://go.example.com/"');
    expect(error).toContain('Cannot deploy for the plan "gratis"');
  });

  it('asks again for an answer that is wrong', async () => {
    const answers = ['workers', 'go.elsewhere.example', 'cheap', 'paid'];
    const { error, printed, questions } = await deployer.run({}, { answers });
    expect(questions).toHaveLength(4);
    expect(printed).toContain('Cannot serve at "workers"');
    expect(error).toContain('none of your accounts has this domain');
  });

  it('an answer that led nowhere is not remembered', async () => {
    await deployer.run({}, { answers: ['go.elsewhere.example', 'free'] });
    expect((await deployer.run()).error).toContain('DEPLOY_HOST');
  });

  it.each([
    [
      'a token that may not',
      { CLOUDFLARE_API_TOKEN: 'another' },
      'lacks "Zone: Zone: Read", or it is',
    ],
    ['another account', { CLOUDFLARE_ACCOUNT_ID: 'a2' }, 'names "a2"'],
    ['TOKENS of another form', { TOKENS: 'secret' }, 'name:scope:token'],
  ])('%s is refused', async (_, environment, message) => {
    const { error } = await deployer.run(FLAGS, { environment });
    expect(error).toContain(message);
    expect(error).not.toContain('secret,');
  });

  it('variables with which modferry would not start are refused, all at once', async () => {
    const root = dirname(deployer.directory);
    const vars = 'ORIGINS = "htp://x"\nTIMEOUT_STALL = "soon"\nPRIVATE = ""';
    const toml = `name = "modferry"\nmain = "src/worker.ts"\n[vars]\n${vars}\n`;
    await writeFile(join(root, 'wrangler.toml'), toml);
    const { error } = await deployer.run(FLAGS, { root });
    expect(error).toContain('[vars] in wrangler.toml is wrong:');
    expect(error).toContain('"htp://x"');
    expect(error).toContain('TIMEOUT_STALL "soon"');
  });

  it.each([
    ['with a line break', 'api-\ntoken'],
    ['with a line break at its end', 'api-token\n'],
    ['in quotes', '"api-token"'],
    ['after "Bearer "', 'Bearer api-token'],
    ['with a letter outside of ASCII', 'api-tökén'],
  ])('a token %s is refused, and not shown', async (_, token) => {
    const { error, printed } = await deployer.run(FLAGS, {
      environment: { CLOUDFLARE_API_TOKEN: token },
    });
    expect(error).toContain('Cannot use CLOUDFLARE_API_TOKEN');
    expect(error).toContain('without quotes and without "Bearer "');
    expect(error + printed).not.toContain('api-');
    expect(deployer.platform.calls).toEqual([]);
  });

  it('a STATE_DIR that is a file is refused', async () => {
    const directory = join(deployer.directory, 'deploy');
    await writeFile(deployer.directory, '');
    const { error } = await deployer.run(FLAGS, { directory });
    expect(error).toContain(`Cannot keep files in "${directory}"`);
    expect(error).toContain('set STATE_DIR');
  });

  it('a wrangler.toml that is no TOML is refused with its line', async () => {
    const root = dirname(deployer.directory);
    await writeFile(join(root, 'wrangler.toml'), 'name = "modferry"\nmain = = 1\n');
    const { error } = await deployer.run(FLAGS, { root });
    expect(error).toMatch(/^Cannot use wrangler\.toml: line 2, column 8: .*; mend this line$/);
  });

  it('a wrangler.toml without a name is refused in words', async () => {
    const root = dirname(deployer.directory);
    await writeFile(join(root, 'wrangler.toml'), 'main = "src/worker.ts"\n');
    const { error } = await deployer.run(FLAGS, { root });
    expect(error).toMatch(/^Cannot use wrangler\.toml: .*name/s);
  });

  it('a domain whose name servers are elsewhere is refused', async () => {
    for (const zone of deployer.platform.state.zones) zone.status = 'pending';
    expect((await deployer.run(FLAGS)).error).toContain('set the name servers');
  });

  it('a foreign DNS record is refused, with its content', async () => {
    deployer.platform.state.records = [
      { name: 'go.example.com', type: 'CNAME', content: 'old.example.net' },
    ];
    const { error } = await deployer.run(FLAGS);
    expect(error).toContain('(CNAME old.example.net); delete the record in the dashboard');
  });

  const RECORD = { name: 'go.example.com', type: 'A', content: '192.0.2.1' };

  it('a foreign DNS record that the login may not read is not replaced', async () => {
    const { state } = deployer.platform;
    state.mayReadDns = false;
    state.records = [RECORD];
    const { error } = await deployer.run(FLAGS);
    expect(error).toContain('"go.example.com": a DNS record exists, it resolves to 192.0.2.1');
    expect(error).toContain('agree with --replace-record');
  });

  it('stops where neither the login nor DNS tells whether there is a record', async () => {
    deployer.platform.state.mayReadDns = false;
    const { error } = await deployer.run(FLAGS, { resolve: brokenDns });
    expect(error).toContain('not known, DNS gave no answer (queryA ESERVFAIL go.example.com)');
  });

  it('a foreign DNS record of another name in routes is refused too', async () => {
    const root = dirname(deployer.directory);
    const routes = '[{ pattern = "www.example.com", custom_domain = true }]';
    const toml = `name = "modferry"\nmain = "src/worker.ts"\nroutes = ${routes}\n`;
    await writeFile(join(root, 'wrangler.toml'), toml);
    deployer.platform.state.records = [{ ...RECORD, name: 'www.example.com' }];
    const { error } = await deployer.run(FLAGS, { root });
    expect(error).toContain('Cannot serve at "www.example.com": it has a DNS record already');
  });

  it('the name of another Worker is refused, which wrangler would take', async () => {
    deployer.platform.state.domains = [{ hostname: 'go.example.com', service: 'shop' }];
    expect((await deployer.run(FLAGS)).error).toContain('the Worker "shop" serves there');
  });

  it('an account without a workers.dev subdomain is refused, as its cron would be', async () => {
    deployer.platform.state.hasSubdomain = false;
    expect((await deployer.run(FLAGS)).error).toContain('/a1/workers-and-pages once');
  });

  it('without a login and without a terminal, says how to log in', async () => {
    const { error } = await deployer.run(FLAGS, { environment: { CLOUDFLARE_API_TOKEN: '' } });
    expect(error).toContain('Nobody is logged in to Cloudflare: set CLOUDFLARE_API_TOKEN');
  });

  it('an API that cannot be reached is named, with the way around it', async () => {
    const environment = { CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9/client/v4' };
    const { error } = await deployer.run(FLAGS, { environment });
    expect(error).toContain('http://127.0.0.1:9/client/v4 cannot be reached');
    expect(error).toContain('.github/workflows/deploy.yml');
  });
});

describe('an account where R2 is not switched on', () => {
  let deployer: Deployer;
  beforeEach(async () => {
    deployer = await newDeployer();
    deployer.platform.state.hasR2 = false;
  });
  afterEach(() => deployer.close());

  it.each([
    ['without a terminal', undefined],
    ['whose user says no', ['n']],
    ['whose user says nothing', ['']],
  ])('%s is told how to switch it on, and how to do without', async (_, answers) => {
    const { error, printed } = await deployer.run(FLAGS, answers ? { answers } : {});
    expect(error).toContain('https://dash.cloudflare.com/a1/r2/overview');
    expect(error).toContain('--without-r2');
    expect(printed).toContain('in an outage most builds fail');
    expect(deployer.platform.count(/^P(OST|UT) /)).toBe(0);
  });
});
