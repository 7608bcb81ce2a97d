// What waits because rules select other packages or groups than before, and what approving would do.

const subjectsText = (each) => {
  if (each.subjects === null || each.subjects === undefined) return each.subjectsAtLeast ? `unknown, at least ${number.format(each.subjectsAtLeast)}` : 'unknown';
  return number.format(each.subjects);
};

const referenceLine = (each) => [
  html`<${Name} text=${each.on.name || each.on.id} />`, each.kind === 'group' ? 'group' : 'package',
  html`<${Name} text=${each.target.name || each.target.id} />`,
];

const Changed = ({ of }) => html`<${Facts} of=${[
  ['Joined', of.joined.length ? html`<${Names} of=${of.joined} />` : null],
  ['Left', of.left.length ? html`<${Names} of=${of.left} />` : null],
  ...[['Groups joined', of.joinedGroups], ['Groups left', of.leftGroups]].map(([title, groups]) => [title, groups.length
    ? groups.map((each) => html`<div><code>${each.group}</code>, granted by <${Name} text=${each.package.name || each.package.id} /></div>`) : null]),
  ['Approved last', of.reviewedAt ? html`${moment(of.reviewedAt)}, <${Name} text=${of.reviewedBy ?? ''} />` : 'never'],
  ['Damaged', of.damage && html`<${Name} text=${of.damage} />`],
]} />`;

const Effect = ({ of }) => html`<p><b>If you approve</b>, the next sweep writes ${count(of.writeCount, 'reference', 'references')} and removes ${number.format(of.removeCount)}.
    Subjects that are newly refused a package: <b>${subjectsText(of)}</b>${of.why ? html`, because <${Name} text=${of.why} />` : ''}.</p>
  ${of.writes.length ? html`<details><summary>References to write</summary><${Table} caption="References to write" columns=${['On', 'Kind', 'Incompatible with', 'Subjects']}
    lines=${of.writes.map((each) => [...referenceLine(each), subjectsText(each)])} /></details>` : null}
  ${of.removes.length ? html`<details><summary>References to remove</summary><${Table} caption="References to remove" columns=${['On', 'Kind', 'Incompatible with']} lines=${of.removes.map(referenceLine)} /></details>` : null}`;

function Selection({ rule, onDone }) {
  const approve = async () => {
    await call('POST selections/approve', { body: { rules: [{ id: rule.id, selection: rule.selection }] } });
    onDone(`You approved what rule ${rule.id} selects. The next sweep writes what was held.`);
  };
  return html`<article class="card" aria-labelledby=${`selection-${rule.id}`}>
    <h3 id=${`selection-${rule.id}`}><a href=${link('rules', rule.id)}><${Name} text=${rule.title || rule.id} /></a></h3>
    <${Changed} of=${rule} /><${Effect} of=${rule.approving} />
    ${may('POST selections/approve') ? html`<${Confirmed} label=${`Approve ${rule.id}`} title=${html`Approve what rule <${Name} text=${rule.id} /> selects?`} run=${approve}>
      <${Effect} of=${{ ...rule.approving, writes: [], removes: [] }} />
    </${Confirmed}>` : html`<p class="note">To approve takes the role SoD.Admin.</p>`}
  </article>`;
}

function SelectionsView() {
  const [done, setDone] = useState('');
  const answer = useAnswer('GET selections');
  return html`<${Section} title="Held changes">
    <p class="note">A rule whose patterns select other packages or groups than before writes nothing for them until an administrator approves. The app reads Microsoft Graph for this page, which takes some seconds.</p>
    <${Done} text=${done} />
    <${Answer} of=${answer}>${(value) => {
      if (!value.remembers) return html`<p>This app holds nothing back: <code>SELECTION_CHANGES</code> is <code>write</code>.</p>`;
      const waiting = value.rules.filter((rule) => rule.waits);
      return html`<${Gaps} skipped=${value.notRead} />
        <p role="status">${waiting.length ? `${count(waiting.length, 'rule waits', 'rules wait')} for approval.` : value.notRead.length ? 'Nothing waits in what could be read.' : 'Nothing waits for approval.'}</p>
        ${waiting.map((rule) => html`<${Selection} key=${rule.id} rule=${rule} onDone=${(text) => { setDone(text); answer.again(); }} />`)}
        <p class="note">${count(value.rules.length - waiting.length, 'other rule selects', 'other rules select')} what was approved.</p>`;
    }}</${Answer}>
  </${Section}>`;
}
