// Comfort for the administrators' pages: every one works without it.
'use strict';

// Shortcuts: g and a letter of the menu, / for the field that searches, ? for the list of them. Not while something is written, and not for who turned
// them off in this browser.
const shortcuts = document.querySelector('#shortcuts');
const switched = document.querySelector('#shortcuts-on');
const remembered = 'silkpost.shortcuts';

if (switched) {
  switched.checked = stored() !== 'off';
  switched.addEventListener('change', () => store(switched.checked ? 'on' : 'off'));
}

let pressedG = 0; // when

document.addEventListener('keydown', (event) => {
  if (!shortcuts || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || shortcuts.open) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  if (event.key !== '?' && !switched.checked) return;
  const went = event.timeStamp - pressedG < 1500 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  const search = document.querySelector('main [type=search]');
  pressedG = event.key === 'g' ? event.timeStamp : 0;
  if (went) went.click();
  else if (event.key === '?') shortcuts.showModal();
  else if (event.key === '/' && search) search.focus();
  else return;
  event.preventDefault();
});

function stored() {
  try { return localStorage.getItem(remembered); } catch { return null; }
}

function store(value) {
  try { localStorage.setItem(remembered, value); } catch { /* it holds for this page */ }
}

// A form that came back with mistakes, or a page with something to tell, begins there.
document.querySelector('main .mistakes')?.focus();

// What goes on is shown as it happens: inside an element with data-from, an address of a stream, each element with data-live takes what comes
// under its name. "end" ends the stream; data-then="reload" loads the page anew then.
for (const place of document.querySelectorAll('[data-from]')) {
  const stream = new EventSource(place.dataset.from);
  stream.addEventListener('open', () => place.classList.add('streaming'));
  stream.addEventListener('error', () => { if (stream.readyState === EventSource.CLOSED) place.classList.remove('streaming'); });
  for (const part of place.querySelectorAll('[data-live]')) {
    stream.addEventListener(part.dataset.live, (event) => { part.innerHTML = JSON.parse(event.data); });
  }
  stream.addEventListener('end', () => {
    stream.close();
    place.classList.remove('streaming');
    if (place.dataset.then === 'reload') location.reload();
  });
  addEventListener('pagehide', () => stream.close());
}

// A button with data-copy copies what the element with that id says.
for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied || words;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

// Articles of an edition can be drawn to their places; letting go sends the new order, as the buttons beside them would.
for (const list of document.querySelectorAll('[data-arrange]')) {
  let dragged = null;
  const clear = () => { for (const item of list.children) item.classList.remove('dragged', 'over'); };
  list.addEventListener('dragstart', (event) => {
    dragged = event.target.closest('li');
    dragged?.classList.add('dragged');
    event.dataTransfer.effectAllowed = 'move';
  });
  list.addEventListener('dragover', (event) => {
    const over = event.target.closest('li');
    if (!dragged || !over) return;
    event.preventDefault();
    for (const item of list.children) item.classList.toggle('over', item === over && item !== dragged);
  });
  list.addEventListener('dragend', () => { clear(); dragged = null; });
  list.addEventListener('drop', (event) => {
    const over = event.target.closest('li');
    clear();
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const items = [...list.children];
    if (items.indexOf(dragged) < items.indexOf(over)) over.after(dragged); else over.before(dragged);
    const form = document.createElement('form');
    form.method = 'post';
    form.action = list.dataset.arrange;
    const field = (name, value) => { const input = document.createElement('input'); input.type = 'hidden'; input.name = name; input.value = value; form.append(input); };
    field('do', 'order');
    for (const item of list.children) if (item.dataset.slug) field('order', item.dataset.slug);
    document.body.append(form);
    form.submit();
  });
}

// A form is sent once, however often its button is clicked in five seconds: an edition is not made twice.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = 'yes';
  setTimeout(() => delete form.dataset.sent, 5000);
});

// A form with data-working says that while it is on its way, for what takes seconds.
for (const form of document.querySelectorAll('form[data-working]')) {
  form.addEventListener('submit', () => {
    form.querySelector('[role=status]').textContent = form.dataset.working;
    form.querySelector('button').setAttribute('aria-disabled', 'true');
  });
}

// A text to be copied gets a button that does it.
for (const text of document.querySelectorAll('pre[data-copy]')) {
  if (!navigator.clipboard) continue;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'second copying';
  button.textContent = text.dataset.copy;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = text.dataset.copied;
    setTimeout(() => { button.textContent = text.dataset.copy; }, 2000);
  });
  text.after(button);
}

// A colour can be picked as well as written.
for (const field of document.querySelectorAll('input[data-colour]')) {
  const picker = document.createElement('input');
  picker.type = 'color';
  picker.setAttribute('aria-label', field.labels[0]?.textContent || '');
  const show = () => { picker.value = whole(field.value) || whole(field.placeholder) || '#000000'; };
  picker.addEventListener('input', () => {
    field.value = picker.value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  field.addEventListener('input', show);
  show();
  field.after(picker);
}

// whole returns a colour with six digits, or nothing.
function whole(colour) {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(colour);
  if (short) return '#' + short[1] + short[1] + short[2] + short[2] + short[3] + short[3];
  return /^#[0-9a-f]{6}$/i.test(colour) ? colour.toLowerCase() : '';
}

// What is previewed in a frame beside a form is shown anew while the form is filled in, each time in a frame of its own: so the browser's way back
// stays clear.
for (const button of document.querySelectorAll('button[data-preview]')) {
  const form = button.form;
  let wait = 0;
  const show = () => {
    const old = document.querySelector(`iframe[name="${button.formTarget}"]`);
    const frame = old.cloneNode();
    old.name = '';
    old.after(frame);
    frame.hidden = true;
    frame.addEventListener('load', () => {
      frame.hidden = false;
      old.remove();
    }, { once: true });
    form.requestSubmit(button);
  };
  form.addEventListener('input', () => {
    clearTimeout(wait);
    wait = setTimeout(show, 600);
  });
  show();
}
