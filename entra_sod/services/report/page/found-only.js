// The strip beside the matrix: rules that no pair of packages can say, and who is in conflict with them.

const MAX_FOUND = 200;
const foundOnlyRules = data.rules.map((rule, place) => ({ ...rule, place })).filter((rule) => rule.foundOnly);

function drawFoundOnly() {
  byId('found-only').append(
    heading('found-only', 'Found only'),
    el('p', { class: 'note', text: foundOnlyRules.length
      ? 'Rules that look at all that a subject holds. Entra cannot enforce them, so nothing is written for them.'
      : 'Every rule keeps pairs of packages apart: the matrix has them all.' }),
    el('div', { id: 'found-only-rules' }), el('div', { id: 'found-only-subjects' }));
  if (!foundOnlyRules.length) return;
  byId('found-only-rules').append(table('Rules that are found only',
    ['Severity', 'Rule', 'A conflict when', 'Outcome'], foundOnlyRules.map((rule) => [
      badge(SEVERITIES.indexOf(rule.severity)),
      el('div', {}, el('button', { class: 'link', onclick: () => narrowToRule(rule.id) }, foreign(rule.title)),
        el('small', {}, foreign(rule.id))),
      meaningOf(rule), rule.outcome === 'unknown' ? 'not checked' : rule.outcome,
    ])));
}

/** What a rule looks for, in a few words. */
function meaningOf({ form, allowed, sides }) {
  if (form === 'requires') return `a subject is on ${sideLabel(sides[0])} and not on ${sideLabel(sides[1])}`;
  if (form === 'atMost') return `a subject holds more than ${number.format(allowed)} of ${sideLabel(sides[0])}`;
  if (form === 'allOf') return `a subject is on all of ${sides.map(sideLabel).join(', ')}`;
  return `a subject is on more than ${number.format(allowed)} of ${sides.map(sideLabel).join(', ')}`;
}

const sideLabel = (place) => data.sides[place].label;

function refreshFoundOnly() {
  if (!foundOnlyRules.length) return;
  const places = model.shown.filter((place) => !['pair', 'package'].includes(findings[place].kind));
  const lines = places.slice(0, MAX_FOUND).map((place) => foundLine(findings[place]));
  const more = places.length - lines.length;
  byId('found-only-subjects').replaceChildren(
    lines.length ? table('Subjects in conflict with these rules',
      ['Rule', 'Subject', 'Holds', 'Lacks', 'State'], lines)
      : el('p', { class: 'note', text: isFiltered() ? 'No finding of these rules fits the filter.'
        : 'No finding of these rules is known.' }),
    more > 0 ? el('p', { class: 'note', text: `${count(more, 'finding is', 'findings are')} in the list below only.` }) : '');
}

const foundLine = (finding) => [
  foreign(finding.rule),
  el('button', { class: 'link', onclick: () => openFinding(finding) }, foreign(personName(finding))),
  packageNames(finding.packages, ' + '), lacks(finding), stateWord(finding.state),
];

const packageNames = (places, between) => el('span', {}, ...places.flatMap((place, at) =>
  [at ? between : '', foreign(packageName(place), { title: packageLabel(place) })]));

/** Which packages a subject needs and does not hold: all of them, or any. */
function lacks(finding) {
  if (!finding.missing.length) return '';
  const all = ruleOf.get(finding.rule)?.needsAll ?? false;
  const word = finding.missing.length === 1 ? '' : all ? 'all of ' : 'one of ';
  return el('span', {}, word, packageNames(finding.missing, ', '));
}
