// The doctor: what the app needs, how it is, and what to do.

const RESULTS = { ok: 'in order', note: 'worth knowing', unknown: 'could not be looked at', wrong: 'wrong' };
const ORDER = Object.keys(RESULTS).reverse();

const diagnosisLine = (each) => [
  html`<${Tag} kind=${each.result}>${RESULTS[each.result]}</${Tag}>`, html`<${Name} text=${each.what} />`,
  html`<${Name} text=${each.detail ?? ''} />${each.advice ? html`<div><b>What to do:</b> <${Name} text=${each.advice} /></div>` : null}`,
];

function DoctorView() {
  const ready = useAnswer('GET ready', { query: { deep: 1 } });
  return html`<${Section} title="Doctor" more=${html`<button type="button" onClick=${ready.again}>Look again</button>`}>
    ${ready.isLoading ? html`<p role="status">The app looks at each right, setting and queue. This takes some seconds.</p>` : html`<${Answer} of=${ready}>${(value) => html`
      <p role="status"><b>${value.status === 'ready' ? 'The app is ready.' : 'The app is not ready.'}</b></p>
      <${Table} caption="What the doctor looked at" columns=${['Result', 'What', 'Detail']}
        lines=${[...(value.diagnoses ?? [])].sort((one, other) => ORDER.indexOf(one.result) - ORDER.indexOf(other.result)).map(diagnosisLine)} />`}</${Answer}>`}
  </${Section}>`;
}
