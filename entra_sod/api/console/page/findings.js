// Findings: the list with its filter, one with its history, and a claim.

const FINDING_COLUMNS = ['Severity', 'Subject', 'Packages', 'Rule', 'State', 'Since'];

const findingLine = (each, name) => [
  html`<${Badge} severity=${each.severity} />`,
  html`<a href=${link('findings', each.id)}><${Name} text=${personName(each)} /></a>`,
  each.pair.map((id) => html`<div><${Name} text=${name(id)} /></div>`),
  html`<${Name} text=${each.rule} />`,
  html`<${State} state=${each.state} />`,
  day(each.since),
];

const FILTERS = [
  ['state', 'State', [['', 'that stand'], ['all', 'all'], ...Object.keys(STATES).map((each) => [each, each])]],
  ['severity', 'Severity', [['', 'all'], ...SEVERITIES.slice(0, 4).map((each) => [each, each])]],
];

/** The filter lies in the address, so that it can be linked. */
function FindingFilter({ query }) {
  return html`<search aria-label="Filter the findings">
    ${FILTERS.map(([name, label, options]) => html`<${Field} label=${label} key=${name}><select value=${query[name] ?? ''} onChange=${filterBy('findings', name)}>
      ${options.map(([value, text]) => html`<option value=${value} selected=${(query[name] ?? '') === value}>${text}</option>`)}</select></${Field}>`)}
    ${['rule', 'owner', 'subject', 'package'].map((name) => html`<${Field} key=${name} label=${{ rule: 'Rule id', owner: 'Owner', subject: 'Subject id', package: 'Package id' }[name]}>
      <input type="search" value=${query[name] ?? ''} maxlength="200" autocomplete="off" onChange=${filterBy('findings', name)} /></${Field}>`)}
    ${Object.keys(query).length ? html`<a class="button" href="#/findings">Clear filter</a>` : null}
  </search>`;
}

const stateOf = (state) => (state === 'all' ? '' : state || STANDING.join(','));

function FindingList({ query }) {
  const name = usePackageNames();
  const found = usePages('GET findings', { ...query, state: stateOf(query.state), pageSize: 100 }, 'findings');
  return html`<${Answer} of=${found.first}>${() => html`
    <p role="status">${count(found.items.length, 'finding', 'findings')}${found.more ? ', and more' : ''}.</p>
    <${Table} caption="Findings" columns=${FINDING_COLUMNS} lines=${found.items.map((each) => findingLine(each, name))}
      none="No finding fits the filter. What no sweep could check has no finding: see the last sweep for gaps." />
    <${More} of=${found} />`}</${Answer}>`;
}

const CHANGED_BY = { sweep: 'a sweep', check: 'a check', exception: 'an exception', person: 'a claim' };

const historyLine = (each) => [
  moment(each.at),
  each.from && each.from !== each.to ? html`<${State} state=${each.from} /> → <${State} state=${each.to} />` : html`<${State} state=${each.to} />`,
  CHANGED_BY[each.by] ?? each.by,
  html`<${Name} text=${each.cause} />`,
  html`<${Name} text=${each.why} />`,
];

const Claim = ({ finding, onDone }) => html`<h3>Claim it</h3>
  <p class="note">Say that you resolve it. The finding is then <i>resolving</i> until a sweep no longer sees the conflict. Your words go into its history.</p>
  <${Form} label="Claim" run=${async ({ by, why }) => onDone(await call('POST findings/{id}/claims', { params: { id: finding.id }, body: { by: by.trim(), why: why.trim() } }))}>
    <${Field} label="By" hint="You, or the number of a ticket"><input name="by" required maxlength="200" pattern=".*\\S.*" value=${session.me.displayName ?? ''} autocomplete="off" /></${Field}>
    <${Field} label="Why" hint="What you do about it"><input name="why" required maxlength="200" pattern=".*\\S.*" autocomplete="off" /></${Field}>
  </${Form}>`;

function Finding({ id }) {
  const name = usePackageNames();
  const finding = useAnswer('GET findings/{id}', { params: { id } });
  const [done, setDone] = useState('');
  const packages = (ids) => (ids.length ? ids.map((each) => html`<div><${Name} text=${name(each)} /></div>`) : null);
  const claimed = () => { setDone('You claimed the finding.'); finding.again(); };
  return html`<${Detail} of=${finding} title="Finding">${(value) => html`<${Section} id="finding" title=${html`Finding of <${Name} text=${personName(value)} />`}>
    <${Done} text=${done} />
    <p><${Badge} severity=${value.severity} /> <${State} state=${value.state} /> ${STATES[value.state]}</p>
    <${Facts} of=${[
      ['Subject', may('GET subjects/{id}') ? html`<a href=${link('subjects', value.objectId || value.subjectId)}><${Name} text=${personName(value)} /></a>` : html`<${Name} text=${personName(value)} />`],
      ['Holds', packages(value.pair)], ['Lacks', packages(value.missing)], ['Why', value.why && html`<${Name} text=${value.why} />`],
      ['Rule', may('GET rules') ? html`<a href=${link('rules', value.rule)}><${Name} text=${value.rule} /></a>` : html`<${Name} text=${value.rule} />`],
      ['Owner', html`<${Name} text=${[value.owner, ...value.owners].join(', ')} />`],
      ['Exception', value.exception && html`<a href=${link('exceptions', value.exception)}><${Name} text=${value.exception} /></a>${value.exceptionUntil ? ` until ${value.exceptionUntil}` : ''}`],
      ['Claimed by', value.claimedBy && html`<${Name} text=${value.claimedBy} />`],
      ['First seen', moment(value.firstSeen)], ['Last seen', moment(value.lastSeen)], ['Id', html`<code>${value.id}</code>`],
    ]} />
    ${may('POST findings/{id}/claims') && STANDING.includes(value.state) ? html`<${Claim} finding=${value} onDone=${claimed} />` : null}
    <h3>History</h3>
    <${Table} caption="History of the finding" columns=${['When', 'State', 'By', 'Cause', 'Why']} lines=${value.history.map(historyLine)} />
    ${value.changesLeftOut ? html`<p class="note">${count(value.changesLeftOut, 'change', 'changes')} in the middle stand in the evidence only.</p>` : null}
  </${Section}>`}</${Detail}>`;
}

function FindingsView({ id, query }) {
  if (id) return html`<${Finding} id=${id} key=${id} />`;
  return html`<${Section} title="Findings"><${FindingFilter} query=${query} /><${FindingList} query=${query} /></${Section}>`;
}
