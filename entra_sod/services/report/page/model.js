// Findings as objects, what the filter leaves of them, and the counts that the matrix shows.

const findings = data.findings.map((row) => ({
  row, id: row[0], rule: data.words[row[1]], packages: row[2], subject: data.subjects[row[3]],
  severity: row[4], state: data.words[row[5]], first: data.words[row[6]],
  last: data.words[row[7]], exception: row[8] === null ? null : data.words[row[8]],
  daysLeft: row[9], kind: data.words[row[10]], missing: row[11], why: row[12] === null ? null : data.words[row[12]],
}));
const ruleOf = new Map(data.rules.map((rule, place) => [rule.id, { ...rule, place }]));
/** What a rule is grouped under: of a framework its id. A rule that is no longer in force has no group. */
function groupsOf(ruleId, by) {
  const rule = ruleOf.get(ruleId);
  if (!rule) return [];
  if (by === 'owner') return [...new Set([rule.owner, ...rule.owners])];
  if (by === 'process') return rule.process ? [rule.process] : [];
  if (by === 'tag') return [...new Set(rule.tags)];
  return [...new Set(rule.frameworks.map((each) => each.id))];
}
const states = [...new Set(findings.map((each) => each.state))].sort();
const personName = (finding) => finding.subject[2] || finding.subject[1] || finding.subject[0];
// People are the usual subjects, and need no word.
const subjectKind = (finding) => (finding.subject[3] && finding.subject[3].toLowerCase() !== 'user' ? finding.subject[3] : '');
const isLive = (finding) => finding.state !== 'resolved' && finding.state !== 'on-hold';

/** Text as people see it: canonical forms, case and blanks are the same, what has no width is not there. */
const folded = (text) => text.normalize('NFC').replace(/[\p{Cc}\p{Cf}\ufe0e\ufe0f]/gu, (each) => (/\s/.test(each) ? each : ''))
  .replace(/\s+/g, ' ').trim().normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');

const SORTS = {
  // What is over comes last, however grave it was.
  severity: (each) => each.severity + (isLive(each) ? 0 : SEVERITIES.length),
  person: (each) => folded(personName(each)),
  packages: (each) => folded(each.packages.map(packageName).join(' ')),
  rule: (each) => each.rule,
  state: (each) => each.state,
  first: (each) => each.first,
  last: (each) => each.last,
  exception: (each) => each.daysLeft ?? Infinity,
};

const filter = {
  text: '', rule: '', package: '', change: '', group: null, severities: new Set(), states: new Set(), pair: null,
};
const model = { sort: 'severity', descending: false, order: [], shown: [], listeners: [] };

const isFiltered = () => Boolean(filter.text || filter.rule || filter.package !== '' || filter.change || filter.group
  || filter.severities.size || filter.states.size || filter.pair);

// What the text filter looks at. Names repeat, so each is searched once, however many have it.
const texts = {
  subjects: data.subjects.map((each) => folded(each.join(' '))),
  packages: data.packages.map((each) => folded(each.join(' '))),
  words: data.words.map((word) => folded(`${word} ${ruleOf.get(word)?.title ?? ''}`)),
};

/** Whether a finding has a word: in its subject, packages, rule, exception or id. */
function finder(word) {
  const [subjects, packages, words] = [texts.subjects, texts.packages, texts.words]
    .map((list) => list.map((text) => text.includes(word)));
  return ({ row, id }) => subjects[row[3]] || words[row[1]] || words[row[8]]
    || row[2].some((place) => packages[place]) || id.startsWith(word);
}

function fits(finding, finders) {
  if (filter.rule && finding.rule !== filter.rule) return false;
  if (filter.change && !changedIds[filter.change].has(finding.id)) return false;
  if (filter.group && !groupsOf(finding.rule, filter.group.by).includes(filter.group.name)) return false;
  if (filter.severities.size && !filter.severities.has(finding.severity)) return false;
  if (filter.states.size && !filter.states.has(finding.state)) return false;
  if (filter.package !== '' && !finding.packages.includes(filter.package)) return false;
  if (filter.pair && !filter.pair.every((place) => finding.packages.includes(place))) return false;
  return finders.every((finds) => finds(finding));
}

function sortFindings(key, descending) {
  Object.assign(model, { sort: key, descending });
  const keys = findings.map(SORTS[key]);
  const sign = descending ? -1 : 1;
  const compare = (one, other) => (one < other ? -sign : one > other ? sign : 0);
  model.order = findings.map((_, place) => place)
    .sort((one, other) => compare(keys[one], keys[other]) || one - other);
}

/** Look anew at which findings the filter leaves, and tell everybody who shows them. */
function applyFilter() {
  const finders = folded(filter.text).split(' ').filter(Boolean).map(finder);
  model.shown = model.order.filter((place) => fits(findings[place], finders));
  for (const listener of model.listeners) listener();
}

const onChange = (listener) => model.listeners.push(listener);

// ---- what stands in the cells -------------------------------------------------------------

const key = (one, other) => (one < other ? one * 1e6 + other : other * 1e6 + one);

/** A cell: `found` counts findings, and `severity` is the worst of them; `all` is without filter. */
const cellOf = (outcome, rules, all) => ({ outcome, rules, all, found: 0, excepted: 0, severity: 4 });

/** Pairs of packages, made once; every change of the filter counts anew. */
const pairCells = new Map(data.cells.map(([one, other, rules, outcome, ...all]) =>
  [key(one, other), cellOf(outcome, data.ruleSets[rules], all)]));

function packageCells() {
  const filtered = isFiltered();
  pairCells.forEach(filtered ? empty : restore);
  if (filtered) {
    for (const place of model.shown) {
      const finding = findings[place];
      finding.cell ??= finding.kind === 'pair' ? pairCells.get(key(...finding.packages)) : null;
      countIn(finding.cell, finding);
    }
  }
  return pairCells;
}

// One by one: there are tens of thousands of cells, and this runs at every key that is struck.
function empty(cell) {
  cell.severity = 4;
  cell.found = 0;
  cell.excepted = 0;
}

function restore(cell) {
  cell.severity = cell.all[0];
  cell.found = cell.all[1];
  cell.excepted = cell.all[2];
}

function countIn(cell, finding) {
  if (!cell || !isLive(finding)) return;
  cell.found += 1;
  if (finding.state === 'excepted') cell.excepted += 1;
  if (finding.severity < cell.severity) cell.severity = finding.severity;
}

const membersOf = data.sides.map((side) => new Set(side.packages));

/** The cells of two sides that a rule keeps apart and that have these packages. */
function sideKeys({ sides, atMost, foundOnly }, [one, other]) {
  if (atMost !== null) return [key(sides[0], sides[0])];
  if (foundOnly) return [];
  const found = [];
  for (let i = 0; i < sides.length; i += 1) {
    for (let j = i + 1; j < sides.length; j += 1) {
      const [here, there] = [membersOf[sides[i]], membersOf[sides[j]]];
      if ((here.has(one) && there.has(other)) || (here.has(other) && there.has(one))) {
        found.push(key(sides[i], sides[j]));
      }
    }
  }
  return found;
}

function keysOf(finding) {
  const rule = ruleOf.get(finding.rule);
  finding.sideKeys ??= rule ? sideKeys(rule, finding.packages) : [];
  return finding.sideKeys;
}

let sidesMade = null;

/** Every two sides that some rule keeps apart; the worst outcome of their pairs. */
function makeSideCells() {
  const cells = new Map();
  const note = (at, place, outcome) => {
    if (!cells.has(at)) cells.set(at, cellOf(outcome, [], [4, 0, 0]));
    const cell = cells.get(at);
    if (!cell.rules.includes(place)) cell.rules.push(place);
    if (outcome === CONFLICT || cell.outcome === CLEAR) cell.outcome = outcome;
  };
  for (const [one, other, rules, outcome] of data.cells) {
    for (const place of data.ruleSets[rules]) {
      for (const at of sideKeys(data.rules[place], [one, other])) note(at, place, outcome);
    }
  }
  data.rules.forEach((rule, place) => {
    const outcome = { conflict: CONFLICT, clear: CLEAR, unknown: UNKNOWN }[rule.outcome];
    if (outcome !== undefined && rule.atMost !== null) note(key(rule.sides[0], rule.sides[0]), place, outcome);
  });
  return cells;
}

function sideCells() {
  sidesMade ??= makeSideCells();
  sidesMade.forEach(restore);
  for (const place of model.shown) {
    for (const at of keysOf(findings[place])) countIn(sidesMade.get(at), findings[place]);
  }
  return sidesMade;
}
