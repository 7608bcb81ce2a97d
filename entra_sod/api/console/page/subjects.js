// Subjects: search them, and see what one holds and which rules touch that.

function SubjectSearch() {
  const search = async ({ search: text }) => { location.hash = link('subjects', '', { search: text.trim() || ' ' }); };
  return html`<${Form} label="Search" run=${search}>
    <${Field} label="Name, user principal name or object id"><input name="search" type="search" maxlength="200" autocomplete="off" /></${Field}>
  </${Form}>`;
}

const subjectLine = (each) => [
  html`<a href=${link('subjects', each.objectId || each.subjectId)}><${Name} text=${personName(each)} /></a>`,
  each.subjectType && each.subjectType !== 'user' ? each.subjectType : 'person',
  number.format(each.packages),
  each.findings ? html`<b>${number.format(each.findings)}</b>` : 'none',
];

/** What was read and when, above every answer from the index. */
const AsOf = ({ of }) => html`<p class="note">As the sweep of ${moment(of.asOf)} saw it.</p>`;

function SubjectList({ search }) {
  const found = usePages('GET subjects', { search: search.trim(), limit: 50 }, 'subjects');
  return html`<${Answer} of=${found.first}>${(value) => html`
    <${NotWhole} of=${value} what="subjects" />
    <p role="status">${value.isWhole || found.items.length ? `${count(value.total, 'subject fits', 'subjects fit')}.` : 'None of those that could be read fits.'}</p>
    <${Table} caption="Subjects" columns=${['Name', 'Kind', 'Packages', 'Findings']} lines=${found.items.map(subjectLine)}
      none=${value.isWhole ? 'No subject that holds a package has this in its names, or as its id.' : 'The subject may be among what was not read.'} />
    <${More} of=${found} /><${AsOf} of=${value} />`}</${Answer}>`;
}

const Held = ({ holds }) => html`<${Table} caption="Packages that the subject holds" columns=${['Package', 'Since', 'Until']}
  none="The subject holds no package that a rule selects."
  lines=${holds.map((each) => [html`<${Name} text=${each.name || each.id} />`, day(each.since) || 'not known', day(each.until) || 'no end'])} />`;

const touchLine = (rule) => [
  html`<${Badge} severity=${rule.severity} /> <a href=${link('rules', rule.id)}><${Name} text=${rule.title || rule.id} /></a>`,
  rule.inConflict ? html`<b>in conflict</b>` : 'no conflict',
  rule.sides.filter((side) => side.holds.length).map((side) => html`<div>Side ${side.side}: <${Names} of=${side.holds} /></div>`),
  rule.wouldConflictCount
    ? html`<details><summary>${count(rule.wouldConflictCount, 'package', 'packages')}</summary><${Names} of=${rule.wouldConflict} more=${rule.wouldConflictCount - rule.wouldConflict.length} /></details>`
    : 'none',
];

function Subject({ id }) {
  const name = usePackageNames();
  const subject = useAnswer('GET subjects/{id}', { params: { id } });
  return html`<${Detail} of=${subject} title="Subject">${(value) => html`
    <${Section} id="subject" title=${html`<${Name} text=${personName(value)} />`}
      more=${may('POST decisions') ? html`<a class="button" href=${link('decide', '', { subject: value.objectId || value.subjectId })}>May they get a package?</a>` : null}>
      <${NotWhole} of=${value} what="packages and conflicts" />
      <${Facts} of=${[['Object id', value.objectId && html`<code>${value.objectId}</code>`], ['Kind', value.subjectType],
        ['Exceptions', value.exceptions.length ? value.exceptions.map((each) => html`<div><a href=${link('exceptions', each.id)}><${Name} text=${each.id} /></a> until ${each.until}</div>`) : null]]} />
      <h3>Holds</h3><${Held} holds=${value.holds} /><${AsOf} of=${value} />
    </${Section}>
    <${Section} title="Rules that touch this">
      <${Table} caption="Rules that touch what the subject holds" columns=${['Rule', 'Now', 'Holds', 'Would conflict']} lines=${value.rules.map(touchLine)}
        none=${value.isWhole ? 'No rule in force selects what the subject holds.' : 'No rule selects what could be read.'} />
    </${Section}>
    <${Section} title="Findings">
      <${Table} caption="Findings of the subject" columns=${FINDING_COLUMNS} lines=${value.findings.map((each) => findingLine(each, name))}
        none=${value.isWhole ? 'There is no finding.' : 'There is no finding in what could be read.'} />
    </${Section}>`}</${Detail}>`;
}

function SubjectsView({ id, query }) {
  if (id) return html`<${Subject} id=${id} key=${id} />`;
  return html`<${Section} title="Subjects"><${SubjectSearch} />
    ${query.search !== undefined ? html`<${SubjectList} search=${query.search} />` : null}</${Section}>`;
}
