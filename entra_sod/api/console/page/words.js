// What the codes of the app mean, in words.

const STATES = {
  open: 'The subject holds what must not be held together. No person and no ticket has claimed the finding.',
  resolving: 'A person or a ticket has claimed the finding.',
  excepted: 'An exception permits it until the last day of the exception.',
  'exception-expired': 'The exception that permitted it has ended.',
  resolved: 'A sweep no longer saw the conflict.',
  'on-hold': 'The rule is not in force, so no sweep looks for the conflict.',
};
const STANDING = ['open', 'exception-expired', 'resolving'];

const DECISIONS = {
  allow: ['Allowed', 'No rule is violated if the subject gets the access.'],
  deny: ['Denied', 'The subject would violate a rule.'],
  review: ['Needs a review', 'A person must decide: an exception permits it, or not everything could be read.'],
};

const State = ({ state }) => html`<${Tag} kind=${state} title=${STATES[state]}>${state}</${Tag}>`;
