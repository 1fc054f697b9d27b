// Comfort for the pages of feeds: a button beside each address that copies it, and a field that finds a feed in a long list. The pages
// are whole without it; what needs it is not there without it.
"use strict";

const button = document.querySelector("template#copy")?.content.firstElementChild;
const status = document.querySelector("[role=status]");

for (const link of button ? document.querySelectorAll("a[data-copy]") : []) {
  const copy = button.cloneNode(true);
  const words = copy.textContent;
  copy.title = words;
  copy.setAttribute("aria-label", words + ": " + (link.dataset.copy || link.getAttribute("aria-label")));
  link.after(copy);
}

document.addEventListener("click", async (event) => {
  const pressed = event.target.closest("button.copy");
  if (!pressed) return;
  const address = pressed.previousElementSibling.href;
  const done = await copied(address);
  pressed.classList.toggle("copied", done);
  status.textContent = (done ? pressed.dataset.copied : pressed.dataset.failed) + " " + address;
  setTimeout(() => pressed.classList.remove("copied"), 2000);
});

// copied reports whether a text is on the clipboard now. Without TLS a browser offers only the old way.
async function copied(text) {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
    const before = document.activeElement;
    const field = document.createElement("textarea");
    field.className = "unseen";
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus();
    return done;
  } catch {
    return false;
  }
}

// A list that fits on a screen or two needs no field to find something in it.
const many = 12;
const entries = [...document.querySelectorAll(".entry")].map((element) => ({ element, words: plain(element.firstElementChild.textContent) }));
const field = document.querySelector("input#find");

if (field && entries.length > many) {
  const count = document.querySelector("output[for=find]");
  field.parentElement.hidden = false;
  field.addEventListener("input", () => {
    const wanted = plain(field.value).split(/\s+/);
    let found = 0;
    for (const { element, words } of entries) {
      const fits = wanted.every((word) => words.includes(word));
      element.hidden = !fits;
      found += fits;
    }
    for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector(".entry:not([hidden])");
    document.querySelector(".nothing").hidden = found > 0;
    count.textContent = found + " / " + entries.length;
  });
}

// plain returns a text without case, accents and other marks.
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
