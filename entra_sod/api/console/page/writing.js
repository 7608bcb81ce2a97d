// The budget of writes, and the freeze that stops every write of a reference.

const Frozen = ({ of }) => html`<div class="problem"><p><b>Writing is frozen</b> since ${moment(of.since)} by <${Name} text=${of.by} />: <${Name} text=${of.reason} /></p></div>`;

/** On the overview: nothing, unless writing is frozen or the budget is used up. */
function FreezeBanner() {
  const state = useAnswer('GET freeze');
  if (state.error) return html`<${Problem} error=${state.error} again=${state.again} />`;
  if (state.value?.frozen) return html`<${Frozen} of=${state.value.frozen} />`;
  if (state.value && state.value.used >= state.value.limit) return html`<div class="problem"><p>The budget of 24 hours is used up: no reference is written until ${moment(state.value.roomFrom)}.</p></div>`;
  return null;
}

const Budget = ({ of }) => html`<p><b>${number.format(of.used)} of ${number.format(of.limit)}</b> writes of references in the last 24 hours are used.${' '}
    ${of.roomFrom ? `The oldest of them stops counting at ${moment(of.roomFrom)}.` : ''}</p>
  <meter min="0" max=${of.limit} value=${of.used} aria-label="Used part of the budget of 24 hours"></meter>`;

const Freeze = ({ onDone }) => html`<p>A freeze stops every write of a reference, by sweeps, checks and commands, until you end it. Findings go on.</p>
  <${Form} label="Freeze writing" run=${async ({ reason }) => { await call('PUT freeze', { body: { reason: reason.trim() } }); onDone('Writing is frozen.'); }}>
    <${Field} label="Reason" hint="All who look at the app read it"><input name="reason" required maxlength="200" pattern=".*\\S.*" autocomplete="off" /></${Field}>
  </${Form}>`;

const Unfreeze = ({ onDone }) => html`<${Confirmed} label="End the freeze" title="End the freeze?" run=${async () => { await call('DELETE freeze'); onDone('The freeze has ended.'); }}>
  <p>The next sweep writes what was planned meanwhile.</p></${Confirmed}>`;

function WritingView() {
  const [done, setDone] = useState('');
  const state = useAnswer('GET freeze');
  const after = (text) => { setDone(text); state.again(); };
  return html`<${Section} title="Writing"><${Done} text=${done} />
    <${Answer} of=${state}>${(value) => html`
      ${value.frozen ? html`<${Frozen} of=${value.frozen} />` : html`<p>Writing is not frozen.</p>`}
      ${value.frozen && may('DELETE freeze') ? html`<${Unfreeze} onDone=${after} />` : null}
      <${Budget} of=${value} />
      ${!value.frozen && may('PUT freeze') ? html`<${Freeze} onDone=${after} />` : null}`}</${Answer}>
  </${Section}>`;
}
