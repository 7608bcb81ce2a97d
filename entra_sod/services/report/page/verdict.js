// The first screen: the verdict, the rules in numbers, enforcement, what changed, and the gaps.

const OLD = { outcome: 'unknown', headline: 'An older version made this report: it has no verdict.', more: [], people: null };
const verdict = data.verdict ?? OLD;
const OUTCOMES = { violated: ['✕', 'alarm'], unknown: ['?', 'doubt'], clear: ['✓', 'calm'] };

/** A sentence of the app; what it quotes are names, whose direction ends with them. */
const sentence = (text) => text.split(/(\u201c.*?\u201d)/u).map((part) =>
  (part.startsWith('\u201c') ? foreign(part) : part));

function drawVerdict() {
  const [sign, kind] = OUTCOMES[verdict.outcome];
  const section = byId('verdict');
  section.className = kind;
  section.append(
    el('h2', { id: 'verdict-title', class: 'headline' },
      el('span', { class: 'sign', 'aria-hidden': 'true', text: sign }), el('span', {}, ...sentence(verdict.headline))),
    ...verdict.more.map((text) => el('p', {}, ...sentence(text))),
    statusLine(),
    el('p', { class: 'enforced' }, el('strong', { text: 'Enforcement. ' }),
      data.enforcement?.text ?? 'Whether Entra enforces the rules is not known.', ' ', frozenWord()),
    changesLine(), gapsLine());
}

/** How many rules are in each status; a click shows them. */
function statusLine() {
  const counts = Object.keys(STATUSES).map((status) => [status, data.rules.filter((rule) => rule.status === status).length]);
  const foundOnly = data.rules.filter((rule) => rule.foundOnly).length;
  if (!data.rules.length) return null;
  return el('ul', { class: 'statuses', 'aria-label': 'Rules by status' },
    ...counts.filter(([, number_]) => number_).map(([status, number_]) =>
      el('li', {}, el('a', { href: '#rules' }, el('strong', { text: number.format(number_) }), ' ', statusBadge(status)))),
    foundOnly ? el('li', {}, el('a', { href: '#rules' }, el('strong', { text: number.format(foundOnly) }), ' ', foundOnlyBadge())) : null);
}

function frozenWord() {
  const { frozen } = data.writing;
  return frozen ? el('strong', {}, `Writing is frozen since ${moment(frozen.since)} UTC by `, foreign(frozen.by), ': ',
    foreign(frozen.reason), '.') : null;
}

/** All that was not checked or is not shown: one line, which opens. */
function gapsLine() {
  const lines = [...data.gaps, ...data.leftOut.map(({ what, why }) => ({ what: `Not in this report: ${what}`, why }))];
  if (!lines.length) return el('p', { id: 'gaps', text: 'No gaps: the sweep read everything that the rules name.' });
  return el('details', { id: 'gaps' },
    el('summary', { text: `${count(lines.length, 'gap', 'gaps')}: what was not checked, or is not shown` }),
    el('ul', {}, ...lines.map(({ what, why }) => el('li', {}, el('strong', {}, withNames(what)), ': ', withNames(why)))));
}
