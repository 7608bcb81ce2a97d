// Pieces that all views are made of.

/** A name that a person in the tenant chose: its direction ends with it. */
const Name = ({ text }) => html`<bdi>${text}</bdi>`;

const Badge = ({ severity }) => {
  const place = Math.max(0, SEVERITIES.indexOf(severity));
  return html`<span class="badge severity-${SEVERITIES[place]}"><i class="mark mark-${4 - place}" aria-hidden="true"></i>${severity}</span>`;
};

const Tag = ({ kind, children, title }) => html`<span class="tag tag-${kind}" title=${title}>${children}</span>`;

const Problem = ({ error, again }) => html`<div class="problem" role="alert">
  <p>${error.message}</p>
  ${error.errors?.length ? html`<ul>${error.errors.map((each) => html`<li>${each.pointer} ${each.detail}</li>`)}</ul>` : null}
  ${again && error.status !== 401 ? html`<button type="button" onClick=${again}>Try again</button>` : null}
</div>`;

/** What an answer came to: loading, refused, or the value, given to the only child. */
function Answer({ of, children }) {
  if (of.error) return html`<${Problem} error=${of.error} again=${of.again} />`;
  if (of.value === undefined) return html`<p class="note" role="status">Loading…</p>`;
  return children(of.value);
}

function Section({ title, children, more, id }) {
  const name = id ?? title.toLowerCase().replace(/\W+/g, '-');
  return html`<section aria-labelledby="${name}-title"><div class="heading"><h2 id="${name}-title">${title}</h2>${more}</div>${children}</section>`;
}

/** One thing: its own heading once it is known, and until then, or if it is refused, the kind of thing. */
const Detail = ({ of, title, children }) => (of.value ? children(of.value) : html`<${Section} title=${title}><${Answer} of=${of}>${children}</${Answer}></${Section}>`);

/** A table whose rows are cards on a narrow screen; each line is a list of cells. The roles outlast the cards' style. */
function Table({ caption, columns, lines, none }) {
  if (!lines.length) return html`<p class="note">${none ?? 'There are none.'}</p>`;
  return html`<div class="scroll cards"><table role="table">
    <caption class="unseen">${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
    <tbody role="rowgroup">${lines.map((cells) => html`<tr role="row">${cells.map((cell, at) => html`<td role="cell" data-label=${columns[at]}>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

const Facts = ({ of }) => html`<dl class="details">${of.filter(([, value]) => value !== null && value !== undefined && value !== '')
  .map(([name, value]) => html`<${Fragment} key=${name}><dt>${name}</dt><dd>${value}</dd></${Fragment}>`)}</dl>`;

const Field = ({ label, hint, children }) => html`<label class="field"><span>${label}</span>${children}${hint ? html`<small>${hint}</small>` : null}</label>`;

/** A form with one write: while it runs it cannot be sent twice, and its refusal stands below it. */
function Form({ label, run, children, quiet }) {
  const [state, setState] = useState({});
  const isSent = useRef(false);
  const send = async (event) => {
    event.preventDefault();
    if (isSent.current) return;
    isSent.current = true;
    setState({ isRunning: true });
    const change = await run(Object.fromEntries(new FormData(event.target))).then(() => ({}), (error) => ({ error }));
    isSent.current = false;
    setState(change);
    if (change.error && !(change.error instanceof Refusal)) throw change.error;
  };
  return html`<form class="form ${quiet ? 'quiet' : ''}" onSubmit=${send}>
    ${children}
    <button type="submit" aria-disabled=${state.isRunning ? 'true' : null}>${state.isRunning ? 'Wait…' : label}</button>
    ${state.error ? html`<${Problem} error=${state.error} />` : null}
  </form>`;
}

/** A button that opens a dialog; `children` gets what closes it. */
function Opener({ label, title, children }) {
  const dialog = useRef(null);
  const close = () => dialog.current?.close();
  const id = `dialog-${label.toLowerCase().replace(/\W+/g, '-')}`;
  return html`<button type="button" onClick=${() => dialog.current.showModal()}>${label}</button>
    <dialog ref=${dialog} aria-labelledby=${id}>
      <div class="dialog-head"><h2 id=${id}>${title}</h2></div>
      <div class="dialog-body">${children(close)}</div>
    </dialog>`;
}

/** A button whose dialog says what will happen, and asks once more. */
const Confirmed = ({ label, title, children, run }) => html`<${Opener} label=${label} title=${title}>${(close) => html`
  ${children}
  <${Form} label=${label} run=${async () => { await run(); close(); }}><button type="button" onClick=${close}>Cancel</button></${Form}>`}</${Opener}>`;

/** Text to take along, with a button that copies it. */
function Copy({ text, label }) {
  const [said, setSaid] = useState('');
  const copy = () => navigator.clipboard.writeText(text)
    .then(() => setSaid('Copied.'), () => setSaid('The browser did not copy. Select the text and copy it.'));
  return html`<div class="copy"><pre tabindex="0" role="region" aria-label=${label}>${text}</pre>
    <button type="button" onClick=${copy}>Copy ${label}</button> <span role="status">${said}</span></div>`;
}

/** What could not be read: one line that opens. */
const Gaps = ({ skipped, title = 'Not checked' }) => (skipped?.length
  ? html`<details class="gaps"><summary>${title}: ${count(skipped.length, 'gap', 'gaps')}</summary>
      <ul>${skipped.map((each) => html`<li><${Name} text=${each.what} />: <${Name} text=${each.why} /></li>`)}</ul></details>` : null);

/** A sentence that says what was done; the focus goes there, because the button may be gone. */
function Done({ text }) {
  const line = useRef(null);
  useEffect(() => { if (text) line.current?.focus(); }, [text]);
  return html`<div role="status" class="done-line">${text ? html`<p class="done" tabindex="-1" ref=${line}>${text}</p>` : null}</div>`;
}

/** The end of a list that comes in pages. */
const More = ({ of }) => html`<${Fragment}>
  ${of.error ? html`<${Problem} error=${of.error} again=${of.more} />` : null}
  ${of.more && !of.error ? html`<p><button type="button" onClick=${of.more}>${of.isLoading ? 'Loading…' : 'Show more'}</button></p>` : null}
</${Fragment}>`;

/** Names with a comma between them; a name that is not known stands as its id. */
const Names = ({ of, more = 0 }) => html`${of.map((each, at) => html`${at ? ', ' : ''}<${Name} text=${each.name || each.id} />`)}${more > 0 ? ` and ${number.format(more)} more` : ''}`;

/** What an index that was not read whole may hide. */
const NotWhole = ({ of, what }) => (of.isWhole === false
  ? html`<${Gaps} skipped=${of.notRead} title=${`Not everything could be read, so ${what} may be missing`} />` : null);

const personName = (each) => each.displayName || each.objectId || each.subjectId || each.subject || each.id;
