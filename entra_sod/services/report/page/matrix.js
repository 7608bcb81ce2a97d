// The matrix: an ARIA grid of which only the cells in view are in the page.

const CELL = { width: 34, height: 28, head: 236, top: 168, step: 4 };
const grid = {
  axis: 'packages', order: 'worst', orders: {}, folds: true, isDrawn: false, heads: [], cells: new Map(), active: [0, 0], drawn: '', made: [],
  map: null, view: { top: 0, left: 0, width: 0, height: 0 },
};

const AXES = {
  packages: {
    label: 'access packages',
    heads: () => axisPackages(),
    cells: packageCells, weigh: weighPackages,
    name: packageName, full: packageLabel,
  },
  sides: {
    label: 'classes and sides of rules',
    heads: () => data.sides.map((_, place) => place),
    cells: sideCells, weigh: weighSides,
    name: (place) => data.sides[place].label,
    full: (place) => `${data.sides[place].label}: `
      + count(data.sides[place].packages.length, 'package', 'packages'),
  },
};

function axisPackages() {
  const used = new Set(data.cells.flatMap(([one, other]) => [one, other]));
  return [...used].sort((one, other) => one - other);
}

/** A select that changes what the matrix shows. */
function matrixSelect(id, label, options) {
  const choose = (event) => {
    grid[id] = event.target.value;
    grid.isDrawn = false;
    refreshMatrix();
  };
  return el('label', {}, `${label} `, el('select', { id, onchange: choose },
    ...options.map(([value, text]) => el('option', { value, text }))));
}

function drawMatrix() {
  byId('matrix').replaceChildren(
    heading('matrix', 'Matrix',
      matrixSelect('axis', 'Between', Object.entries(AXES).map(([name, axis]) => [name, axis.label])),
      matrixSelect('order', 'Order', [['worst', 'worst first'], ['findings', 'most findings'], ['name', 'catalog and name']]),
      el('label', {}, el('input', {
        id: 'folds', type: 'checkbox', checked: true, onchange: (event) => { grid.folds = event.target.checked; refreshMatrix(); },
      }), ' Fold away rows that the filter leaves empty')),
    legend(),
    el('p', { id: 'folded', class: 'note', role: 'status', hidden: true }),
    el('div', { id: 'matrix-frame', class: 'matrix-frame' },
      el('div', { id: 'viewport', class: 'viewport' }, el('div', {
        id: 'grid', class: 'grid', role: 'grid', 'aria-labelledby': 'matrix-title',
        'aria-describedby': 'grid-help', 'aria-readonly': 'true',
      })),
      el('div', { class: 'map', id: 'map' })),
    el('p', { id: 'cell-says', class: 'cell-says' }),
    el('p', { id: 'grid-help', class: 'note', text: 'Arrow keys move between cells, Home and End '
      + 'to the ends of a row, Enter shows the subjects of a cell. A cell counts findings: a subject '
      + 'under two rules is two. All of them are in the list below, too.' }));
  const view = byId('viewport');
  view.addEventListener('scroll', () => requestAnimationFrame(lookAndDraw), { passive: true });
  new ResizeObserver(lookAndDraw).observe(view);
  const field = byId('grid');
  field.addEventListener('click', (event) => useCell(event.target, true));
  field.addEventListener('mouseover', (event) => useCell(event.target, false));
  field.addEventListener('keydown', moveByKey);
}

/** Count anew, and draw what has changed. */
function refreshMatrix() {
  Object.assign(grid, { cells: AXES[grid.axis].cells(), filtered: isFiltered() });
  const heads = shownHeads();
  if (grid.isDrawn && heads.length === grid.heads.length && heads.every((place, at) => place === grid.heads[at])) {
    drawMap();
    for (const [made, row, column] of grid.made) dress(made, row, column);
    return;
  }
  Object.assign(grid, { heads, active: [0, 0], isDrawn: true });
  drawGrid();
}

/** Draw all of it anew: other rows and columns, or another width of the page. */
function drawGrid() {
  const size = grid.heads.length;
  const field = byId('grid');
  CELL.head = narrow.matches ? 132 : 236;
  field.setAttribute('aria-rowcount', size + 1);
  field.setAttribute('aria-colcount', size + 1);
  field.style.width = `${CELL.head + size * CELL.width}px`;
  field.style.height = `${CELL.top + size * CELL.height}px`;
  byId('matrix-frame').hidden = size === 0;
  sayFolded();
  drawMap();
  // Asking the page where it is costs a layout; its observer draws more where there is more room.
  if (grid.view.top || grid.view.left) byId('viewport').scrollTo(0, 0);
  Object.assign(grid.view, { top: 0, left: 0 });
  grid.drawn = '';
  drawCells();
}

function sayFolded() {
  const [size, all] = [grid.heads.length, headsInOrder().length];
  const folded = byId('folded');
  folded.hidden = size > 0 && size === all;
  folded.textContent = all === 0 ? 'No rule keeps two packages apart, so the matrix is empty.'
    : size === 0 ? 'No cell has a finding that fits the filter.'
      : `${number.format(size)} of ${number.format(all)} rows and columns: the others have no finding that fits the filter.`;
}

/** With a filter, the rows and columns that have a hit; otherwise all. */
function shownHeads() {
  if (!grid.folds || !grid.filtered) return headsInOrder();
  const hit = new Set();
  for (const [at, cell] of grid.cells) {
    if (cell.found) hit.add(Math.floor(at / 1e6)).add(at % 1e6);
  }
  return headsInOrder().filter((place) => hit.has(place));
}

/** All rows in their order, which no filter changes. */
function headsInOrder() {
  grid.orders[`${grid.axis} ${grid.order}`] ??= ordered(AXES[grid.axis].heads());
  return grid.orders[`${grid.axis} ${grid.order}`];
}

function ordered(heads) {
  if (grid.order === 'name') return heads;
  const worst = new Map(heads.map((place) => [place, { severity: 9, found: 0 }]));
  AXES[grid.axis].weigh((place, severity, found) => {
    const known = worst.get(place);
    if (!known) return;
    known.severity = Math.min(known.severity, severity);
    known.found += found;
  });
  const first = grid.order === 'worst' ? (each) => each.severity : () => 0;
  return heads.sort((one, other) => first(worst.get(one)) - first(worst.get(other))
    || worst.get(other).found - worst.get(one).found || one - other);
}

/** Tell what each head weighs by its cells: a severity, or what is not known, before what is clear. */
function weighPackages(note) {
  for (const [one, other, , outcome, severity, found] of data.cells) {
    const weight = found || outcome === CONFLICT ? severity : outcome === UNKNOWN ? 6 : 7;
    note(one, weight, found);
    note(other, weight, found);
  }
}

function weighSides(note) {
  for (const finding of findings.filter(isLive)) {
    for (const at of keysOf(finding)) {
      note(Math.floor(at / 1e6), finding.severity, 1);
      note(at % 1e6, finding.severity, 1);
    }
  }
}

/** Which rows and columns are in view, in steps, so that scrolling a little draws nothing. */
function inView() {
  const { top, left, width, height } = grid.view;
  const span = (from, room, size) => {
    const first = Math.floor(from / size / CELL.step) * CELL.step;
    const last = Math.ceil((from + room) / size / CELL.step) * CELL.step;
    return [Math.max(0, first), Math.min(grid.heads.length, last)];
  };
  return {
    rows: span(top, height - CELL.top, CELL.height),
    columns: span(left, width - CELL.head, CELL.width),
  };
}

/** Ask the page where the viewport is, which costs a layout; all else asks `grid.view`. */
function lookAndDraw() {
  const view = byId('viewport');
  grid.view = {
    top: view.scrollTop, left: view.scrollLeft, width: view.clientWidth, height: view.clientHeight,
  };
  drawCells();
}

function drawCells() {
  const { rows, columns } = inView();
  moveMapFrame();
  const drawn = [...rows, ...columns].join();
  if (drawn === grid.drawn) return;
  grid.drawn = drawn;
  const clamp = (value, [from, to]) => Math.min(Math.max(value, from), Math.max(from, to - 1));
  const hadFocus = byId('grid').contains(document.activeElement);
  grid.active = [clamp(grid.active[0], rows), clamp(grid.active[1], columns)];
  grid.made = [];
  const lines = [headRow(columns)];
  for (let row = rows[0]; row < rows[1]; row += 1) lines.push(cellRow(row, columns));
  byId('grid').replaceChildren(...lines);
  if (hadFocus) activeCell()?.focus({ preventScroll: true });
}

const room = (columns) => {
  const made = el('div', { role: 'none', class: 'room' });
  made.style.width = `${columns[0] * CELL.width}px`;
  return made;
};

function headRow(columns) {
  const corner = el('div', { class: 'corner', role: 'columnheader', 'aria-colindex': 1 },
    el('span', { class: 'unseen', text: AXES[grid.axis].label }));
  const row = el('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 }, corner, room(columns));
  for (let column = columns[0]; column < columns[1]; column += 1) {
    const place = grid.heads[column];
    row.append(el('div', {
      class: 'column-head', role: 'columnheader', 'aria-colindex': column + 2,
      title: AXES[grid.axis].full(place), 'data-column': column,
    }, foreign(AXES[grid.axis].name(place))));
  }
  return row;
}

function cellRow(row, columns) {
  const place = grid.heads[row];
  const made = el('div', { class: 'row', role: 'row', 'aria-rowindex': row + 2 },
    el('div', {
      class: 'row-head', role: 'rowheader', 'aria-colindex': 1,
      title: AXES[grid.axis].full(place), 'data-row': row,
    }, foreign(AXES[grid.axis].name(place))), room(columns));
  made.style.top = `${CELL.top + row * CELL.height}px`;
  for (let column = columns[0]; column < columns[1]; column += 1) made.append(drawCell(row, column));
  return made;
}

const cellAt = (row, column) => grid.cells.get(key(grid.heads[row], grid.heads[column]));

function drawCell(row, column) {
  const isActive = grid.active[0] === row && grid.active[1] === column;
  const made = el('div', {
    role: 'gridcell', 'aria-colindex': column + 2, tabindex: isActive ? '0' : '-1',
    'data-row': row, 'data-column': column,
  });
  dress(made, row, column);
  grid.made.push([made, row, column]);
  return made;
}

/** Show in a cell's element what it counts now, if that is not what it shows already. */
function dress(made, row, column) {
  const cell = cellAt(row, column);
  const kind = kindOf(cell, row === column);
  const shows = cell ? `${kind} ${cell.found} ${cell.excepted} ${cell.severity}` : kind;
  if (made.shows === shows) return;
  made.shows = shows;
  made.className = `cell ${kind}`;
  made.setAttribute('aria-label', says(cell, row, column));
  if (!cell) return;
  if (!made.firstChild) made.append('', mark(4));
  made.firstChild.data = textOf(cell);
  made.lastChild.className = cell.found ? `mark mark-${4 - cell.severity}` : 'unseen';
}

function openCell(row, column) {
  const cell = cellAt(row, column);
  if (!cell) return;
  const [one, other] = [grid.heads[row], grid.heads[column]];
  const axis = AXES[grid.axis];
  const places = model.shown.filter((place) => isOf(findings[place], one, other));
  const rules = cell.rules.map((place) => data.rules[place].title).join(' · ');
  openPeople([foreign(axis.name(one)), ' and ', foreign(axis.name(other))],
    `${wordsOf(cell)}. ${rules}`, places,
    grid.axis === 'packages' ? () => narrowToPair([one, other]) : null);
}

function isOf(finding, one, other) {
  if (!isLive(finding)) return false;
  if (grid.axis === 'packages') {
    return finding.packages.length === 2 && one !== other
      && finding.packages.includes(one) && finding.packages.includes(other);
  }
  return keysOf(finding).includes(key(one, other));
}

