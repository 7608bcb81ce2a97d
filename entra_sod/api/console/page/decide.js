// May X get Y? The app decides as it would for a request; nothing is written.

/** Choose by name: type, then choose one of what is found. An id can be typed where names cannot be searched. */
function Picker({ label, route, list, nameOf, idOf, chosen, onChoose, onRemove, max }) {
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  useEffect(() => { const timer = setTimeout(() => setAsked(text.trim()), 250); return () => clearTimeout(timer); }, [text]);
  const isId = GUID.test(text.trim());
  const found = useAnswer(asked && may(route) && chosen.length < max ? route : null, { query: { search: asked, limit: 8 } });
  const choose = (choice) => { onChoose(choice); setText(''); setAsked(''); };
  const option = (choice) => html`<li key=${choice.id}><button type="button" class="link" onClick=${() => choose(choice)}><${Name} text=${choice.name} /></button></li>`;
  return html`<div class="picker" role="group" aria-label=${label}>
    <b>${label}</b>
    ${chosen.map((each) => html`<span class="chip" key=${each.id}><${Name} text=${each.name} />
      <button type="button" class="link" aria-label=${`Remove ${each.name}`} onClick=${() => onRemove(each.id)}>×</button></span>`)}
    ${chosen.length < max ? html`<${Field} label=${may(route) ? 'Part of the name, or the id' : 'Object id'}>
      <input type="search" value=${text} maxlength="200" autocomplete="off" onInput=${(event) => setText(event.target.value)}
        onKeyDown=${(event) => { if (event.key === 'Enter') { event.preventDefault(); if (isId) choose({ id: text.trim(), name: text.trim() }); } }} />
    </${Field}>` : null}
    ${asked && chosen.length < max ? html`<ul class="plain options" aria-label=${`Found for ${label}`}>
      ${isId ? option({ id: text.trim(), name: text.trim() }) : null}
      ${may(route) ? html`<${Answer} of=${found}>${(value) => html`<${NotWhole} of=${value} what="choices" />
        ${value[list].filter((each) => idOf(each) !== text.trim()).map((each) => option({ id: idOf(each), name: nameOf(each) }))}
        ${value[list].length || isId ? null : html`<li>Nothing has this in its name.</li>`}`}</${Answer}>` : null}
    </ul>` : null}
  </div>`;
}

function DecisionText({ of, name }) {
  const [title, text] = DECISIONS[of.decision];
  return html`<div class="decision decision-${of.decision}" role="status">
    <h3 tabindex="-1" id="decision">${title}</h3><p>${text}</p>
    <ul>${of.reasons.map((each) => html`<li><${Name} text=${each} /></li>`)}</ul>
    ${of.advice ? html`<p><b>What to do:</b> <${Name} text=${of.advice} /></p>` : null}
    <${Facts} of=${[
      ['Rules', of.rules.length ? of.rules.map((rule) => html`<div><${Badge} severity=${rule.severity} /> <a href=${link('rules', rule.id)}><${Name} text=${rule.title} /></a>, owner <${Name} text=${rule.owner} /></div>`) : null],
      ['Conflicts', of.conflicts.length ? of.conflicts.map((each) => html`<div><${Name} text=${name(each.wantedAccessPackageId)} /> with <${Name} text=${name(each.accessPackageId)} />${each.assignmentId ? ', which the subject holds' : ', which is wanted too'}</div>`) : null],
      ['Exceptions', of.exceptions.length ? of.exceptions.map((each) => html`<div><${Name} text=${each.id} /> until ${each.until}</div>`) : null],
      ['Subject', of.subjectKnown === false ? 'is not known to the directory' : null],
      ['As of', moment(of.asOf)],
    ]} />
    <${Gaps} skipped=${of.coverage.skipped} />
  </div>`;
}

function DecideView({ query }) {
  const name = usePackageNames();
  const [subjects, setSubjects] = useState(query.subject ? [{ id: query.subject, name: query.subject }] : []);
  const [packages, setPackages] = useState([]);
  const [decision, setDecision] = useState(null);
  const known = useAnswer(query.subject && may('GET subjects/{id}') ? 'GET subjects/{id}' : null, { params: { id: query.subject } });
  useEffect(() => { if (known.value) setSubjects([{ id: query.subject, name: personName(known.value) }]); }, [known.value]);
  useEffect(() => { if (decision) byId('decision')?.focus(); }, [decision]);
  const ask = async () => {
    setDecision(null);
    if (!subjects.length || !packages.length) throw new Refusal(422, 'Choose a subject and at least one access package.');
    setDecision(await call('POST decisions', { body: { subject: subjects[0].id, accessPackageIds: packages.map((each) => each.id) } }));
  };
  const change = (set) => (value) => { set(value); setDecision(null); };
  return html`<${Section} title="May they get it?">
    <p class="note">The app decides as it would decide a request. It writes nothing.</p>
    <${Form} label="Decide" run=${ask}>
      <${Picker} label="Subject" route="GET subjects" list="subjects" idOf=${(each) => each.objectId || each.subjectId} nameOf=${personName} max=${1}
        chosen=${subjects} onChoose=${change((one) => setSubjects([one]))} onRemove=${change(() => setSubjects([]))} />
      <${Picker} label="Access packages" route="GET packages" list="packages" idOf=${(each) => each.id} nameOf=${(each) => each.title} max=${20}
        chosen=${packages} onChoose=${change((one) => setPackages([...packages.filter((each) => each.id !== one.id), one]))}
        onRemove=${change((id) => setPackages(packages.filter((each) => each.id !== id)))} />
    </${Form}>
    ${decision ? html`<${DecisionText} of=${decision} name=${name} />` : null}
  </${Section}>`;
}
