// What stands still: the facts, the numbers, exceptions, drift, coverage.

const SECTIONS = [
  ['verdict', 'Verdict'], ['rules', 'Rules'], ['steps', 'Next steps'], ['summary', 'Numbers'], ['matrix', 'Matrix'],
  ['found-only', 'Found only'], ['toxic', 'Toxic packages'], ['findings', 'Findings'],
  ['groups', 'Groups'], ['exceptions', 'Exceptions'], ['drift', 'Drift'], ['coverage', 'Coverage'],
];

function drawFrame() {
  const sweep = data.sweep ? `${moment(data.sweep.endedAt)} UTC` : 'none yet';
  const rules = data.rulesHash.replace(/^sha256:/, '').slice(0, 12);
  const facts = [
    ['Tenant', data.tenant || 'not known'], ['Sweep', sweep], ['Rules', rules],
    ['Report made', `${moment(data.generatedAt)} UTC`],
  ];
  byId('facts').append(...facts.map(([term, text]) =>
    el('div', {}, el('dt', { text: term }), el('dd', { text }))));
  byId('contents').append(el('ul', {}, ...SECTIONS.map(([id, text]) =>
    el('li', {}, el('a', { href: `#${id}`, text })))));
  byId('foot').append(`Rules ${data.rulesHash} · sweep ${data.sweep?.id ?? 'none'} · `
    + `entra-sod ${data.toolVersion}. Times are UTC. This report contains personal data. Store and share it accordingly.`);
  nameThePaper(`Tenant ${data.tenant || 'not known'} · sweep ${sweep} · rules ${rules}`);
}

/** What stands in the margin of each printed page; the style sheet cannot know it. */
function nameThePaper(text) {
  document.documentElement.style.setProperty('--paper-name', `"${text.replace(/["\\\n]/g, '')}"`);
}

function drawSummary() {
  const section = byId('summary');
  section.append(el('h2', { id: 'summary-title', text: 'Numbers' }));
  if (!data.sweep) {
    section.append(el('p', { text: 'No sweep has ended, so there are no numbers.' }));
    return;
  }
  const { pairs } = data.sweep;
  const bySeverity = SEVERITIES.map((_, severity) =>
    findings.filter((each) => each.severity === severity && isLive(each)).length);
  section.append(el('div', { class: 'tiles' },
    tile('Conflicts', data.sweep.conflicts, 'a subject and a pair, a set or a package, each once',
      `${number.format(data.sweep.excepted)} of them excepted`),
    tile('Findings', data.findingsStanding, 'that stand, under every rule of the pair', severityBar(bySeverity)),
    tile('Pairs checked', pairs.total - pairs.unknown, `of ${number.format(pairs.total)}`, pairBar(pairs)),
    trendTile()), writingLine());
}

/** What the sweep did about references, and what holds writes back now. */
function writingLine() {
  const { written, removed, failed, held } = data.sweep.references;
  const { used, limit } = data.writing;
  return el('p', { class: 'note' }, `References: ${number.format(written)} written, ${number.format(removed)} removed, `
    + `${number.format(failed)} failed, ${number.format(held)} held. `
    + `${number.format(used)} of ${number.format(limit)} writes of 24 hours are used.`);
}

function tile(label, value, note, more) {
  return el('div', { class: 'tile' }, el('p', { class: 'tile-label', text: label }),
    el('p', { class: 'tile-value', text: number.format(value) }),
    el('p', { class: 'note', text: note }), el('div', { class: 'tile-more' }, more));
}

function bar(parts) {
  const total = parts.reduce((sum, [, value]) => sum + value, 0) || 1;
  return el('div', {},
    el('div', { class: 'bar-line', 'aria-hidden': 'true' }, ...parts.filter(([, value]) => value).map(([kind, value]) => {
      const made = el('span', { class: `part ${kind}` });
      made.style.width = `${value / total * 100}%`;
      return made;
    })),
    el('ul', { class: 'bar-words' }, ...parts.filter(([, value]) => value).map(([kind, value, text]) =>
      el('li', {}, el('span', { class: `dot ${kind}`, 'aria-hidden': 'true' }), `${number.format(value)} ${text}`))));
}

const severityBar = (counts) => bar(counts.map((value, severity) =>
  [`severity-${SEVERITIES[severity]}`, value, SEVERITIES[severity]]));
const pairBar = ({ conflict, clear, unknown }) => bar([
  ['severity-high', conflict, 'in conflict'], ['clear', clear, 'clear'], ['unknown', unknown, 'not checked'],
]);

function trendTile() {
  const points = data.trend;
  const values = points.map((point) => (point.status === 'failed' ? null : point.conflicts));
  const known = values.filter((value) => value !== null);
  const change = known.length > 1 ? known.at(-1) - known.at(-2) : 0;
  const sign = change > 0 ? '+' : '';
  return el('div', { class: 'tile' }, el('p', { class: 'tile-label', text: 'Conflicts over sweeps' }),
    el('p', { class: 'tile-value', text: known.length > 1 ? `${sign}${number.format(change)}` : '–' }),
    el('p', { class: 'note', text: known.length > 1 ? 'since the sweep before' : 'one sweep so far' }),
    el('div', { class: 'tile-more' }, sparkline(values, 'conflicts', 220, 56)));
}

/** A line over sweeps; where a number is not known, the line has a hole. */
function sparkline(values, what, width = 120, height = 28) {
  const known = values.filter((value) => value !== null);
  const words = known.length ? `${known.length} of ${count(values.length, 'sweep', 'sweeps')} known; `
    + `${what}: first ${number.format(known[0])}, last ${number.format(known.at(-1))}, `
    + `most ${number.format(Math.max(...known))}` : `${what}: not known`;
  const most = Math.max(1, ...known);
  const x = (at) => 3 + at * (width - 6) / Math.max(1, values.length - 1);
  const y = (value) => height - 4 - value / most * (height - 8);
  let path = '';
  values.forEach((value, at) => {
    if (value !== null) path += `${at && values[at - 1] !== null ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  const last = values.findLastIndex((value) => value !== null);
  return svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': words },
    svg('title', { text: words }),
    svg('line', { x1: 0, x2: width, y1: height - 4, y2: height - 4, class: 'spark-floor' }),
    svg('path', { d: path, class: 'spark-line' }),
    last < 0 ? null : svg('circle', { cx: x(last), cy: y(values[last]), r: 2.5, class: 'spark-end' }));
}

function drawExceptions() {
  const lines = data.exceptions.map((each) => [
    foreign(each.id),
    el('span', { class: each.daysLeft <= 7 ? 'soon' : null, text: daysLeft(each.daysLeft) }),
    each.until, foreign(each.rule), el('code', { text: each.subject }), foreign(each.reason), foreign(each.approvedBy),
  ]);
  byId('exceptions').append(heading('exceptions', 'Exceptions'), lines.length
    ? table('Exceptions in force, the next to end first',
      ['Exception', 'Days left', 'Last day', 'Rule', 'Subject', 'Reason', 'Approved by'], lines)
    : el('p', { text: 'No exception is in force.' }));
}

function drawDrift() {
  const named = (id) => el('span', {}, foreign(nameOf.get(id) || ''), el('code', { text: id }));
  byId('drift').append(heading('drift', 'Drift'), data.drift.length
    ? table('References that differ from the rules or the ledger', ['Kind', 'On', 'To', 'Target'],
      data.drift.map((each) => [each.kind, named(each.accessPackageId), each.referenceKind, named(each.targetId)]))
    : el('p', { text: driftWords() }));
}

/** Why the table of drift is empty. References that were never written are no drift; enforcement counts them. */
function driftWords() {
  if (!data.sweep) return 'No sweep has ended, so it is not known.';
  if (!data.enforcement?.setting) return 'The sweep listed none. Whether it could read the references is not known.';
  return data.enforcement.setting === 'off' ? 'Not known: with ENFORCEMENT=off the sweep does not look at references.'
    : 'The sweep found no reference that differs from what the app wrote. Missing references that the app never wrote are under Enforcement.';
}

function drawCoverage() {
  const section = byId('coverage');
  section.append(heading('coverage', 'What was checked'));
  if (!data.sweep) {
    section.append(el('p', { text: 'Nothing: no sweep has ended.' }));
    return;
  }
  const { status, strategy, why, assignments, checked } = data.sweep;
  section.append(
    el('p', {}, `Sweep ${data.sweep.id}: ${status}. Strategy ${strategy}: ${why}. `
      + `${count(assignments, 'assignment', 'assignments')} read.`),
    checked.length ? table('How each was checked', ['What', 'How'],
      checked.map((each) => [foreign(each.what), foreign(each.how)])) : '');
}
