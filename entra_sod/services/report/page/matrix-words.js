// What a cell shows and says, and the legend.

const KINDS = SEVERITIES.map((name) => `severity-${name}`);

function kindOf(cell, isSelf) {
  if (!cell) return isSelf ? 'self' : 'none';
  if (cell.found) return cell.found === cell.excepted ? 'excepted' : KINDS[cell.severity];
  if (cell.outcome === CONFLICT) return grid.filtered ? 'filtered' : KINDS[cell.severity];
  return cell.outcome === CLEAR ? 'clear' : 'unknown';
}

function textOf(cell) {
  if (cell.found) return short(cell.found);
  if (cell.outcome === CONFLICT) return grid.filtered ? '–' : '!';
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
    return grid.filtered ? 'its findings do not fit the filter' : 'in conflict, findings not known';
  }
  return cell.outcome === CLEAR ? 'checked, no subject holds both' : 'not checked';
}

function legend() {
  const entry = (cell, text) => el('li', {}, cell, text);
  const sample = (kind, text) => el('span', { class: `cell sample ${kind}`, text });
  const isLost = data.cells.some(([, , , outcome, , found]) => outcome === CONFLICT && !found);
  return el('ul', { class: 'legend', 'aria-label': 'Legend' },
    ...SEVERITIES.slice(0, 4).map((name, severity) =>
      entry(el('span', { class: `cell sample severity-${name}` }, '3', mark(severity)), name)),
    entry(sample('excepted', '3'), 'all excepted'),
    entry(sample('clear', '·'), 'checked: no subject holds both'),
    entry(sample('unknown', '?'), 'not checked'),
    entry(sample('filtered', '–'), 'findings that the filter hides'),
    entry(sample('none', ''), 'no rule'),
    isLost ? entry(sample('severity-unrated', '!'), 'in conflict, findings not known') : null);
}
