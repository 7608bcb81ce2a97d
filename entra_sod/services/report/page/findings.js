// The list of findings: a table of which only the rows in view are in the page.

const SPARE = 8;
// Cards are as high as their four lines; the style sheet has the same numbers.
const rowHeight = () => (narrow.matches ? 148 : 46);
const COLUMNS = [
  ['severity', 'Severity'], ['person', 'Subject'], ['packages', 'Holds'], ['rule', 'Rule'],
  ['state', 'State'], ['first', 'First seen'], ['last', 'Last seen'], ['exception', 'Exception'],
];
const list = { drawn: '', top: 0, height: 0 };

function drawFindings() {
  byId('findings').replaceChildren(
    heading('findings', 'Findings', el('p', {
      id: 'shown', class: 'shown', role: 'status', 'aria-live': 'polite',
    }), el('button', { id: 'csv', text: 'Save as CSV', onclick: saveCsv }), copyButton('Copy as table', tabbedRows)),
    el('div', { id: 'list', class: 'list', role: 'table', 'aria-labelledby': 'findings-title' },
      el('div', { role: 'rowgroup', class: 'list-head' },
        el('div', { role: 'row', class: 'line', 'aria-rowindex': 1 }, ...COLUMNS.map(columnHead))),
      el('div', { role: 'rowgroup', id: 'lines', class: 'lines' })),
    el('p', { id: 'nothing', class: 'note', hidden: true }),
    el('div', { id: 'printed', class: 'printed' }));
  byId('list').addEventListener('scroll', () => requestAnimationFrame(lookAtLines), { passive: true });
  new ResizeObserver(lookAtLines).observe(byId('list'));
  byId('lines').addEventListener('keydown', moveLine);
}

function columnHead([name, text]) {
  const sort = () => {
    sortFindings(name, model.sort === name ? !model.descending : false);
    applyFilter();
  };
  return el('div', { role: 'columnheader', class: `column-${name}`, 'data-sort': name },
    el('button', { class: 'sort', onclick: sort }, text, el('span', { class: 'arrow', 'aria-hidden': 'true' })));
}

function refreshFindings() {
  const [shown, all] = [model.shown.length, findings.length];
  byId('shown').textContent = isFiltered()
    ? `${number.format(shown)} of ${count(all, 'finding', 'findings')}`
    : count(all, 'finding', 'findings');
  byId('list').setAttribute('aria-rowcount', shown + 1);
  byId('lines').style.height = `${shown * rowHeight()}px`;
  byId('nothing').hidden = shown > 0;
  byId('nothing').textContent = isFiltered() ? 'No finding fits the filter.'
    : data.sweep ? 'The sweep found no conflict in what it checked.'
      : 'No sweep has ended, so nothing is known.';
  for (const head of byId('list').querySelectorAll('[data-sort]')) {
    const isSorted = head.dataset.sort === model.sort;
    head.setAttribute('aria-sort', isSorted ? (model.descending ? 'descending' : 'ascending') : 'none');
  }
  if (list.top) byId('list').scrollTop = 0;
  Object.assign(list, { drawn: '', top: 0 });
  drawLines();
}

/** Ask the page where the list is, which costs a layout; all else asks `list`. */
function lookAtLines() {
  const view = byId('list');
  Object.assign(list, { top: view.scrollTop, height: view.clientHeight });
  drawLines();
}

function drawLines() {
  const height = rowHeight();
  const from = Math.max(0, Math.floor(list.top / height / SPARE) * SPARE - SPARE);
  const to = Math.min(model.shown.length, Math.ceil((list.top + list.height) / height) + SPARE);
  const drawn = `${from} ${to}`;
  if (drawn === list.drawn) return;
  list.drawn = drawn;
  const focused = document.activeElement?.closest?.('#lines .line')?.getAttribute('aria-rowindex');
  const lines = [];
  for (let at = from; at < to; at += 1) lines.push(drawLine(at));
  byId('lines').replaceChildren(...lines);
  if (focused) focusLine(Number(focused) - 2);
}

function drawLine(at) {
  const finding = findings[model.shown[at]];
  const cell = (name, ...content) => el('div', { role: 'cell', class: `column-${name}` }, ...content);
  const line = el('div', { role: 'row', class: 'line', 'aria-rowindex': at + 2 },
    cell('severity', badge(finding.severity)),
    cell('person', el('button', { class: 'link', onclick: () => openFinding(finding) },
      foreign(personName(finding))), el('small', { text: [subjectKind(finding), finding.subject[1] ?? finding.subject[0]].filter(Boolean).join(' · ') })),
    cell('packages', ...holdings(finding)),
    cell('rule', foreign(finding.rule)),
    cell('state', stateWord(finding.state)),
    cell('first', day(finding.first)),
    cell('last', day(finding.last)),
    cell('exception', finding.exception ? foreign(finding.exception) : '',
      el('small', { text: daysLeft(finding.daysLeft) })));
  line.style.top = `${at * rowHeight()}px`;
  return line;
}

function holdings(finding) {
  const [first, second, ...rest] = finding.packages.map((place) =>
    foreign(packageName(place), { title: packageLabel(place) }));
  return [first, second, rest.length ? el('small', { text: `and ${rest.length} more` }) : null];
}

function moveLine(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const line = event.target.closest('.line');
  if (!step || !line) return;
  event.preventDefault();
  const at = Math.min(Math.max(Number(line.getAttribute('aria-rowindex')) - 2 + step, 0), model.shown.length - 1);
  const view = byId('list');
  const height = rowHeight();
  const most = at * height + height - (view.clientHeight - height);
  view.scrollTop = Math.min(at * height, Math.max(view.scrollTop, most));
  lookAtLines();
  focusLine(at);
}

function focusLine(at) {
  byId('lines').querySelector(`[aria-rowindex="${at + 2}"] button`)?.focus({ preventScroll: true });
}
