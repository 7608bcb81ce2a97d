// The overview: what a reader should look at first. It asks only what is answered from storage at once.

function LastSweep() {
  const sweep = useAnswer('GET sweeps/{id}', { params: { id: 'latest' } });
  if (sweep.error?.status === 404) return html`<p>No sweep has run. ${may('POST sweeps') ? html`<a href="#/sweeps">Start one.</a>` : 'The nightly sweep runs by itself.'}</p>`;
  return html`<${Answer} of=${sweep}>${(value) => {
    if (value.parts) return html`<p>A sweep runs: ${value.parts.done} of ${value.parts.total} parts are done. <a href="#/sweeps">Follow it.</a></p>`;
    if (value.status === 'failed') return html`<p><b>The sweep of ${moment(value.endedAt)} failed.</b> It checked nothing. <a href="#/sweeps">Why</a></p>`;
    return html`<p><b>${count(value.findings, 'conflict', 'conflicts')}</b> in ${count(value.pairs.total, 'pair', 'pairs')} on ${moment(value.endedAt)}.${' '}
        ${value.pairs.unknown ? `${count(value.pairs.unknown, 'pair', 'pairs')} could not be checked.` : ''}
        ${value.coverage.skipped.length ? ` The sweep names ${count(value.coverage.skipped.length, 'gap', 'gaps')}.` : ''} <a href="#/sweeps">The sweep</a></p>`;
  }}</${Answer}>`;
}

const WorstFindings = () => {
  const name = usePackageNames();
  const worst = useAnswer('GET findings', { query: { state: 'open,exception-expired', severity: 'critical,high', pageSize: 5 } });
  return html`<${Answer} of=${worst}>${({ findings, nextLink }) => html`
    <${Table} caption="Critical and high findings that are open" columns=${FINDING_COLUMNS} lines=${findings.map((each) => findingLine(each, name))}
      none="No finding of critical or high severity is open. What a sweep could not check has no finding." />
    ${nextLink ? html`<p><a href="#/findings">All findings</a></p>` : null}`}</${Answer}>`;
};

const EndingExceptions = () => {
  const ending = useAnswer('GET exceptions', { query: { state: 'waits,ends-soon', limit: 1 } });
  return html`<${Answer} of=${ending}>${(value) => html`<p>${value.total ? `${count(value.total, 'exception', 'exceptions')} will begin or end soon.` : 'No exception begins or ends soon.'} <a href="#/exceptions">Exceptions</a></p>`}</${Answer}>`;
};

const HomeView = () => html`<${Fragment}>
  ${may('GET freeze') ? html`<${FreezeBanner} />` : null}
  <div class="tiles-row">
    ${may('GET sweeps/{id}') ? html`<${Section} title="Last sweep"><${LastSweep} /></${Section}>` : null}
    ${may('GET exceptions') ? html`<${Section} title="Exceptions"><${EndingExceptions} /></${Section}>` : null}
  </div>
  ${may('GET findings') ? html`<${Section} title="What to look at first"><${WorstFindings} /></${Section}>` : null}
  ${may('GET subjects') ? html`<${Section} title="Find a subject"><${SubjectSearch} /></${Section}>` : null}
  ${['GET findings', 'GET sweeps/{id}', 'POST decisions'].some(may) ? null : html`<${Section} title="Overview">
    <p>Your roles are for programs that call the app. The console has no view for them: the role SoD.Read lets you see findings, SoD.Decide lets you ask for decisions.</p></${Section}>`}
  ${!may('GET findings') && may('POST decisions') ? html`<${DecideView} query=${{}} />` : null}
</${Fragment}>`;
