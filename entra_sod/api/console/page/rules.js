// Rules in force: what they select, and how far Entra enforces them.

const FORMS = {
  between: 'No subject may be on two sides.', atMost: 'A subject may hold at most so many of these packages.',
  allOf: 'No subject may be on all sides.', atMostSides: 'A subject may be on at most so many sides.',
  requires: 'A subject on the first side must be on the others as well.',
};

const found = (rule) => (rule.findings === null ? 'not checked' : number.format(rule.findings));

const ruleLine = (rule) => [
  html`<${Badge} severity=${rule.severity} />`,
  html`<a href=${link('rules', rule.id)}><${Name} text=${rule.title || rule.id} /></a>`,
  rule.mode,
  html`<${Name} text=${rule.enforcement.text} />`,
  found(rule),
  html`<${Name} text=${rule.owner} />`,
];

const RulesNotes = ({ of }) => html`${of.problem ? html`<div class="problem"><p>Older rules are in force. <${Name} text=${of.problem} /></p></div>` : null}
  <${Gaps} skipped=${of.gaps} title="What rules could not be checked" />`;

function RuleList() {
  const rules = usePages('GET rules', { limit: 200 }, 'rules');
  return html`<${Answer} of=${rules.first}>${(value) => html`<${RulesNotes} of=${value} />
    <${Table} caption="Rules in force" columns=${['Severity', 'Rule', 'Mode', 'Enforcement', 'Findings', 'Owner']} lines=${rules.items.map(ruleLine)} none="No rule is in force." />
    <${More} of=${rules} /><p class="note">Rules <code>${value.rulesHash}</code></p>`}</${Answer}>`;
}

const Side = ({ side, at }) => html`<h3>Side ${at + 1}: ${count(side.packageCount, 'package', 'packages')}${side.every ? ', all of them needed' : ''}</h3>
  <ul class="columns">${side.packages.map((each) => html`<li><${Name} text=${each.name || each.id} /></li>`)}
    ${side.packageCount > side.packages.length ? html`<li>and ${number.format(side.packageCount - side.packages.length)} more</li>` : null}
    ${side.groups.map((each) => html`<li>group <code>${each}</code></li>`)}</ul>`;

const RuleDetail = ({ rule }) => html`<${Section} id="rule" title=${html`<${Name} text=${rule.title || rule.id} />`}>
  <p><${Badge} severity=${rule.severity} /> ${FORMS[rule.form]} ${['atMost', 'atMostSides'].includes(rule.form) ? `At most ${rule.allowed}.` : ''}</p>
  <${Facts} of=${[
    ['Id', html`<code>${rule.id}</code>`], ['Mode', rule.mode],
    ['Enforcement', html`<${Name} text=${rule.enforcement.text} />${rule.enforcement.why ? html`: <${Name} text=${rule.enforcement.why} />` : ''}`],
    ['Findings', html`${found(rule)} ${may('GET findings') ? html`<a href=${link('findings', '', { rule: rule.id })}>Findings of this rule</a>` : null}`],
    ['Exceptions', rule.exceptions ? html`${rule.exceptions} ${may('GET exceptions') ? html`<a href=${link('exceptions', '', { rule: rule.id })}>Exceptions of this rule</a>` : null}` : null],
    ['Owner', html`<${Name} text=${[rule.owner, ...rule.owners].join(', ')} />`],
    ['Process', rule.process && html`<${Name} text=${rule.process} />`], ['Tags', rule.tags.length ? html`<${Name} text=${rule.tags.join(', ')} />` : null],
    ['Frameworks', rule.frameworks.length ? html`<${Name} text=${rule.frameworks.join(', ')} />` : null],
    ['Control', rule.control && html`<${Name} text=${rule.control} />`], ['Advice', rule.advice && html`<${Name} text=${rule.advice} />`],
    ['Pairs', number.format(rule.pairs)],
  ]} />
  <${Gaps} skipped=${rule.gaps} title="What of this rule could not be checked" />
  ${rule.sides.map((side, at) => html`<${Side} side=${side} at=${at} />`)}
</${Section}>`;

/** One rule is looked for in the pages of the list. */
function RuleFinder({ id }) {
  const rules = usePages('GET rules', { limit: 1000 }, 'rules');
  const rule = rules.items.find((each) => each.id === id);
  useEffect(() => { if (!rule && rules.more && !rules.isLoading && !rules.error) rules.more(); }, [rules.items.length]);
  if (rules.error) return html`<${Problem} error=${rules.error} />`;
  return html`<${Answer} of=${rules.first}>${() => {
    if (rule) return html`<${RuleDetail} rule=${rule} />`;
    if (rules.more) return html`<p role="status">Loading…</p>`;
    return html`<${Section} title="No such rule"><p>No rule with the id <code>${id}</code> is in force. It was removed or renamed. Findings of it stay on hold. <a href="#/rules">All rules</a></p></${Section}>`;
  }}</${Answer}>`;
}

const RulesView = ({ id }) => (id ? html`<${RuleFinder} id=${id} key=${id} />` : html`<${Section} title="Rules"><${RuleList} /></${Section}>`);
