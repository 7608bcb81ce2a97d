// Pointing at cells, and walking them by keys.

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
