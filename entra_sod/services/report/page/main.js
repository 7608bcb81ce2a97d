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
      .filter(([severity]) => findings.some((each) => each.severity === severity)), 'severities'),
    choices('State', states.map((state) => [state, state]), 'states'),
    data.changes ? select('change', 'Since the last sweep', Object.entries(CHANGES).map(([kind, text]) =>
      el('option', { value: kind, text })), (value) => { filter.change = value; }) : '',
    el('p', { id: 'pair', class: 'pair', hidden: true }),
    copyButton('Copy link', () => location.href.split('#')[0] + filterFragment(), { id: 'filter-link' }),
    el('button', { id: 'reset', class: 'quiet', text: 'Clear filter', disabled: true, onclick: resetFilter }));
}

/** Check boxes for a set of the filter. */
function choices(legendText, options, name) {
  const box = ([value, text]) => el('label', { class: 'choice' }, el('input', {
    type: 'checkbox', name: legendText.toLowerCase(), value,
    onchange: (event) => {
      if (event.target.checked) filter[name].add(value);
      else filter[name].delete(value);
      applyFilter();
    },
  }), text);
  return el('fieldset', {}, el('legend', { text: legendText }), ...options.map(box));
}

const NO_FILTER = { text: '', rule: '', package: '', change: '', group: null, pair: null };

function resetFilter() {
  narrowTo({}, false);
}

/** Filter by these parts and by nothing else; then show the findings. */
function narrowTo(parts, goes = true) {
  Object.assign(filter, { ...NO_FILTER, severities: new Set(), states: new Set() }, parts);
  showInControls();
  applyFilter();
  if (goes) goToFindings();
}

function showInControls() {
  for (const name of ['text', 'rule', 'package', 'change']) {
    if (byId(name)) byId(name).value = filter[name];
  }
  for (const box of byId('filter').querySelectorAll('input[type="checkbox"]')) {
    box.checked = box.name === 'severity' ? filter.severities.has(Number(box.value)) : filter.states.has(box.value);
  }
}

function showFilter() {
  byId('reset').disabled = !isFiltered();
  byId('filter-link').dataset.link = filterFragment();
  const pair = byId('pair');
  pair.hidden = !filter.pair && !filter.group;
  if (filter.group) pair.replaceChildren(`${GROUPS[filter.group.by]} `, foreign(filter.group.name));
  if (filter.pair) pair.replaceChildren('Pair ', ...filter.pair.flatMap((place, at) => [at ? ' + ' : '', foreign(packageName(place))]));
}

const narrowToPair = (pair) => narrowTo({ ...filter, pair });
const narrowToRule = (rule) => narrowTo({ rule });
const narrowToGroup = (by, name) => narrowTo({ group: { by, name } });

function goToFindings() {
  byId('findings').scrollIntoView();
  focusLine(0);
}

function drawAll() {
  for (const draw of [drawFrame, drawVerdict, drawRules, drawSteps, drawSummary, drawFilter, drawMatrix, drawFoundOnly,
    drawToxic, drawFindings, drawGroups, drawExceptions, drawDrift, drawCoverage]) draw();
  for (const listener of [showFilter, refreshFindings, refreshFoundOnly, refreshToxic, refreshMatrix]) onChange(listener);
  sortFindings('severity', false);
  applyFilter();
}

drawAll();
addEventListener('hashchange', followFragment);
addEventListener('beforeprint', preparePrint);
addEventListener('afterprint', foldAgain);
matchMedia('print').addEventListener('change', (event) => { if (event.matches) preparePrint(); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  grid.inks = null;
  drawMap();
});
narrow.addEventListener('change', () => {
  refreshFindings();
  drawGrid();
});
byId('silent').remove();
followFragment();
document.documentElement.dataset.ready = 'yes';
