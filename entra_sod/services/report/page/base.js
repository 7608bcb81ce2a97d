// What all parts of the page share. Text from a tenant becomes text nodes only, never markup.

const data = JSON.parse(document.getElementById('data').textContent);
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unrated'];
const [CONFLICT, CLEAR, UNKNOWN] = [0, 1, 2];

/** Whether the page is as narrow as a telephone. */
const narrow = matchMedia('(max-width: 700px)');

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const count = (value, one, many) => `${number.format(value)} ${value === 1 ? one : many}`;

/** An element: attributes (`on…` are listeners, `class`, `text`), then children. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  fill(made, attributes, children);
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(made, attributes, children);
  return made;
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
}

/** A name from the tenant. Its text direction must not change the text around it. */
const foreign = (text, more = {}) => el('bdi', { ...more, text });

const packageName = (place) => data.packages[place][1] || data.packages[place][0];
const packageLabel = (place) => {
  const [id, name, catalog] = data.packages[place];
  return name ? `${name} (${catalog || 'no catalog'})` : id;
};

const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const nameOf = new Map(data.packages.map(([id, name]) => [id, name]));

/** A sentence of the app, with the names of the packages whose ids it has. */
const withNames = (text) => foreign(text.replace(GUID, (id) =>
  (nameOf.get(id) ? `${nameOf.get(id)} (${id})` : id)));

/** A moment as `2026-11-22 02:00`; all of them are UTC. */
const moment = (text) => text.slice(0, 16).replace('T', ' ');
const day = (text) => text.slice(0, 10);

function daysLeft(days) {
  if (days === null) return '';
  return days <= 0 ? 'ends today' : `${count(days, 'day', 'days')} left`;
}

function badge(severity) {
  const name = SEVERITIES[severity];
  return el('span', { class: `badge severity-${name}` }, mark(severity), name);
}

/** One to four bars: the severity without its colour. */
const mark = (severity) => el('i', { class: `mark mark-${4 - severity}`, 'aria-hidden': 'true' });

function heading(id, text, ...more) {
  return el('div', { class: 'heading' }, el('h2', { id: `${id}-title`, text }), ...more);
}

/** A plain table; each line is a list of cells, each a text or a node. `cards` stack when it is narrow. */
function table(caption, columns, lines, kind = '') {
  const head = columns.map((text) => el('th', { scope: 'col', text }));
  const body = lines.map((line) => el('tr', {}, ...line.map((cell, at) => el('td', { 'data-column': columns[at] }, cell))));
  return el('div', { class: `scroll ${kind}`, tabindex: '0', role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', { class: 'unseen', text: caption }),
      el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)));
}
