// What changed since the sweep before, and the findings behind each number.

const CHANGES = { new: 'new', reopened: 'reopened', resolved: 'resolved', expired: 'with an exception that ended' };
const changedIds = Object.fromEntries(Object.keys(CHANGES).map((kind) => [kind, new Set(data.changes?.[kind].ids)]));

function changesLine() {
  if (!data.changes) {
    return el('p', { id: 'changes', text: data.sweep ? 'This is the first sweep, so there is nothing to compare it with.' : '' });
  }
  const parts = Object.keys(CHANGES).filter((kind) => data.changes[kind].total).map(changeButton);
  const lines = [...ruleLines(), ...enforcementLines()];
  return el('div', { id: 'changes' },
    el('p', {}, el('strong', { text: `Since ${moment(data.changes.since)} UTC. ` }),
      ...(parts.length ? parts.flatMap((part, at) => [at ? ', ' : '', part]) : ['No finding changed']), '.',
      data.changes.rulesChanged ? ' The rules changed.' : ''),
    lines.length ? el('details', {}, el('summary', { text: `${count(lines.length, 'rule', 'rules')} changed` }),
      el('ul', {}, ...lines.map((line) => el('li', {}, ...line)))) : null);
}

const changeButton = (kind) => el('button', {
  class: 'link', onclick: () => narrowTo({ change: kind }),
}, `${number.format(data.changes[kind].total)} ${CHANGES[kind]}`);

const ruleLines = () => [
  ...(data.changes.rulesAdded ?? []).map((rule) => ['In force now: ', foreign(rule)]),
  ...(data.changes.rulesRemoved ?? []).map((rule) => ['No longer in force: ', foreign(rule)]),
];

const enforcementLines = () => (data.changes.enforcement ?? []).map(({ rule, before, after }) =>
  [foreign(rule), `: ${before} before, ${after} now`]);
