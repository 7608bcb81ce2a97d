// What states and statuses mean, for people who hover and for screen readers.

const STATUSES = {
  violated: ['✕', 'violated', 'A subject holds what the rule forbids, and no exception permits it.'],
  'not-checked': ['?', 'not checked', 'The sweep could not read what the rule needs. It may be violated.'],
  'partly-checked': ['◐', 'partly checked', 'No violation was found in the part that the sweep could read.'],
  holds: ['✓', 'holds', 'The sweep read all that the rule needs, and found no violation.'],
};
const FOUND_ONLY = ['found only', 'Sweeps find violations. Entra has no reference that could prevent them.'];
const STATES = {
  open: 'The subject holds what the rule forbids. No exception permits it.',
  excepted: 'The subject holds what the rule forbids. An exception permits it for now.',
  'exception-expired': 'The exception has ended, and the subject still holds it.',
  resolving: 'The access is being removed, or the newest sweep did not see it. The next sweep decides.',
  resolved: 'Two sweeps did not see it any more.',
  'on-hold': 'The rule or the package is gone, so no sweep looks at it.',
};
const ENFORCEMENTS = {
  'both-ways': 'Every reference is in Entra: who holds one side cannot request the other.',
  'in-part': 'All references are in Entra, but they refuse only a part.',
  missing: 'References are missing in Entra, so it grants what the rule forbids.',
  held: 'The missing references wait for an approval.',
  frozen: 'Writing is frozen, so the missing references are not written.',
  'plan-only': 'ENFORCEMENT=plan: the app plans references and writes none.',
  off: 'ENFORCEMENT=off: the app does not look at references.',
  'not-asked': 'The mode of the rule is record or warn, so no reference is written.',
  cannot: 'Entra has no reference that could enforce the rule.',
  'not-known': 'The sweep kept nothing about it, or the rules have changed since.',
};

/** A word with its meaning on hover, and behind `aria-describedby`. */
const explained = (kind, name, text, meaning, more = {}) =>
  el('span', { ...more, title: meaning, 'aria-describedby': `means-${kind}-${name}` }, text);

const stateWord = (state) => (STATES[state]
  ? explained('state', state, state, STATES[state], { class: 'word' }) : el('span', { text: state }));

function statusBadge(status) {
  const [sign, text, meaning] = STATUSES[status];
  return explained('status', status, el('span', {},
    el('span', { class: 'sign', 'aria-hidden': 'true', text: sign }), text), meaning, { class: `status status-${status}` });
}

const foundOnlyBadge = () =>
  explained('status', 'found-only', FOUND_ONLY[0], FOUND_ONLY[1], { class: 'status status-found-only' });

/** A rule's enforcement in words; why Entra enforces no more stands below. */
function enforcementCell({ enforcement: { state, text, why } }) {
  return el('div', {},
    explained('enforcement', state, text, ENFORCEMENTS[state], { class: `word enforcement-${state}` }),
    why ? el('small', {}, foreign(why)) : null);
}

/** The list of all meanings, to which the words refer. */
function meanings() {
  const entries = [
    ...Object.entries(STATUSES).map(([name, [, text, meaning]]) => ['status', name, text, meaning]),
    ['status', 'found-only', ...FOUND_ONLY],
    ...Object.entries(STATES).map(([name, meaning]) => ['state', name, name, meaning]),
    ...Object.entries(ENFORCEMENTS).map(([name, meaning]) => ['enforcement', name, name, meaning]),
  ];
  return el('details', { id: 'meanings' }, el('summary', { text: 'What the words mean' }),
    el('dl', { class: 'details' }, ...entries.flatMap(([kind, name, text, meaning]) => [
      el('dt', { text }), el('dd', { id: `means-${kind}-${name}`, text: meaning }),
    ])));
}
