// The views by their names in the fragment, and the start of everything.

const VIEWS = [
  ['', 'Overview', null, HomeView],
  ['subjects', 'Subjects', 'GET subjects', SubjectsView],
  ['decide', 'May they get it?', 'POST decisions', DecideView],
  ['findings', 'Findings', 'GET findings', FindingsView],
  ['rules', 'Rules', 'GET rules', RulesView],
  ['exceptions', 'Exceptions', 'GET exceptions', ExceptionsView],
  ['selections', 'Held changes', 'GET selections', SelectionsView],
  ['writing', 'Writing', 'GET freeze', WritingView],
  ['sweeps', 'Sweeps', 'GET sweeps/{id}', SweepsView],
  ['doctor', 'Doctor', 'GET ready', DoctorView],
];

const mayView = ([, , route]) => route === null || may(route);

const Contents = ({ view }) => html`<nav aria-label="Views"><ul>${VIEWS.filter(mayView).map(([name, title]) => html`<li key=${name}>
  <a href=${`#/${name}`} aria-current=${name === view ? 'page' : null}>${title}</a></li>`)}</ul></nav>`;

function Who({ me }) {
  if (!me) return null;
  const roles = me.roles.length ? me.roles.join(', ') : 'no role';
  return html`<dl class="facts"><div><dt>${me.kind === 'key' ? 'Key' : 'Signed in as'}</dt><dd><${Name} text=${me.displayName || me.id} /></dd></div>
    <div><dt>Roles</dt><dd>${roles}</dd></div>
    ${me.kind === 'principal' ? html`<div><dt>Session</dt><dd><a href="/.auth/logout?post_logout_redirect_uri=/api/console">Sign out</a></dd></div>` : null}</dl>`;
}

function View({ at }) {
  const found = VIEWS.find(([name]) => name === at.view);
  if (!found) return html`<${Section} title="There is no such page"><p>The address names no view of the console. <a href="#/">Overview</a></p></${Section}>`;
  if (!mayView(found)) return html`<${Section} title="You may not see this"><p>Your roles do not include this view. An administrator of the app can give you the role. <a href="#/">Overview</a></p></${Section}>`;
  return html`<${found[3]} id=${at.id} query=${at.query} key=${`${at.view}/${at.id}`} />`;
}

/** The view's heading gets the focus at every change of the place, as a new page would. */
function focusHeading() {
  const heading = document.querySelector('main h2');
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function App() {
  const [at, setAt] = useState(place());
  const [state, setState] = useState({});
  const load = async () => {
    try {
      session.me = await call('GET me');
      setState({ me: session.me });
    } catch (error) {
      session.key = '';
      setState(error.status === 401 ? { isOut: true } : { error });
    }
  };
  useEffect(() => {
    const move = () => setAt(place());
    addEventListener('hashchange', move);
    session.onEnd = () => setState((before) => (before.me ? { isOut: true, why: 'Your session has ended. Sign in again: you come back to this place.' } : before));
    load();
    return () => removeEventListener('hashchange', move);
  }, []);
  useEffect(() => {
    const title = VIEWS.find(([name]) => name === at.view)?.[1] ?? 'Not found';
    document.title = `${title}: separation of duties`;
  }, [at.view]);
  const isFirst = useRef(true);
  useEffect(() => { if (isFirst.current) isFirst.current = false; else focusHeading(); }, [at.view, at.id]);
  const useKey = async (key) => {
    session.key = key;
    session.me = await call('GET me').catch((error) => {
      session.key = '';
      throw error.status === 401 ? new Refusal(422, 'The app does not accept this key. Type one of the keys that the host printed.') : error;
    });
    setState({ me: session.me });
  };
  return html`<${Shell} at=${at} state=${state} load=${load} useKey=${useKey} />`;
}

const Shell = ({ at, state, load, useKey }) => html`<${Fragment}>
  <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); focusHeading(); }}>Skip to the content</a>
  <header class="top"><div><p class="brand">entra-sod</p><h1>Separation of duties</h1></div><${Who} me=${state.me} /></header>
  ${state.me?.roles.length ? html`<${Contents} view=${at.view} />` : null}
  <main id="main">
    ${state.error ? html`<${Problem} error=${state.error} again=${load} />` : null}
    ${state.isOut ? html`<${SignIn} why=${state.why} onKey=${useKey} />` : null}
    ${state.me ? html`<${state.me.roles.length ? View : NoRoles} at=${at} me=${state.me} />` : null}
    ${!state.me && !state.isOut && !state.error ? html`<p role="status">Loading…</p>` : null}
  </main>
</${Fragment}>`;

restorePlace();
render(html`<${App} />`, byId('app'));
