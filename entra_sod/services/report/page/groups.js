// Rules and findings by process, tag, framework or owner.

const GROUPS = { process: 'Process', tag: 'Tag', framework: 'Framework', owner: 'Owner' };
const UNGROUPED = 'none';

function drawGroups() {
  const kinds = Object.keys(GROUPS).filter((by) => data.rules.some((rule) => groupsOf(rule.id, by).length));
  byId('groups').append(heading('groups', 'Groups'));
  if (!kinds.length) {
    byId('groups').append(el('p', { text: 'No rule is in force.' }));
    return;
  }
  const shown = el('div', { id: 'grouped' });
  byId('groups').append(el('label', {}, 'Group by ', el('select', {
    id: 'group-by', onchange: (event) => shown.replaceChildren(groupTable(event.target.value)),
  }, ...kinds.map((by) => el('option', { value: by, text: GROUPS[by] })))), shown);
  shown.append(groupTable(kinds[0]));
}

function groupTable(by) {
  const groups = new Map();
  for (const rule of data.rules) {
    const of = groupsOf(rule.id, by);
    for (const name of of.length ? of : [UNGROUPED]) {
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(rule);
    }
  }
  const order = [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
  return table(`Rules by ${by}`, [GROUPS[by], 'Rules', 'Findings', 'Rules not checked'],
    order.map(([name, rules]) => [
      name === UNGROUPED ? UNGROUPED
        : el('button', { class: 'link', onclick: () => narrowToGroup(by, name) }, foreign(name)),
      number.format(rules.length),
      number.format(rules.reduce((sum, rule) => sum + (rule.findings ?? 0), 0)),
      number.format(rules.filter((rule) => rule.findings === null).length),
    ]));
}
