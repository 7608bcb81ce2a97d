// Links into the report (`#finding=…`, `#rule=…`, `#filter=…`), and out of it into the Entra admin center.

const OPENED = { finding: openLinkedFinding, rule: openLinkedRule, filter: openLinkedFilter };

/** A link to the admin center; text alone if the report has no address. */
function portalLink(kind, id, ...text) {
  const address = data.portal?.[kind]?.replace('{id}', encodeURIComponent(id)) ?? '';
  if (!address.startsWith('https://')) return el('span', {}, ...text);
  return el('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, ...text);
}

/** A link to the same thing in the app's console, where it can be acted on; nothing if the report names no app. */
function consoleLink(kind, id) {
  const address = data.console ?? '';
  if (!/^https?:\/\//.test(address)) return null;
  return el('a', { href: `${address}#/${kind}/${encodeURIComponent(id)}`, target: '_blank', rel: 'noopener noreferrer' }, 'Open in the console');
}

const linkTo = (kind, value) => `${location.href.split('#')[0]}#${kind}=${encodeURIComponent(value)}`;

function setFragment(kind, value) {
  history.replaceState(null, '', `#${kind}=${encodeURIComponent(value)}`);
}

const clearFragment = () => {
  if (/^#(finding|rule)=/.test(location.hash)) history.replaceState(null, '', location.href.split('#')[0] + filterFragment());
};

/** Open what the address names; an anchor of a section is the browser's to follow. */
function followFragment() {
  const [, kind, value] = /^#([a-z]+)=(.*)$/s.exec(location.hash) ?? [];
  if (kind in OPENED) OPENED[kind](decoded(value));
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function openLinkedFinding(id) {
  const finding = findings.find((each) => each.id === id);
  if (finding) openFinding(finding);
  else openMissing(`There is no finding ${id} in this report.`,
    'It may be of another sweep, or this report has no room for it.');
}

function openLinkedRule(id) {
  if (ruleOf.has(id)) narrowTo({ rule: id }, false);
  openRule(id);
}

function openLinkedFilter(value) {
  const given = new URLSearchParams(value);
  const place = data.packages.findIndex(([id]) => id === given.get('package'));
  const places = (given.get('pair') ?? '').split(',').map((id) => data.packages.findIndex(([own]) => own === id));
  const [by, ...name] = (given.get('group') ?? '').split(':');
  const listed = (key_) => (given.get(key_) ?? '').split(',').filter(Boolean);
  narrowTo({
    text: given.get('text') ?? '', rule: given.get('rule') ?? '', package: place < 0 ? '' : place,
    change: given.get('change') in CHANGES ? given.get('change') : '',
    severities: new Set(listed('severity').map((name) => SEVERITIES.indexOf(name)).filter((at) => at >= 0)),
    states: new Set(listed('state')),
    pair: places.length === 2 && !places.includes(-1) ? places : null,
    group: by in GROUPS ? { by, name: name.join(':') } : null,
  });
}

/** The filter as a fragment; empty where there is none. */
function filterFragment() {
  const parts = {
    text: filter.text, rule: filter.rule, package: filter.package === '' ? '' : data.packages[filter.package][0],
    change: filter.change, severity: [...filter.severities].map((at) => SEVERITIES[at]).join(','), state: [...filter.states].join(','),
    pair: filter.pair?.map((place) => data.packages[place][0]).join(','),
    group: filter.group ? `${filter.group.by}:${filter.group.name}` : '',
  };
  const given = new URLSearchParams(Object.entries(parts).filter(([, value]) => value));
  return `${given}` ? `#filter=${encodeURIComponent(given)}` : '';
}

function openMissing(title, why) {
  openDialog([foreign(title)], el('p', { text: why }));
}
