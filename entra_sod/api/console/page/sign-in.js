// Signing in: by the platform (Easy Auth), or on a local world with a key that stays in memory.

const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

/** The platform's sign-in, which comes back to this place. A fragment is not sent to a server, so it goes as `open`. */
function signInAddress() {
  const back = `${location.pathname}${location.hash ? `?open=${encodeURIComponent(location.hash.slice(1))}` : ''}`;
  return `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(back)}`;
}

/** Turn the `open` of a sign-in that came back into the fragment again. */
function restorePlace() {
  const open = new URLSearchParams(location.search).get('open');
  if (open?.startsWith('/')) history.replaceState(null, '', `${location.pathname}#${open}`);
}

function SignIn({ why, onKey }) {
  return html`<${Section} title="Sign in">
    ${why ? html`<p role="alert">${why}</p>` : html`<p>The console shows what your app roles let you see.</p>`}
    <p><a class="button" href=${signInAddress()}>Sign in with Microsoft Entra ID</a></p>
    ${isLocal ? html`<h3>On a local world</h3>
      <p>A local world has no sign-in. Type one of the keys that the host printed. The page keeps the key in memory: it is gone when you reload.</p>
      <${Form} label="Use this key" run=${async ({ key }) => onKey(key)}>
        <${Field} label="Key"><input name="key" type="password" required autocomplete="off" /></${Field}>
      </${Form}>` : null}
  </${Section}>`;
}

/** A caller whom the app knows and who has no role. */
const NoRoles = ({ me }) => html`<${Section} title="You have no role here">
  <p>You are signed in as <${Name} text=${me.displayName || me.name} />, and you have none of the roles of this app. The console can show you nothing.</p>
  <p>An administrator gives roles in the Microsoft Entra admin center: Enterprise applications, the application of this app, Users and groups.
    Your object id is <code>${me.id}</code>. Sign out and in again after you got a role.</p>
</${Section}>`;
