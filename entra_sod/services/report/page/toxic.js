// Packages that meet a rule by themselves, with their holders, and packages that overlap with a side.

const MAX_HOLDERS = 200;

function drawToxic() {
  const { toxicPackages, overlaps } = data;
  byId('toxic').append(
    heading('toxic', 'Toxic packages and overlaps'),
    el('p', { class: 'note', text: toxicPackages.length
      ? 'A toxic package meets a rule by itself: each holder of it is a finding, unless an override or an exception permits it.'
      : 'The sweep found no package that meets a rule by itself.' }));
  if (toxicPackages.length) {
    byId('toxic').append(table('Toxic packages', ['Package', 'Rule', 'Why', 'Holders', 'Override'],
      toxicPackages.map((each) => [
        packageCell(each), ruleButton(each.rule), foreign(each.why),
        each.outcome === 'unknown' ? 'not checked' : number.format(each.holderCount),
        each.overrideDays === null ? 'none' : `at most ${count(each.overrideDays, 'day', 'days')}`,
      ])));
  }
  byId('toxic').append(el('div', { id: 'toxic-holders' }));
  if (overlaps.length) {
    byId('toxic').append(
      el('p', { class: 'note', text: 'No rule names these packages. They grant what a package of a rule grants.' }),
      table('Overlaps', ['Package', 'Rule', 'Why'], overlaps.map((each) => [
        packageCell(each), ruleButton(each.rule), foreign(each.why)])));
  }
}

const packageCell = ({ accessPackageId, displayName }) => el('div', {},
  foreign(displayName || accessPackageId), el('small', {}, el('code', { text: accessPackageId })));

const ruleButton = (rule) => el('button', { class: 'link', onclick: () => narrowToRule(rule) }, foreign(rule));

function refreshToxic() {
  const places = model.shown.filter((place) => findings[place].kind === 'package');
  const lines = places.slice(0, MAX_HOLDERS).map((place) => holderLine(findings[place]));
  const more = places.length - lines.length;
  byId('toxic-holders').replaceChildren(
    lines.length ? table('Holders of toxic packages', ['Rule', 'Subject', 'Holds', 'State', 'Why'], lines) : '',
    more > 0 ? el('p', { class: 'note', text: `${count(more, 'finding is', 'findings are')} in the list below only.` }) : '');
}

const holderLine = (finding) => [
  foreign(finding.rule),
  el('button', { class: 'link', onclick: () => openFinding(finding) }, foreign(personName(finding))),
  packageNames(finding.packages, ' + '), stateWord(finding.state), foreign(finding.why ?? ''),
];
