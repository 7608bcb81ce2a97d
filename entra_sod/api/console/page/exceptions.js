// Exceptions, and the change to propose for each. The app writes no rules: a change goes by a pull request.

const WHEN = {
  waits: 'waits for its first day', active: 'active', 'ends-soon': 'ends soon', over: 'over',
};

function left(each) {
  if (each.state === 'over') return `ended ${each.until}`;
  if (each.state === 'waits') return `from ${each.from} until ${each.until}`;
  return `until ${each.until}, ${count(each.daysLeft, 'day', 'days')} left`;
}

const Change = ({ of }) => html`<${Opener} label=${`Change ${of.id}`} title=${html`Propose a change of <${Name} text=${of.id} />`}>${(close) => html`
  <p>Put the text into ${of.file ? html`<code>${of.file}</code>` : 'the rules file'} in a pull request. The app changes no rules.</p>
  ${of.change.renew ? html`<h3>Renew it</h3><${Copy} text=${of.change.renew} label="the renewal" />` : null}
  ${of.change.remove ? html`<h3>Remove it</h3><${Copy} text=${of.change.remove} label="the removal" />` : null}
  <p><button type="button" onClick=${close}>Close</button></p>`}</${Opener}>`;

const exceptionLine = (each) => [
  html`<${Name} text=${each.id} /><div><${Tag} kind=${each.state}>${WHEN[each.state] ?? each.state}</${Tag}></div>
    ${each.whyVoid ? html`<p class="problem">It excuses no one: <${Name} text=${each.whyVoid} /></p>` : null}`,
  may('GET subjects/{id}') ? html`<a href=${link('subjects', each.subject)}><${Name} text=${personName(each)} /></a>` : html`<${Name} text=${personName(each)} />`,
  html`<a href=${link('rules', each.rule)}><${Name} text=${each.ruleTitle || each.rule} /></a>
    ${each.packages === null ? html`<small>Which packages the subject holds is not known.</small>` : html`<small><${Names} of=${each.packages} /></small>`}`,
  left(each),
  html`<${Name} text=${each.reason} /><small>approved by <${Name} text=${each.approvedBy} /></small>`,
  html`<${Change} of=${each} />`,
];

function ExceptionList({ id, query }) {
  const list = usePages('GET exceptions', { state: query.state, rule: query.rule, limit: id ? 1000 : 100 }, 'exceptions');
  const shown = id ? list.items.filter((each) => each.id === id) : list.items;
  return html`<${Answer} of=${list.first}>${(value) => html`
    ${value.problem ? html`<div class="problem"><p>Older rules are in force. <${Name} text=${value.problem} /></p></div>` : null}
    <${NotWhole} of=${value} what="names and packages" />
    <${Table} caption="Exceptions" columns=${['Exception', 'Subject', 'Rule', 'When', 'Reason', 'Change']} lines=${shown.map(exceptionLine)}
      none=${id ? `There is no exception ${id} in the rules that are in force. It was removed.` : 'No exception fits.'} />
    ${id ? html`<p><a href="#/exceptions">All exceptions</a></p>` : html`<${More} of=${list} />`}`}</${Answer}>`;
}

function ExceptionsView({ id, query }) {
  return html`<${Section} title="Exceptions">
    ${id ? null : html`<search aria-label="Filter the exceptions"><${Field} label="Show"><select onChange=${filterBy('exceptions', 'state')}>
      ${[['', 'all'], ...Object.entries(WHEN)].map(([value, text]) => html`<option value=${value} selected=${(query.state ?? '') === value}>${text}</option>`)}
    </select></${Field}>${query.rule ? html`<p class="pair">Rule <${Name} text=${query.rule} /></p>` : null}</search>`}
    <${ExceptionList} id=${id} query=${query} />
  </${Section}>`;
}
