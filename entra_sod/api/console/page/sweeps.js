// Sweeps: the newest one with its progress or result, and the button that starts one.

const SWEEP_POLL = 5000;

const Progress = ({ of }) => html`<p role="status"><b>${of.parts.total ? `${of.parts.done} of ${of.parts.total} parts are done.` : 'The sweep is being planned.'}</b>${' '}
    ${of.secondsLeft !== null ? `About ${count(of.secondsLeft, 'second', 'seconds')} left.` : ''}</p>
  <progress max=${of.parts.total || 1} value=${of.parts.done} aria-label="Progress of the sweep"></progress>
  <${Facts} of=${[['Id', html`<code>${of.id}</code>`], ['Started', moment(of.startedAt)], ['Pairs read', number.format(of.soFar.pairs)],
    ['Requests', number.format(of.soFar.requests)], ['Throttled', of.soFar.throttled ? count(of.soFar.throttled, 'time', 'times') : null]]} />
  ${of.waiting.length ? html`<p>These parts wait:</p><ul>${of.waiting.map((each) => html`<li>${each.part === null ? 'The plan' : `Part ${each.part + 1}`}: <${Name} text=${each.why} /></li>`)}</ul>` : null}`;

const OUTCOMES = [['conflict', 'in conflict'], ['clear', 'clear'], ['unknown', 'not checked']];

/** A sweep that failed has no counts: its zeros say nothing. */
const SweepFailed = ({ of }) => html`<p><b>The sweep failed and checked nothing.</b> Findings stay as the sweep before it left them.</p>
  <${Facts} of=${[['Id', html`<code>${of.id}</code>`], ['Ended', moment(of.endedAt)]]} />
  <ul>${of.coverage.skipped.map((each) => html`<li><${Name} text=${each.why} /></li>`)}</ul>`;

const SweepOutcome = ({ of }) => html`<p><b>${count(of.findings, 'conflict', 'conflicts')}</b>, ${number.format(of.excepted)} of them permitted by an exception.</p>
  <${Facts} of=${[['Id', html`<code>${of.id}</code>`], ['Status', of.status], ['Ended', moment(of.endedAt)],
    ['Pairs', `${number.format(of.pairs.total)}: ${OUTCOMES.map(([name, text]) => `${number.format(of.pairs[name])} ${text}`).join(', ')}`],
    ['References', `${of.referenceCounts.written} written, ${of.referenceCounts.removed} removed, ${of.referenceCounts.held} held, ${of.referenceCounts.failed} failed`],
    ['Stopped', of.stopped && html`<${Name} text=${of.stopped.why} />`], ['Requests', number.format(of.requests)]]} />
  <${Gaps} skipped=${of.coverage.skipped} />`;

function SweepsView({ id }) {
  const [done, setDone] = useState('');
  const [isRunning, setRunning] = useState(false);
  const sweep = useAnswer('GET sweeps/{id}', { params: { id: id || 'latest' } }, isRunning ? SWEEP_POLL : 0);
  useEffect(() => setRunning(Boolean(sweep.value?.parts)), [sweep.value]);
  const start = async () => {
    const started = await call('POST sweeps', { body: {} });
    setDone(started.joined ? 'A sweep was under way, and you follow it now.' : 'The sweep has started.');
    sweep.again();
    setRunning(true);
  };
  return html`<${Section} title=${id ? 'Sweep' : 'Newest sweep'}><${Done} text=${done} />
    ${sweep.error?.status === 404 && !id ? html`<p>No sweep has run yet.</p>` : html`<${Answer} of=${sweep}>${(value) => {
      if (value.parts) return html`<${Progress} of=${value} />`;
      return value.status === 'failed' ? html`<${SweepFailed} of=${value} />` : html`<${SweepOutcome} of=${value} />`;
    }}</${Answer}>`}
    ${may('POST sweeps') && !isRunning ? html`<${Confirmed} label="Start a sweep" title="Start a sweep?" run=${start}>
      <p>The sweep reads every package of the rules. It writes references as far as the settings of the app let it.</p></${Confirmed}>` : null}
  </${Section}>`;
}
