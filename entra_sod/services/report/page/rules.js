// Rules in force: what the sweep says of each, the worst first; and all that is known of one.

const STATUS_ORDER = Object.keys(STATUSES);
const rulesInOrder = [...data.rules].sort((one, other) =>
  STATUS_ORDER.indexOf(one.status) - STATUS_ORDER.indexOf(other.status)
  || SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity)
  || (other.people ?? 0) - (one.people ?? 0));

const DAY = 86400000;
const reportDay = Date.parse(day(data.generatedAt));

/** How old the oldest finding is that no exception permits. */
const ageOf = ({ oldest }) => (oldest ? count(Math.max(0, Math.round((reportDay - Date.parse(day(oldest))) / DAY)), 'day', 'days') : '');

function drawRules() {
  byId('rules').append(heading('rules', 'Rules'), rulesInOrder.length
    ? table('Rules in force',
      ['Status', 'Rule', 'People', 'Severity', 'Enforcement', 'Owner', 'Oldest finding', 'Holders over sweeps'],
      rulesInOrder.map((rule) => [
        el('div', {}, statusBadge(rule.status), rule.foundOnly ? foundOnlyBadge() : null),
        el('div', {}, el('button', { class: 'link', onclick: () => openRule(rule.id) }, foreign(rule.title)),
          el('small', {}, foreign(rule.id))),
        rulePeople(rule), badge(SEVERITIES.indexOf(rule.severity)), enforcementCell(rule),
        foreign(rule.owner), ageOf(rule), sparkline(rule.trend, 'holders'),
      ]), 'cards') : el('p', { text: 'No rule is in force.' }), meanings());
}

/** How many violate a rule, and of how many of its pairs that is known. */
function rulePeople({ people, excepted, pairs, pairsUnknown, outcome }) {
  const unknown = outcome === 'unknown' ? 'its packages' : `${number.format(pairsUnknown)} of ${count(pairs, 'pair', 'pairs')}`;
  const part = outcome === 'unknown' || pairsUnknown ? `not checked (${unknown})` : '';
  if (people === null) return el('span', { class: 'soon', text: part || 'not checked' });
  return el('div', {}, el('span', { class: 'figure', text: number.format(people) }),
    excepted ? el('small', { text: `and ${number.format(excepted)} excepted` }) : null,
    part ? el('small', { class: 'soon', text: part }) : null);
}

function openRule(id) {
  const rule = ruleOf.get(id);
  if (!rule) {
    openMissing(`There is no rule ${id} in this report.`, 'It may have another id now, or it is no longer in force.');
    return;
  }
  const facts = [
    ['Status', el('span', {}, statusBadge(rule.status), rule.foundOnly ? foundOnlyBadge() : null)],
    ['People', rulePeople(rule)],
    ['Severity', badge(SEVERITIES.indexOf(rule.severity))],
    ['Enforcement', enforcementCell(rule)],
    ['Mode', rule.mode],
    ['Sides', el('ul', { class: 'plain' }, ...rule.sides.map((place) => el('li', {}, foreign(data.sides[place].label),
      ` (${count(data.sides[place].packages.length, 'package', 'packages')})`)))],
    ['Owner', foreign([rule.owner, ...rule.owners].join(', '))],
    ['Control', rule.control && foreign(rule.control)],
    ['Advice', rule.advice && foreign(rule.advice)],
    ['Oldest finding', ageOf(rule)],
    ['Rule', el('code', {}, foreign(rule.id))],
  ];
  openDialog([foreign(rule.title)], factList(facts),
    el('p', { class: 'actions' },
      el('button', { text: 'Show its findings', onclick: () => { dialog.close(); narrowTo({ rule: id }); } }),
      copyButton('Copy link', () => linkTo('rule', id)), consoleLink('rules', id)));
  setFragment('rule', id);
}
