import type { Result } from '../../effects/result.ts';
import { isOwn } from '../address/obstacle.ts';
import { type Answer, get, readyLines, sourceOf, totalMsOf, versionsOf } from './answer.ts';
import { bad, type Check, type Finding, ok, see, type Subject } from './check.ts';

/** The checks of the first day, in the order of docs/first-day.md. */
export const CHECKS: readonly Check[] = [
  { number: 1, title: 'deployment', run: checkDeployment },
  { number: 2, title: 'what origins learn' },
  { number: 3, title: 'edge cache', run: checkEdgeCache },
  { number: 4, title: 'warm answers', run: checkWarmAnswers },
  { number: 5, title: 'cold .mod', run: checkColdMods },
  { number: 6, title: 'limit of calls', run: checkCallLimit },
  { number: 7, title: 'broken bodies' },
  { number: 8, title: 'clients that leave', run: checkLeavingClient },
  { number: 9, title: 'large zip', run: checkLargeZip },
  { number: 10, title: 'Cache-Control', run: checkCacheControl },
  { number: 11, title: 'cron', run: checkCron },
  { number: 12, title: 'cache in front', run: checkFrontCache },
];

/** Whether a go command reaches modferry, and by which protocol. */
async function checkDeployment(subject: Subject): Promise<Finding> {
  const health = await get(subject, '/healthz');
  if (!health.ok) return bad(health.reason);
  const url = new URL(subject.address);
  if (url.protocol !== 'https:') return ok('modferry answers, by plain http');
  const agreed = await subject.handshake(url);
  if (!agreed) return see('modferry answers, but a second TLS handshake failed: run this again');
  const how = `${agreed.version}, ${agreed.protocol}`;
  if (agreed.version !== 'TLSv1.3') {
    return bad(`modferry answers by ${how}: switch TLS 1.3 on (SSL/TLS, Edge Certificates)`);
  }
  return ok(`modferry answers by ${how}`);
}

/** Longer means that the name in the keys of the edge cache is looked up each time. */
const SLOW_READ_MS = 20;

async function checkEdgeCache(subject: Subject): Promise<Finding> {
  const ready = await readyLines(subject);
  if (!ready.ok) return bad(ready.reason);
  const line = ready.value.find((text) => text.startsWith('edge cache: '));
  if (line === undefined) return bad('/readyz has no line about it: this is an older modferry');
  const state = line.slice('edge cache: '.length);
  const readMs = Number(/read in (\d+) ms/.exec(line)?.[1] ?? NaN);
  if (Number.isNaN(readMs)) return bad(`${state}. Set CACHE_HOST to the name that you serve at`);
  if (readMs > SLOW_READ_MS) {
    return see(`${state}: slow, a name may be looked up in DNS each time. Set CACHE_HOST`);
  }
  return ok(`${state}: a warm request costs no storage operation`);
}

/** The copy for the edge cache is written beside the first answer. */
const COPY_PAUSE_MS = 1_000;
const WARM_TRIALS = 4;

async function checkWarmAnswers(subject: Subject): Promise<Finding> {
  const versions = await versionsOf(subject);
  if (!versions.ok) return bad(versions.reason);
  const [version = ''] = versions.value;
  const seen: string[] = [];
  let isAllEdge = true;
  for (const file of ['list', `${version}.mod`, `${version}.zip`]) {
    const answer = await getWarm(subject, `/${subject.module}/@v/${file}`);
    if (!answer.ok) return bad(answer.reason);
    const { from } = sourceOf(answer.value);
    seen.push(`${file} from ${from} in ${totalMsOf(answer.value)} ms`);
    isAllEdge &&= from === 'edge';
  }
  const text = seen.join(', ');
  return isAllEdge ? ok(text) : see(`${text}: not from the edge cache, see check 3`);
}

/** So many cold files say something. */
const COLD_FILES = 8;
const FEW = 3;

/** The last answer of some, until one comes from the edge cache. */
async function getWarm(subject: Subject, path: string): Promise<Result<Answer>> {
  let answer = await get(subject, path);
  for (let trial = 1; trial < WARM_TRIALS; trial++) {
    if (!answer.ok || sourceOf(answer.value).from === 'edge') break;
    if (trial > 1) await subject.pause(COPY_PAUSE_MS);
    answer = await get(subject, path);
  }
  return answer;
}

async function checkColdMods(subject: Subject): Promise<Finding> {
  const asked = await askColdMods(subject);
  if (typeof asked === 'string') return bad(asked);
  const { cold, failures, total } = asked;
  if (failures.length > 0) return bad(`${failures.length} of ${total} failed: ${failures[0]}`);
  if (cold < FEW) {
    return see(`${total - cold} of ${total} were stored before: name another module, --module`);
  }
  return ok(
    `${cold} fetched and proven; the dashboard shows their CPU time, 10 ms are the free plan's`,
  );
}

async function checkCallLimit(subject: Subject): Promise<Finding> {
  const versions = await versionsOf(subject);
  if (!versions.ok) return bad(versions.reason);
  const looked = await Promise.all(
    versions.value
      .slice(-COLD_FILES)
      .map((version) => get(subject, `/sumdb/sum.golang.org/lookup/${subject.module}@${version}`)),
  );
  const failures = looked.flatMap((answer) => (answer.ok ? [] : [answer.reason]));
  if (failures.some((text) => text.includes('calls that the platform allows'))) {
    return bad(`a request used up its calls, the next one succeeds: ${failures[0]}`);
  }
  if (failures.length === looked.length) return see(`no look-up succeeded: ${failures[0]}`);
  return ok(`${looked.length - failures.length} look-ups of fresh records stayed within the limit`);
}

interface ColdMods {
  readonly total: number;
  readonly cold: number;
  readonly failures: readonly string[];
}

/** One after the other: each may meet another isolate. A text where there is no list. */
async function askColdMods(subject: Subject): Promise<ColdMods | string> {
  const versions = await versionsOf(subject);
  if (!versions.ok) return versions.reason;
  const tried = versions.value.slice(1, 1 + COLD_FILES);
  let cold = 0;
  const failures: string[] = [];
  for (const version of tried) {
    const answer = await get(subject, `/${subject.module}/@v/${version}.mod`);
    if (!answer.ok) failures.push(answer.reason);
    else if (!sourceOf(answer.value).isHit) cold += 1;
  }
  return { total: tried.length, cold, failures };
}

async function checkLeavingClient(subject: Subject): Promise<Finding> {
  const versions = await versionsOf(subject);
  if (!versions.ok) return bad(versions.reason);
  const path = `/${subject.module}/@v/${versions.value.at(-1)}.zip`;
  const request = await subject.hangUp(subject.address + path);
  if (request === undefined) return see(`${path} sent no body to leave from`);
  const whole = await get(subject, path);
  if (!whole.ok) return bad(`after a client left, ${whole.reason}`);
  return ok(`the next client got the whole zip; "npx wrangler tail" has one line for ${request}`);
}

async function checkLargeZip(subject: Subject): Promise<Finding> {
  const { large, now } = subject;
  if (large === undefined) return see('left out: --large <module>@<version> names a zip of 100 MB');
  const at = large.lastIndexOf('@');
  const path = `/${large.slice(0, at)}/@v/${large.slice(at + 1)}.zip`;
  const start = now();
  const answer = await get(subject, path, { limitMs: LARGE_LIMIT_MS });
  if (!answer.ok) return bad(answer.reason);
  const { bytes, headers } = answer.value;
  const declared = headers.get('Content-Length');
  if (declared !== null && Number(declared) !== bytes) {
    return bad(`${bytes} of ${declared} bytes came`);
  }
  const seconds = Math.max((now() - start) / 1000, 0.001);
  const megabytes = bytes / 1e6;
  const rate = `${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s from ${sourceOf(answer.value).from}`;
  return ok(`${rate}; the dashboard shows its CPU time, 30 s are allowed on the paid plan`);
}

const LARGE_LIMIT_MS = 900_000;

async function checkCacheControl(subject: Subject): Promise<Finding> {
  const list = await get(subject, `/${subject.module}/@v/list`);
  if (!list.ok) return bad(list.reason);
  const control = list.value.headers.get('Cache-Control') ?? '';
  const seconds = Number(/max-age=(\d+)/.exec(control)?.[1] ?? NaN);
  if (seconds <= 60) return ok(`list has ${control}, as modferry wrote it`);
  return bad(
    `list has "${control}": set Browser Cache TTL to "Respect Existing Headers" (Caching, Configuration)`,
  );
}

/** The cron runs every 15 minutes; a new one begins within as many. */
const LATE_MINUTES = 60;

async function checkCron(subject: Subject): Promise<Finding> {
  const ready = await readyLines(subject);
  if (!ready.ok) return bad(ready.reason);
  const jobs = ready.value.filter((line) => /: (ran \d+ min ago|has not run yet)/.test(line));
  if (jobs.length === 0) return bad('/readyz names no job that may run');
  const waiting = jobs.filter((line) => line.includes('has not run yet'));
  if (waiting.length === jobs.length) {
    return see('it has not run yet: a new cron begins within half an hour, look again then');
  }
  const ages = jobs.flatMap((line) => /ran (\d+) min ago/.exec(line)?.[1] ?? []).map(Number);
  const youngest = Math.min(...ages);
  if (youngest > LATE_MINUTES) return bad(`it ran last ${youngest} min ago: npx wrangler tail`);
  return ok(jobs.join('; '));
}

async function checkFrontCache(subject: Subject): Promise<Finding> {
  const versions = await versionsOf(subject);
  if (!versions.ok) return bad(versions.reason);
  const path = `/${subject.module}/@v/${versions.value[0]}.mod`;
  await get(subject, path);
  const second = await get(subject, path);
  if (!second.ok) return bad(second.reason);
  const { headers } = second.value;
  if (headers.get('CF-Cache-Status') !== 'HIT') return ok('off ([cache] in wrangler.toml)');
  const head = await subject.visit(subject.address + path, { method: 'HEAD' });
  const isSame =
    head.kind === 'answered' &&
    head.status === 200 &&
    isOwn(head.headers) &&
    head.headers.get('ETag') === headers.get('ETag');
  if (!isSame) return bad('on, and HEAD is not answered as GET is: switch it off and report it');
  return see('on, and HEAD is answered as GET is; two more things to look at are in the page');
}
