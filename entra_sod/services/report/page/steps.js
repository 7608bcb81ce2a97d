// Next steps, by the owner who can take them.

const MAX_STEPS = 5;

function drawSteps() {
  const section = byId('steps');
  section.append(heading('steps', 'Next steps'));
  const owners = new Map();
  for (const step of data.steps ?? []) owners.set(step.owner, [...(owners.get(step.owner) ?? []), step]);
  if (!owners.size) {
    section.append(el('p', { text: verdict.outcome === 'clear' ? 'None.' : 'This report has none. Read the gaps above.' }));
    return;
  }
  section.append(el('div', { class: 'owners' }, ...[...owners].map(([owner, steps]) => ownerBlock(owner, steps))));
}

function ownerBlock(owner, steps) {
  const entries = steps.map((step) => el('li', {}, ...stepParts(step)));
  return el('div', { class: 'owner' }, el('h3', {}, foreign(owner)), el('ul', {}, ...entries.slice(0, MAX_STEPS)),
    entries.length > MAX_STEPS ? el('details', {},
      el('summary', { text: `and ${count(entries.length - MAX_STEPS, 'more step', 'more steps')}` }),
      el('ul', {}, ...entries.slice(MAX_STEPS))) : null);
}

function stepParts({ rule, text, advice, command, packages }) {
  const title = rule && ruleOf.get(rule)?.title;
  return [
    title ? el('button', { class: 'link', onclick: () => openRule(rule) }, foreign(title)) : null,
    el('span', { class: 'block' }, foreign(text)),
    advice ? el('span', { class: 'block note' }, foreign(advice)) : null,
    command ? el('code', { class: 'command', text: command }) : null,
    packages.length ? el('span', { class: 'block' }, 'Assignments in Entra: ',
      ...packages.flatMap((id, at) => [at ? ', ' : '', portalLink('assignments', id, foreign(nameOf.get(id) || id))])) : null,
  ];
}
