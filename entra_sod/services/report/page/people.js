// The dialog: the people of a cell, or all there is to say of one finding.

const dialog = byId('dialog');
const MAX_PEOPLE = 500;

dialog.addEventListener('close', clearFragment);
dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });

function openDialog(title, ...content) {
  const close = el('button', { class: 'quiet', text: 'Close', onclick: () => dialog.close() });
  dialog.replaceChildren(
    el('header', { class: 'dialog-head' }, el('h2', { id: 'dialog-title' }, ...title), close),
    el('div', { class: 'dialog-body', tabindex: '0', role: 'region', 'aria-label': 'Details' },
      ...content),
  );
  if (!dialog.open) dialog.showModal();
  close.focus();
}

/** The people behind a cell: `places` are of findings, `narrow` shows them in the findings list. */
function openPeople(title, note, places, narrow) {
  const lines = places.slice(0, MAX_PEOPLE).map((place) => personLine(findings[place]));
  const more = places.length - lines.length;
  openDialog(title,
    el('p', { class: 'note' }, note),
    places.length
      ? table('Findings of this cell', ['Subject', 'Severity', 'Rule', 'State', 'First seen'], lines)
      : null,
    more > 0 ? el('p', { text: `and ${count(more, 'more', 'more')}, in the list of findings` }) : null,
    places.length && narrow ? el('button', {
      text: 'Show them in the list of findings', onclick: () => { dialog.close(); narrow(); },
    }) : null);
}

function personLine(finding) {
  return [
    el('button', { class: 'link', onclick: () => openFinding(finding) },
      foreign(personName(finding))),
    badge(finding.severity), foreign(finding.rule), stateOf(finding), day(finding.first),
  ];
}

function stateOf(finding) {
  const left = finding.exception ? ` · ${finding.exception}, ${daysLeft(finding.daysLeft)}` : '';
  return el('span', { class: `state state-${finding.state.replace(/\W/g, '-')}` },
    stateWord(finding.state), foreign(left.replace(/, $/, '')));
}

/** Terms and what stands for them; those without are left out. */
const factList = (facts) => el('dl', { class: 'details' }, ...facts
  .filter(([, value]) => value)
  .flatMap(([term, value]) => [el('dt', { text: term }), el('dd', {}, value)]));

function openFinding(finding) {
  openDialog([foreign(personName(finding))], factList([...aboutRule(finding), ...aboutSubject(finding), ...aboutLife(finding)]),
    el('p', { class: 'actions' },
      copyButton('Copy link', () => linkTo('finding', finding.id)), copyButton('Copy id', () => finding.id), consoleLink('findings', finding.id)));
  setFragment('finding', finding.id);
}

function aboutRule(finding) {
  const rule = ruleOf.get(finding.rule);
  if (!rule) return [['Severity', badge(finding.severity)], ['Rule', foreign(`${finding.rule}, not in force now`)]];
  return [
    ['Severity', badge(finding.severity)],
    ['Rule', el('button', { class: 'link', onclick: () => openRule(rule.id) }, foreign(`${rule.title} (${rule.id})`))],
    ['Enforcement', enforcementCell(rule)],
    ['Control', rule.control && foreign(rule.control)],
    ['Owner', foreign([rule.owner, ...rule.owners].join(', '))],
    ['Process', rule.process && foreign(rule.process)],
    ['Frameworks', rule.frameworks.length > 0 && foreign(rule.frameworks.map(({ id, ref }) => `${id} ${ref}`).join(', '))],
    ['Tags', rule.tags.length > 0 && foreign(rule.tags.join(', '))],
    ['Advice', rule.advice && foreign(rule.advice)],
  ];
}

function aboutSubject(finding) {
  const [subject, object, , type] = finding.subject;
  return [
    ['Holds', el('ul', { class: 'plain' }, ...finding.packages.map((place) => el('li', {},
      foreign(packageLabel(place)), ' ', portalLink('assignments', data.packages[place][0], 'Assignments in Entra'),
      el('code', { text: data.packages[place][0] }))))],
    ['Lacks', lacks(finding)],
    ['Why', finding.why && foreign(finding.why)],
    ['Subject type', type && foreign(type)],
    ['Subject id', el('code', { text: subject })],
    ['Object id', object ? el('span', {}, el('code', { text: object }),
      subjectKind(finding) ? null : portalLink('user', object, 'User in Entra')) : 'none in this directory'],
  ];
}

const aboutLife = (finding) => [
  ['State', stateOf(finding)],
  ['First seen', moment(finding.first)],
  ['Last seen', moment(finding.last)],
  ['Finding', el('code', { text: finding.id })],
];
