// The filter, which the matrix and the list of findings share, and the start of everything.

function drawFilter() {
  const select = (id, label, options, change) => el('label', {}, label, el('select', {
    id, onchange: (event) => { change(event.target.value); applyFilter(); },
  }, el('option', { value: '', text: 'all' }), ...options));
  const rules = [...new Set([...data.rules.map((rule) => rule.id), ...findings.map((each) => each.rule)])].sort();
  byId('filter').replaceChildren(
    el('label', { class: 'wide' }, 'Find', el('input', {
      id: 'text', type: 'search', placeholder: 'subject, package, rule, id', autocomplete: 'off',
      oninput: (event) => { filter.text = event.target.value; applyFilter(); },
    })),
    select('rule', 'Rule', rules.map((rule) => el('option', { value: rule, text: rule })),
      (value) => { filter.rule = value; }),
    select('package', 'Package', data.packages.map((_, place) =>
      el('option', { value: place, text: packageLabel(place) })),
    (value) => { filter.package = value === '' ? '' : Number(value); }),
    choices('Severity', SEVERITIES.map((name, severity) => [severity, name])
      .filter(([severity]) => findings.some((each) => each.severity === severity)), filter.severities),
    choices('State', states.map((state) => [state, state]), filter.states),
    el('p', { id: 'pair', class: 'pair', hidden: true }),
    el('button', { id: 'reset', class: 'quiet', text: 'Clear filter', disabled: true, onclick: resetFilter }));
}

function choices(legendText, options, chosen) {
  const box = ([value, text]) => el('label', { class: 'choice' }, el('input', {
    type: 'checkbox', name: legendText.toLowerCase(), value,
    onchange: (event) => {
      if (event.target.checked) chosen.add(value);
      else chosen.delete(value);
      applyFilter();
    },
  }), text);
  return el('fieldset', {}, el('legend', { text: legendText }), ...options.map(box));
}

function resetFilter() {
  Object.assign(filter, { text: '', rule: '', package: '', group: null, pair: null });
  filter.severities.clear();
  filter.states.clear();
  for (const input of byId('filter').querySelectorAll('input, select')) {
    if (input.type === 'checkbox') input.checked = false;
    else input.value = '';
  }
  applyFilter();
}

function showFilter() {
  byId('reset').disabled = !isFiltered();
  const pair = byId('pair');
  pair.hidden = !filter.pair && !filter.group;
  if (filter.group) pair.replaceChildren(`${GROUPS[filter.group.by]} `, foreign(filter.group.name));
  if (filter.pair) pair.replaceChildren('Pair ', ...filter.pair.flatMap((place, at) => [at ? ' + ' : '', foreign(packageName(place))]));
}

function narrowToPair(pair) {
  filter.pair = pair;
  applyFilter();
  goToFindings();
}

function narrowToRule(rule) {
  resetFilter();
  filter.rule = rule;
  byId('rule').value = rule;
  applyFilter();
  goToFindings();
}

function narrowToGroup(by, name) {
  resetFilter();
  filter.group = { by, name };
  applyFilter();
  goToFindings();
}

function goToFindings() {
  byId('findings').scrollIntoView();
  focusLine(0);
}

drawFrame();
drawGaps();
drawSummary();
drawFilter();
drawMatrix();
drawFoundOnly();
drawToxic();
drawFindings();
drawGroups();
drawRules();
drawExceptions();
drawDrift();
drawCoverage();
onChange(showFilter);
onChange(refreshFindings);
onChange(refreshFoundOnly);
onChange(refreshToxic);
onChange(() => refreshMatrix(grid.heads.length === 0));
sortFindings('severity', false);
applyFilter();
addEventListener('beforeprint', preparePrint);
matchMedia('print').addEventListener('change', (event) => { if (event.matches) preparePrint(); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  grid.inks = null;
  drawMap();
});
byId('silent').remove();
document.documentElement.dataset.ready = 'yes';
