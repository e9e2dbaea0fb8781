// Keeps the page live, and moves through it by keys: j and k go through the list, / to the filter, u back to it.
"use strict";

async function refresh() {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden || live.querySelector("details[open]")) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(live.id);
    if (!found || found.innerHTML === live.innerHTML) return;
    const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const graph = live.querySelector(".graph");
    const place = graph ? [graph.scrollLeft, graph.scrollTop] : null;
    live.replaceWith(found);
    if (place && found.querySelector(".graph")) [found.querySelector(".graph").scrollLeft, found.querySelector(".graph").scrollTop] = place;
    if (focused) found.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    // The message and the answer are there when the execution has ended.
    if (!found.hasAttribute("data-live")) location.reload();
  } catch { /* mailstep web has ended, or AWS did not answer: the next one may. */ }
}
setInterval(refresh, 1500);

// On a narrow screen, begin with the states that the message went through.
const graph = document.querySelector(".graph");
const first = graph?.querySelector(".state:not(.untouched)");
if (first) graph.scrollLeft += first.getBoundingClientRect().x - graph.getBoundingClientRect().x - graph.clientWidth / 2 + 60;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const links = [...document.querySelectorAll(".list a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "j") links[Math.min(at + 1, links.length - 1)]?.focus();
  else if (event.key === "k") links[Math.max(at - 1, 0)]?.focus();
  else if (event.key === "u") location.href = "/";
  else if (event.key === "/") { event.preventDefault(); document.getElementById("search")?.focus(); }
});

const compose = document.getElementById("compose");
compose?.addEventListener("dragover", (event) => event.preventDefault());
compose?.addEventListener("drop", async (event) => {
  event.preventDefault();
  const file = event.dataTransfer.files[0];
  if (!file) return;
  compose.querySelector("details").open = true;
  compose.elements.eml.value = await file.text();
});
