/** What the account has. */
export interface ApiState {
  account: string;
  zones: { id: string; name: string; status: string; account: { id: string; name: string } }[];
  hasR2: boolean;
  hasSubdomain: boolean;
  mayReadDns: boolean;
  namespaces: { id: string; title: string }[];
  buckets: string[];
  /** Names at which Workers serve. */
  domains: { hostname: string; service: string }[];
  /** DNS records that somebody made. */
  records: { name: string; type: string; content: string }[];
  /** The uploaded Worker. */
  worker: UploadedWorker | undefined;
  /** A version that was uploaded and is not deployed yet. */
  version: UploadedWorker | undefined;
  secrets: Map<string, string>;
  schedules: string[];
}

export interface UploadedWorker {
  readonly bindings: readonly Binding[];
}

export type Binding = Readonly<Record<string, string>>;

export interface ApiRequest {
  readonly method: string;
  /** Below `/client/v4`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly type: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function refused(status: number, code: number, message: string): Answer {
  const errors = [{ code, message }];
  return { status, body: { success: false, errors, messages: [], result: null } };
}

function given(result: unknown): Answer {
  return { status: 200, body: { success: true, errors: [], messages: [], result } };
}

type Handler = (
  state: ApiState,
  request: ApiRequest,
  /** What the path names at its stars. */
  names: readonly string[],
) => Answer | Promise<Answer>;

const WORKER = '/accounts/*/workers/scripts/*';

/** By method and path; `*` is one segment. The codes and messages are those of the platform. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET /zones': ({ zones }, { query }) =>
    given(zones.filter(({ name }) => name === query.get('name'))),
  'GET /zones/*/dns_records': ({ mayReadDns, records }, { query }) =>
    mayReadDns
      ? given(records.filter(({ name }) => name === query.get('name')))
      : refused(403, 10_000, 'Authentication error'),
  'GET /accounts/*/workers/subdomain': ({ hasSubdomain }) =>
    hasSubdomain
      ? given({ subdomain: 'jane' })
      : refused(404, 10_007, 'You do not have a workers.dev subdomain'),
  'GET /accounts/*/workers/domains': ({ domains }, { query }) =>
    given(domains.filter(({ hostname }) => hostname === query.get('hostname'))),
  'GET /accounts/*/storage/kv/namespaces': ({ namespaces }, { query }) => {
    const size = Number(query.get('per_page') ?? 20);
    const first = (Number(query.get('page') ?? 1) - 1) * size;
    return given(namespaces.slice(first, first + size));
  },
  'POST /accounts/*/storage/kv/namespaces': ({ namespaces }, request) => {
    const title = String(json(request)['title']);
    if (namespaces.some((namespace) => namespace.title === title)) {
      const text = 'a namespace with this account ID and title already exists';
      return refused(400, 10_014, text);
    }
    const id = (namespaces.length + 1).toString(16).padStart(32, '0');
    namespaces.push({ id, title });
    return given({ id, title });
  },
  'GET /accounts/*/r2/buckets': ({ buckets, hasR2 }) =>
    hasR2 ? given({ buckets: buckets.map((name) => ({ name })) }) : R2_IS_OFF,
  'GET /accounts/*/r2/buckets/*': (state, _request, [, name = '']) => {
    if (!state.hasR2) return R2_IS_OFF;
    return state.buckets.includes(name)
      ? given({ name })
      : refused(404, 10_006, 'The specified bucket does not exist.');
  },
  'POST /accounts/*/r2/buckets': (state, request) => {
    if (!state.hasR2) return R2_IS_OFF;
    const name = String(json(request)['name']);
    state.buckets.push(name);
    return given({ name });
  },
  [`GET /accounts/*/workers/services/*`]: ({ worker }) =>
    worker ? given({ default_environment: { environment: 'production', script: {} } }) : NO_WORKER,
  [`GET ${WORKER}/secrets`]: ({ secrets, worker }) =>
    worker ? given([...secrets.keys()].map((name) => ({ name, type: 'secret_text' }))) : NO_WORKER,
  [`PUT ${WORKER}/secrets`]: ({ secrets, worker }, request) => {
    if (!worker) return NO_WORKER;
    const { name, text } = json(request);
    secrets.set(String(name), String(text));
    return given({ name, type: 'secret_text' });
  },
  [`GET ${WORKER}/deployments`]: ({ worker }) => (worker ? given({ deployments: [] }) : NO_WORKER),
  [`GET ${WORKER}/settings`]: ({ worker }) =>
    worker ? given({ bindings: worker.bindings }) : NO_WORKER,
  // The first upload deploys at once. Later ones make a version, which is then deployed.
  [`PUT ${WORKER}`]: async (state, request) => {
    const worker = await uploaded(state, request);
    if ('status' in worker) return worker;
    state.worker = worker;
    return given({ id: 'modferry', deployment_id: 'd1', startup_time_ms: 3 });
  },
  [`POST ${WORKER}/versions`]: async (state, request) => {
    const worker = await uploaded(state, request);
    if ('status' in worker) return worker;
    state.version = worker;
    return given({
      id: 'v2',
      number: 2,
      startup_time_ms: 3,
      metadata: {},
      resources: { script: { etag: 'e' } },
    });
  },
  [`POST ${WORKER}/deployments`]: (state) => {
    state.worker = state.version;
    return given({ id: 'd2' });
  },
  [`PATCH ${WORKER}/script-settings`]: () => given({}),
  'GET /accounts/*/workers/workers/*': () =>
    given({ name: 'modferry', subdomain: { enabled: false, previews_enabled: false } }),
  [`POST ${WORKER}/subdomain`]: () => given({ enabled: false, previews_enabled: false }),
  [`POST ${WORKER}/domains/changeset`]: () =>
    given({ added: [], removed: [], updated: [], conflicting: [] }),
  [`PUT ${WORKER}/domains/records`]: (state, request, [, service = '']) => {
    const body = json(request) as {
      origins: { hostname: string }[];
      override_existing_dns_record: boolean;
    };
    const { origins, override_existing_dns_record: mayReplace } = body;
    for (const { hostname } of origins) {
      if (!mayReplace && state.records.some(({ name }) => name === hostname)) {
        const text = `Hostname '${hostname}' already has externally managed DNS records (A, CNAME, etc). Either delete them, try a different hostname, or use the option 'override_existing_dns_record' to override.`;
        return refused(409, 100_117, text);
      }
      state.records = state.records.filter(({ name }) => name !== hostname);
      state.domains = state.domains.filter((domain) => domain.hostname !== hostname);
      state.domains.push({ hostname, service });
    }
    return given({});
  },
  [`PUT ${WORKER}/schedules`]: (state, request) => {
    if (!state.hasSubdomain) {
      return refused(400, 10_063, 'You need a workers.dev subdomain in order to proceed.');
    }
    const schedules = JSON.parse(request.body.toString()) as { cron: string }[];
    state.schedules = schedules.map(({ cron }) => cron);
    return given({ schedules });
  },
};

const R2_IS_OFF = refused(403, 10_042, 'Please enable R2 through the Cloudflare Dashboard.');
const NO_WORKER = refused(404, 10_007, 'This Worker does not exist on your account.');

const ROUTES = Object.entries(HANDLERS).map(([call, handler]) => ({
  pattern: new RegExp(`^${call.replaceAll('*', '([^/]+)')}$`),
  handler,
}));

/** Answers a call; a path that the fake does not know is a 404 without a code of the platform. */
export async function answerApi(state: ApiState, request: ApiRequest): Promise<Answer> {
  for (const { handler, pattern } of ROUTES) {
    const match = pattern.exec(`${request.method} ${request.path}`);
    if (match) return handler(state, request, match.slice(1));
  }
  return refused(404, 7003, `Could not route to ${request.path}`);
}

/** The Worker in an upload, or why it is refused. */
async function uploaded(
  { buckets, worker }: ApiState,
  { body, type }: ApiRequest,
): Promise<UploadedWorker | Answer> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': type },
  }).formData();
  const metadata = form.get('metadata');
  if (typeof metadata !== 'string') return refused(400, 10_021, 'There is no metadata');
  const { bindings } = JSON.parse(metadata) as { bindings: Binding[] };
  const inherited = bindings.find(({ type }) => type === 'inherit');
  if (inherited && !worker) {
    return refused(400, 10_021, `Cannot inherit ${inherited['name']}: there is no version before`);
  }
  const missing = bindings
    .flatMap(({ bucket_name: name }) => (name === undefined ? [] : [name]))
    .find((name) => !buckets.includes(name));
  if (missing !== undefined) return refused(400, 10_085, `R2 bucket '${missing}' not found.`);
  return { bindings };
}

function json({ body }: ApiRequest): Readonly<Record<string, unknown>> {
  return JSON.parse(body.toString()) as Readonly<Record<string, unknown>>;
}
