// On paper: the summary first, with the tenant and page numbers, then the findings by rule.

const MAX_PRINTED = 2000;
let unfolded = [];

/** Write out what is cut on screen: all gaps and steps, and the findings that the filter leaves. */
function preparePrint() {
  unfolded = [...document.querySelectorAll('details:not([open], #meanings)')];
  for (const folded of unfolded) folded.open = true;
  printFindings();
}

function foldAgain() {
  for (const folded of unfolded) folded.open = false;
  unfolded = [];
}

function printFindings() {
  const places = model.shown.slice(0, MAX_PRINTED);
  const groups = new Map();
  for (const place of places) {
    const { rule } = findings[place];
    groups.set(rule, [...(groups.get(rule) ?? []), findings[place]]);
  }
  const more = model.shown.length - places.length;
  byId('printed').replaceChildren(
    isFiltered() ? el('p', { text: `Filtered: ${byId('shown').textContent}.` }) : '',
    ...[...groups].map(([rule, found]) => printedGroup(rule, found)),
    more > 0 ? el('p', { text: `${count(more, 'finding is', 'findings are')} not printed.` }) : '');
}

function printedGroup(rule, found) {
  const title = ruleOf.get(rule)?.title;
  return el('div', { class: 'printed-group' },
    el('h3', {}, foreign(title ? `${title} (${rule})` : rule), `: ${count(found.length, 'finding', 'findings')}`),
    table(`Findings of ${rule}`, ['Severity', 'Subject', 'Holds', 'State', 'First seen', 'Last seen'], found.map((finding) => [
      badge(finding.severity), foreign(personName(finding)), packageNames(finding.packages, ' + '),
      stateOf(finding), day(finding.first), day(finding.last),
    ])));
}
