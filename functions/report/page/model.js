// Findings as objects, what the filter leaves of them, and the counts that the matrix shows.

const findings = data.findings.map((row) => ({
  id: row[0], rule: data.words[row[1]], packages: row[2], subject: data.subjects[row[3]],
  severity: row[4], state: data.words[row[5]], first: data.words[row[6]],
  last: data.words[row[7]], exception: row[8] === null ? null : data.words[row[8]],
  daysLeft: row[9],
}));
const ruleOf = new Map(data.rules.map((rule, place) => [rule.id, { ...rule, place }]));
const states = [...new Set(findings.map((each) => each.state))].sort();
const personName = (finding) => finding.subject[2] || finding.subject[1] || finding.subject[0];
const isLive = (finding) => finding.state !== 'resolved';

const SORTS = {
  severity: (each) => each.severity,
  person: (each) => personName(each).toLowerCase(),
  packages: (each) => each.packages.map(packageName).join(' ').toLowerCase(),
  rule: (each) => each.rule,
  state: (each) => each.state,
  first: (each) => each.first,
  last: (each) => each.last,
  exception: (each) => each.daysLeft ?? Infinity,
};

const filter = {
  text: '', rule: '', package: '', severities: new Set(), states: new Set(), pair: null,
};
const model = { sort: 'severity', descending: false, order: [], shown: [], listeners: [] };

const isFiltered = () => Boolean(filter.text || filter.rule || filter.package !== ''
  || filter.severities.size || filter.states.size || filter.pair);

/** Everything of a finding that the text filter looks at; made when first needed. */
function haystack(finding) {
  finding.text ??= [
    finding.id, finding.rule, ruleOf.get(finding.rule)?.title, ...finding.subject,
    finding.exception, ...finding.packages.flatMap((place) => data.packages[place]),
  ].join('\n').toLowerCase();
  return finding.text;
}

function fits(finding, words) {
  if (filter.rule && finding.rule !== filter.rule) return false;
  if (filter.severities.size && !filter.severities.has(finding.severity)) return false;
  if (filter.states.size && !filter.states.has(finding.state)) return false;
  if (filter.package !== '' && !finding.packages.includes(filter.package)) return false;
  if (filter.pair && !filter.pair.every((place) => finding.packages.includes(place))) return false;
  return words.every((word) => haystack(finding).includes(word));
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
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  model.shown = model.order.filter((place) => fits(findings[place], words));
  for (const listener of model.listeners) listener();
}

const onChange = (listener) => model.listeners.push(listener);

// ---- what stands in the cells -------------------------------------------------------------

const key = (one, other) => (one < other ? one * 1e6 + other : other * 1e6 + one);

/** A new cell's content; `found` counts findings, `severity` is the worst of them. */
const blank = () => ({ found: 0, excepted: 0, severity: 4, outcome: CLEAR, rules: new Set() });

function add(cells, place, change) {
  if (!cells.has(place)) cells.set(place, blank());
  change(cells.get(place));
}

function countFinding(cell, finding) {
  cell.found += 1;
  cell.excepted += finding.state === 'excepted' ? 1 : 0;
  cell.severity = Math.min(cell.severity, finding.severity);
}

/** Of packages: every pair of the rules, with all findings, or with those that the filter leaves. */
function packageCells() {
  const cells = new Map();
  for (const [one, other, rules, outcome, severity, found, excepted] of data.cells) {
    const cell = { ...blank(), outcome, rules: new Set(data.ruleSets[rules]) };
    if (!isFiltered()) Object.assign(cell, { severity, found, excepted });
    cells.set(key(one, other), cell);
  }
  if (!isFiltered()) return cells;
  for (const place of model.shown) {
    const finding = findings[place];
    if (finding.packages.length !== 2 || !isLive(finding)) continue;
    add(cells, key(...finding.packages), (cell) => countFinding(cell, finding));
  }
  return cells;
}

const membersOf = data.sides.map((side) => new Set(side.packages));

/** The cells of two sides that a rule keeps apart and that have these packages. */
function* sideKeys(rule, packages) {
  const { sides } = rule;
  if (rule.atMost !== null) {
    yield key(sides[0], sides[0]);
    return;
  }
  const [one, other] = packages;
  for (let i = 0; i < sides.length; i += 1) {
    for (let j = i + 1; j < sides.length; j += 1) {
      const [here, there] = [membersOf[sides[i]], membersOf[sides[j]]];
      if ((here.has(one) && there.has(other)) || (here.has(other) && there.has(one))) {
        yield key(sides[i], sides[j]);
      }
    }
  }
}

/** Of sides: every two that some rule keeps apart. */
function sideCells() {
  const cells = new Map();
  for (const [one, other, rules, outcome] of data.cells) {
    for (const place of data.ruleSets[rules]) {
      for (const at of sideKeys(data.rules[place], [one, other])) {
        add(cells, at, (cell) => {
          cell.rules.add(place);
          if (outcome === CONFLICT || cell.outcome === CLEAR) cell.outcome = outcome;
        });
      }
    }
  }
  for (const rule of data.rules) {
    if (rule.atMost > 1) add(cells, key(rule.sides[0], rule.sides[0]), (cell) => markSet(cell, rule));
  }
  for (const place of model.shown) {
    const finding = findings[place];
    const rule = ruleOf.get(finding.rule);
    if (!rule || !isLive(finding)) continue;
    for (const at of sideKeys(rule, finding.packages)) {
      add(cells, at, (cell) => countFinding(cell, finding));
    }
  }
  return cells;
}

function markSet(cell, rule) {
  cell.rules.add(ruleOf.get(rule.id).place);
  cell.outcome = rule.outcome === 'clear' ? CLEAR : rule.outcome === 'conflict' ? CONFLICT : UNKNOWN;
}
