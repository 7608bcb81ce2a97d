// The library under short names, and how values are written. Preact makes text nodes of all text, never markup.

const { h, render, Fragment } = preact;
const { useState, useEffect, useRef } = preactHooks;
const html = htm.bind(h);

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const count = (value, one, many) => `${number.format(value)} ${value === 1 ? one : many}`;

/** A moment as `2026-11-22 02:00 UTC`. */
const moment = (text) => (text ? `${String(text).slice(0, 16).replace('T', ' ')} UTC` : '');
const day = (text) => String(text ?? '').slice(0, 10);

/** The whole days from today (UTC) to a day; negative if it is over. */
const daysTo = (date) => Math.round((Date.parse(`${day(date)}T00:00:00Z`) - Date.parse(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`)) / 864e5);

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unrated'];
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The address of a view of this page: `#/findings/ID`, `#/decide?subject=ID`. */
function link(view, id = '', query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ''}${search ? `?${search}` : ''}`;
}

/** What the fragment names. An address that cannot be decoded names nothing. */
function place() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, id = ''] = path.split('/');
  try {
    return { view: decodeURIComponent(view), id: decodeURIComponent(id), query: Object.fromEntries(new URLSearchParams(search)) };
  } catch {
    return { view: path, id: '', query: {} };
  }
}

/** Put what a field of a filter has into the address, beside what the address has by now: a view may be older. */
const filterBy = (view, name) => (event) => { location.hash = link(view, '', { ...place().query, [name]: event.target.value.trim() }); };
