// The whole matrix, small: click there to go somewhere.

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
    if (row === undefined || column === undefined) continue; // folded away
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
  grid.inks = { ...inks, filtered: ink('unrated') };
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
