// The matrix: an ARIA grid of which only the cells in view are in the page.

const CELL = { width: 34, height: 28, head: 236, top: 168, step: 4 };
const grid = {
  axis: 'packages', order: 'name', heads: [], cells: new Map(), active: [0, 0], drawn: '', made: [],
  map: null, view: { top: 0, left: 0, width: 0, height: 0 },
};

const AXES = {
  packages: {
    label: 'access packages',
    heads: () => axisPackages(),
    cells: packageCells,
    name: packageName, full: packageLabel,
  },
  sides: {
    label: 'classes and sides of rules',
    heads: () => data.sides.map((_, place) => place),
    cells: sideCells,
    name: (place) => data.sides[place].label,
    full: (place) => `${data.sides[place].label}: `
      + count(data.sides[place].packages.length, 'package', 'packages'),
  },
};

function axisPackages() {
  const used = new Set(data.cells.flatMap(([one, other]) => [one, other]));
  return [...used].sort((one, other) => one - other);
}

function drawMatrix() {
  const options = (list) => list.map(([value, text]) => el('option', { value, text }));
  byId('matrix').replaceChildren(
    heading('matrix', 'Matrix',
      el('label', {}, 'Between ', el('select', {
        id: 'axis', onchange: (event) => { grid.axis = event.target.value; refreshMatrix(true); },
      }, ...options(Object.entries(AXES).map(([name, axis]) => [name, axis.label])))),
      el('label', {}, 'Order ', el('select', {
        id: 'order', onchange: (event) => { grid.order = event.target.value; refreshMatrix(true); },
      }, ...options([['name', 'catalog and name'], ['findings', 'most findings']])))),
    legend(),
    el('div', { class: 'matrix-frame' },
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

function legend() {
  const entry = (cell, text) => el('li', {}, cell, text);
  const sample = (kind, text) => el('span', { class: `cell sample ${kind}`, text });
  return el('ul', { class: 'legend', 'aria-label': 'Legend' },
    ...SEVERITIES.slice(0, 4).map((name, severity) =>
      entry(el('span', { class: `cell sample severity-${name}` }, '3', mark(severity)), name)),
    entry(sample('excepted', '3'), 'all excepted'),
    entry(sample('clear', '·'), 'checked: nobody'),
    entry(sample('unknown', '?'), 'not checked'),
    entry(sample('none', ''), 'no rule'));
}

/** Count anew; with `anew`, the axes have changed as well. */
function refreshMatrix(anew = false) {
  const axis = AXES[grid.axis];
  Object.assign(grid, { cells: axis.cells(), filtered: isFiltered() });
  if (anew) Object.assign(grid, { heads: ordered(axis.heads()), active: [0, 0] });
  const size = grid.heads.length;
  const field = byId('grid');
  field.setAttribute('aria-rowcount', size + 1);
  field.setAttribute('aria-colcount', size + 1);
  field.style.width = `${CELL.head + size * CELL.width}px`;
  field.style.height = `${CELL.top + size * CELL.height}px`;
  drawMap();
  if (!anew) {
    for (const [made, row, column] of grid.made) dress(made, row, column);
    return;
  }
  byId('viewport').scrollTo(0, 0);
  grid.drawn = '';
  lookAndDraw();
}

function ordered(heads) {
  if (grid.order === 'name') return heads;
  const found = new Map();
  for (const [at, cell] of grid.cells) {
    for (const place of [Math.floor(at / 1e6), at % 1e6]) {
      found.set(place, (found.get(place) ?? 0) + cell.found);
    }
  }
  return heads.sort((one, other) => (found.get(other) ?? 0) - (found.get(one) ?? 0));
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

const KINDS = SEVERITIES.map((name) => `severity-${name}`);

function kindOf(cell, isSelf) {
  if (!cell) return isSelf ? 'self' : 'none';
  if (cell.found) return cell.found === cell.excepted ? 'excepted' : KINDS[cell.severity];
  if (cell.outcome === CONFLICT) return grid.filtered ? 'filtered' : KINDS[cell.severity];
  return cell.outcome === CLEAR ? 'clear' : 'unknown';
}

function textOf(cell) {
  if (cell.found) return short(cell.found);
  if (cell.outcome === CONFLICT) return grid.filtered ? '' : '!';
  return cell.outcome === CLEAR ? '·' : '?';
}

const short = (value) => (value < 1000 ? String(value) : `${Math.floor(value / 1000)}k`);

function says(cell, row, column) {
  const axis = AXES[grid.axis];
  const both = `${axis.full(grid.heads[row])} and ${axis.full(grid.heads[column])}`;
  return `${both}: ${wordsOf(cell)}`;
}

function wordsOf(cell) {
  if (!cell) return 'no rule';
  if (cell.found) {
    const excepted = cell.excepted ? `, ${number.format(cell.excepted)} excepted` : '';
    return `${count(cell.found, 'finding', 'findings')}, worst ${SEVERITIES[cell.severity]}${excepted}`;
  }
  if (cell.outcome === CONFLICT) {
    return grid.filtered ? 'none of its findings fits the filter' : 'in conflict, findings not known';
  }
  return cell.outcome === CLEAR ? 'checked, nobody holds both' : 'not checked';
}

const activeCell = () => byId('grid').querySelector('.cell[tabindex="0"]');

/** Say what the cell under the mouse or the focus is, and with `opens` show its people. */
function useCell(target, opens) {
  const made = target.closest('.cell');
  if (!made) return;
  const [row, column] = [Number(made.dataset.row), Number(made.dataset.column)];
  point(row, column);
  if (!opens) return;
  activate(row, column);
  openCell(row, column);
}

function point(row, column) {
  byId('cell-says').replaceChildren(foreign(says(cellAt(row, column), row, column)));
  for (const lit of byId('grid').querySelectorAll('.lit')) lit.classList.remove('lit');
  byId('grid').querySelector(`.row-head[data-row="${row}"]`)?.classList.add('lit');
  byId('grid').querySelector(`.column-head[data-column="${column}"]`)?.classList.add('lit');
}

function activate(row, column) {
  activeCell()?.setAttribute('tabindex', '-1');
  grid.active = [row, column];
  scrollToCell(row, column);
  lookAndDraw();
  const made = byId('grid').querySelector(`.cell[data-row="${row}"][data-column="${column}"]`);
  made?.setAttribute('tabindex', '0');
  made?.focus({ preventScroll: true });
  point(row, column);
}

function scrollToCell(row, column) {
  const view = byId('viewport');
  const into = (from, span, at, size) => Math.min(at, Math.max(from, at + size - span));
  view.scrollTop = into(view.scrollTop, view.clientHeight - CELL.top, row * CELL.height, CELL.height);
  view.scrollLeft = into(view.scrollLeft, view.clientWidth - CELL.head, column * CELL.width, CELL.width);
}

function moveByKey(event) {
  const [row, column] = grid.active;
  const end = grid.heads.length - 1;
  const page = Math.max(1, Math.floor((byId('viewport').clientHeight - CELL.top) / CELL.height) - 1);
  const ends = event.ctrlKey || event.metaKey;
  const to = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    PageUp: [row - page, column], PageDown: [row + page, column],
    Home: [ends ? 0 : row, 0], End: [ends ? end : row, end],
  }[event.key];
  if (event.key === 'Enter' || event.key === ' ') openCell(row, column);
  else if (to) activate(...to.map((value) => Math.min(Math.max(value, 0), end)));
  else return;
  event.preventDefault();
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

// ---- the whole of it, small ----------------------------------------------------------------

const MAP = 180;

function drawMap() {
  const size = grid.heads.length;
  const holder = byId('map');
  holder.hidden = size < 24;
  if (!holder.firstChild) {
    grid.map = el('div', { class: 'map-frame', 'aria-hidden': 'true' });
    holder.append(el('canvas', { 'aria-hidden': 'true', onclick: goByMap }), grid.map);
  }
  if (holder.hidden) return;
  // What is worked on in the meantime goes first; the map may follow a moment later.
  cancelIdleCallback(grid.painting);
  grid.painting = requestIdleCallback(() => paintMap(holder.firstChild), { timeout: 300 });
}

function goByMap(event) {
  const scale = grid.heads.length / MAP;
  const { width, height } = grid.view;
  byId('viewport').scrollTo(
    event.offsetX * scale * CELL.width - (width - CELL.head) / 2,
    event.offsetY * scale * CELL.height - (height - CELL.top) / 2);
}

function paintMap(canvas) {
  const size = grid.heads.length;
  Object.assign(canvas, { width: size, height: size });
  const where = [];
  grid.heads.forEach((place, at) => { where[place] = at; });
  const pen = canvas.getContext('2d');
  const image = pen.createImageData(size, size);
  const dots = new Uint32Array(image.data.buffer);
  const inks = mapInks();
  for (const [at, cell] of grid.cells) {
    const [row, column] = [where[Math.floor(at / 1e6)], where[at % 1e6]];
    dots[row * size + column] = inks[kindOf(cell, false)];
    dots[column * size + row] = dots[row * size + column];
  }
  pen.putImageData(image, 0, 0);
}

/** The theme's colours as the canvas stores them. */
function mapInks() {
  if (grid.inks) return grid.inks;
  const style = getComputedStyle(document.documentElement);
  const ink = (name) => {
    const hex = Number.parseInt(style.getPropertyValue(`--${name}`).trim().slice(1), 16);
    return (0xff000000 | (hex & 0xff) << 16 | (hex & 0xff00) | hex >> 16) >>> 0;
  };
  const inks = Object.fromEntries(['excepted', 'clear', 'unknown'].map((name) => [name, ink(name)]));
  for (const name of SEVERITIES) inks[`severity-${name}`] = ink(name);
  grid.inks = { ...inks, filtered: inks.clear };
  return grid.inks;
}

function moveMapFrame() {
  if (!grid.map) return;
  const { top, left, width, height } = grid.view;
  const scale = MAP / grid.heads.length;
  const part = (span, size) => `${Math.min(MAP, span / size * scale)}px`;
  Object.assign(grid.map.style, {
    left: part(left, CELL.width), top: part(top, CELL.height),
    width: part(width - CELL.head, CELL.width), height: part(height - CELL.top, CELL.height),
  });
}
