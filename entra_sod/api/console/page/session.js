// Who is signed in, what they may do, and every request. The key stays in this variable alone: no storage, no cookie.

const session = { key: '', me: null, onEnd: () => {} };

/** A request that the app refused or did not answer: the sentences that a reader gets. */
class Refusal extends Error {
  constructor(status, sentence, errors = []) {
    super(sentence);
    Object.assign(this, { status, errors });
  }
}

/** Whether the caller may call a route, such as `POST findings/{id}/claims`. The app says so of each. */
const may = (route) => session.me?.may.includes(route) ?? false;

/** The address of a path of the app, which is beside this page: `/api/console` asks `/api/findings`. */
function addressOf(path, params, query) {
  const filled = path.replace(/\{(\w+)\}/g, (_, part) => encodeURIComponent(params[part]));
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined));
  return `${filled}${search.size ? `?${search}` : ''}`;
}

function headersOf(method, body) {
  const headers = { Accept: 'application/json' };
  if (session.key) headers['x-functions-key'] = session.key;
  // A browser adds this header to no request of another site, so a write that has it came from this page.
  if (method !== 'GET') headers['X-Requested-With'] = 'entra-sod';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return headers;
}

/** Call a route, such as `GET findings/{id}`, and return what it answers. */
async function call(route, { params = {}, query = {}, body } = {}) {
  const [method, path] = route.split(' ');
  const asked = {
    method, headers: headersOf(method, body), body: body === undefined ? undefined : JSON.stringify(body),
    // A platform that redirects to the sign-in page must not be followed: that page is no answer.
    redirect: 'manual', credentials: 'same-origin', cache: 'no-store',
  };
  const answer = await fetch(addressOf(path, params, query), asked).catch(() => {
    throw new Refusal(0, 'The app does not answer. Check your network, then try again.');
  });
  return valueOf(answer);
}

async function valueOf(answer) {
  const isRedirect = answer.type === 'opaqueredirect';
  const type = answer.headers.get('Content-Type') ?? '';
  const value = /json/.test(type) ? await answer.json().catch(() => null) : null;
  // A check of readiness answers 503 with its result, which is no problem document.
  if (answer.ok || (value && !type.includes('problem') && answer.status === 503)) return value;
  if (answer.status === 401 || isRedirect) session.onEnd();
  const status = isRedirect ? 401 : answer.status;
  throw new Refusal(status, sentenceOf(status, value, answer.headers.get('Retry-After')), value?.errors);
}

/** Why a request was refused, and what the reader can do. */
function sentenceOf(status, problem, seconds) {
  const said = problem?.detail ?? '';
  const later = `Try again in ${count(Number(seconds) || 10, 'second', 'seconds')}.`;
  if (status === 401) return 'Your session has ended. Sign in again: you come back to this place.';
  if (status === 403) return `You may not do this. ${said} An administrator of the app can give you the role.`;
  if (status === 404) return `It is not there any more. ${said}`;
  if (problem?.type?.endsWith(':index-incomplete')) return said;
  if (status === 409 || status === 412) return `This cannot be done now. ${said} Read the page again: it has changed.`;
  if (status === 410) return `It is no longer kept. ${said}`;
  if (status === 422) return `The app did not accept what you entered. ${said}`;
  if (status === 429) return `You have sent too many requests. ${later}`;
  if (status === 503) return `The app cannot answer now. ${said} ${later}`;
  return `The app answered with status ${status}. ${said} If this happens again, give the time and this address to the administrator of the app.`;
}

/** Ask a route when a part of the page is shown, and again when `again` is called or the question changes. */
function useAnswer(route, asked = {}, every = 0) {
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState({});
  const question = JSON.stringify([route, asked]);
  useEffect(() => {
    let isShown = true;
    if (!route) return undefined;
    const keep = (change) => { if (isShown) setState((before) => ({ ...before, question, ...change })); };
    call(route, asked).then((value) => keep({ value, error: null, turn }), (error) => keep({ value: null, error, turn }));
    const timer = every ? setTimeout(() => setTurn((one) => one + 1), every) : 0;
    return () => { isShown = false; clearTimeout(timer); };
  }, [question, turn, every]);
  const isOld = state.question !== question;
  return {
    value: isOld ? undefined : state.value, error: isOld ? null : state.error,
    isLoading: Boolean(route) && (isOld || state.turn !== turn), again: () => setTurn((one) => one + 1),
  };
}

/** A list that comes in pages: `more` reads the next one and keeps what is there. */
function usePages(route, query, list) {
  const first = useAnswer(route, { query });
  const [rest, setRest] = useState({ pages: [] });
  useEffect(() => setRest({ pages: [] }), [first.value]);
  const pages = first.value ? [first.value, ...rest.pages] : [];
  const next = pages.at(-1)?.nextLink;
  const more = async () => {
    setRest((before) => ({ ...before, isLoading: true, error: null }));
    // The link is the app's own; only its question is taken, so that no other host is ever asked.
    const change = await call(route, { query: Object.fromEntries(new URL(next).searchParams) })
      .then((page) => ({ page }), (error) => ({ error }));
    setRest((before) => ({ pages: change.page ? [...before.pages, change.page] : before.pages, error: change.error }));
  };
  return { first, items: pages.flatMap((page) => page[list]), more: next ? more : null, isLoading: rest.isLoading, error: rest.error };
}

let packageNames = null;

/** The names of the packages by their ids; an id without a name stands for itself. */
function usePackageNames() {
  const [names, setNames] = useState(new Map());
  useEffect(() => {
    let isShown = true;
    if (!may('GET packages')) return undefined;
    packageNames ??= call('GET packages', { query: { limit: 1000 } })
      .then(({ packages }) => new Map(packages.map((each) => [each.id, each.title])));
    // Without the names the ids are shown, and the next view asks again.
    packageNames.then((found) => isShown && setNames(found), () => { packageNames = null; });
    return () => { isShown = false; };
  }, []);
  return (id) => names.get(id) || id;
}
