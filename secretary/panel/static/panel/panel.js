// Small comforts. Every page works without this file.
"use strict";

// The user menu closes when one clicks elsewhere or presses Escape.
for (const menu of document.querySelectorAll("details[data-menu]")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// Where the navigation is longer than the screen, the page's own entry is in sight.
const nav = document.querySelector(".nav");
const here = nav?.querySelector("a[aria-current]");
if (here && nav.scrollHeight > nav.clientHeight) nav.scrollTop = here.offsetTop - nav.offsetTop - nav.clientHeight / 2;

// A filter that is a list applies as soon as it is chosen.
for (const select of document.querySelectorAll("select[data-submit]")) {
  const button = select.form.querySelector("[data-without-script]");
  if (button) button.hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

// Leaving a page with unsaved typing asks first.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let touched = document.querySelector("[role=alert]") !== null;
  form.addEventListener("input", () => { touched = true; });
  form.addEventListener("submit", () => { touched = false; });
  window.addEventListener("beforeunload", (event) => {
    if (touched) event.preventDefault();
  });
}

// After a refused form the first field to mend has the focus.
document.querySelector("form [aria-invalid=true]")?.focus();

// A text area that takes one name a line becomes a box of tags. The text area stays the form's truth.
function tagBox(area) {
  const box = document.createElement("div");
  const input = document.createElement("input");
  const spoken = document.createElement("span");
  const label = document.querySelector(`label[for="${area.id}"]`);
  box.className = "tagbox";
  if (area.getAttribute("aria-invalid") === "true") box.dataset.invalid = "";
  input.type = "text";
  input.id = area.id;
  input.disabled = area.matches(":disabled");
  input.autocomplete = "off";
  if (area.getAttribute("aria-describedby")) input.setAttribute("aria-describedby", area.getAttribute("aria-describedby"));
  if (area.getAttribute("aria-invalid")) input.setAttribute("aria-invalid", area.getAttribute("aria-invalid"));
  area.removeAttribute("id");
  area.hidden = true;
  spoken.className = "visually-hidden";
  spoken.setAttribute("role", "status");
  box.append(input);
  area.after(box, spoken);
  if (label) box.setAttribute("aria-label", label.textContent.trim());
  box.setAttribute("role", "group");

  const read = () => area.value.split("\n").map((text) => text.trim()).filter(Boolean);
  const write = (names) => {
    area.value = names.join("\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    draw(names);
  };
  const draw = (names) => {
    for (const old of box.querySelectorAll(".tag")) old.remove();
    names.forEach((name, index) => {
      const tag = document.createElement("span");
      tag.className = "tag";
      tag.textContent = name;
      if (!input.disabled) {
        const remove = document.createElement("button");
        remove.type = "button";
        remove.textContent = "×";
        remove.setAttribute("aria-label", `${area.dataset.remove} ${name}`);
        remove.addEventListener("click", () => {
          write(read().filter((_, at) => at !== index));
          input.focus();
        });
        tag.append(remove);
      }
      input.before(tag);
    });
  };
  const add = () => {
    const fresh = input.value.split(/[,;\n]/).map((text) => text.trim()).filter(Boolean);
    input.value = "";
    if (!fresh.length) return;
    write([...read(), ...fresh]);
    spoken.textContent = `${area.dataset.added} ${fresh.join(", ")}`;
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) { event.preventDefault(); add(); }
    if (event.key === "Backspace" && !input.value) write(read().slice(0, -1));
  });
  input.addEventListener("input", () => { if (/[,;]/.test(input.value)) add(); });
  input.addEventListener("blur", add);
  area.form.addEventListener("submit", add);
  box.addEventListener("click", (event) => { if (event.target === box) input.focus(); });
  draw(read());
}
document.querySelectorAll("textarea[data-tags]").forEach(tagBox);
