// Taking along: what is shown as CSV, with names; and copying.

// What a spreadsheet takes for a formula, in signs of full width as well, also behind other separators.
const FORMULA = /(?:^|(?<=[;|\t\r\n]))(?=[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/g;
const CSV_COLUMNS = {
  finding: (each) => each.id,
  severity: (each) => SEVERITIES[each.severity],
  state: (each) => each.state,
  rule: (each) => each.rule,
  title: (each) => ruleOf.get(each.rule)?.title,
  owner: (each) => ruleOf.get(each.rule)?.owner,
  subject: personName,
  subjectId: (each) => each.subject[0],
  objectId: (each) => each.subject[1],
  subjectType: (each) => each.subject[3],
  holds: (each) => each.packages.map(packageName).join('; '),
  packageIds: (each) => each.packages.map((place) => data.packages[place][0]).join(' '),
  lacks: (each) => each.missing.map(packageName).join('; '),
  why: (each) => each.why,
  firstSeen: (each) => each.first,
  lastSeen: (each) => each.last,
  exception: (each) => each.exception,
  exceptionDaysLeft: (each) => each.daysLeft,
};

const cellText = (value) => String(value ?? '').replace(FORMULA, "'");
const shownRows = () => model.shown.map((place) => Object.values(CSV_COLUMNS).map((of) => of(findings[place])));

function csvOfShown() {
  const line = (cells) => cells.map((cell) => `"${cellText(cell).replaceAll('"', '""')}"`).join(',');
  return ['\ufeff' + line(Object.keys(CSV_COLUMNS)), ...shownRows().map(line), ''].join('\r\n');
}

function saveCsv() {
  const address = URL.createObjectURL(new Blob([csvOfShown()], { type: 'text/csv;charset=utf-8' }));
  el('a', { href: address, download: `findings-${day(data.generatedAt)}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** What is shown as lines with tabs, as a spreadsheet takes them from the clipboard. */
const tabbedRows = () => [Object.keys(CSV_COLUMNS), ...shownRows()]
  .map((cells) => cells.map((cell) => cellText(cell).replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n');

/** A button that copies a text, and says so. */
function copyButton(label, text, more = {}) {
  const button = el('button', { ...more, class: 'quiet copy', text: label, onclick: async () => {
    button.textContent = await copied(text()) ? 'Copied' : 'Not copied: the browser refused';
    setTimeout(() => { button.textContent = label; }, 2000);
  } });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
