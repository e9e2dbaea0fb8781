// Keeps the page live, and moves through it by keys: j and k go through the list, / to the filter, u back to it.
"use strict";

// What is live on a page has `data-live` and an id. It is replaced as long as the server says that it is live.
async function refresh() {
  const live = document.querySelectorAll("[data-live]");
  if (live.length && !document.hidden) {
    try {
      const answer = await fetch(location.href);
      if (answer.ok) {
        const latest = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of live) replace(old, latest.getElementById(old.id));
      }
    } catch { /* mailstep web has ended, or AWS did not answer: the next one may. */ }
  }
  setTimeout(refresh, 1500);
}
setTimeout(refresh, 1500);

function replace(old, latest) {
  const unchanged = !latest || (latest.innerHTML === old.innerHTML && latest.hasAttribute("data-live"));
  if (unchanged || old.querySelector("details[open]")) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const before = old.querySelector(".graph");
  old.replaceWith(latest);
  const graph = latest.querySelector(".graph");
  if (before && graph) graph.scrollTo(before.scrollLeft, before.scrollTop);
  else if (graph) scrollToPath(graph);
  if (focused) latest.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

// On a narrow screen, the middle of what the message went through is in the middle.
function scrollToPath(graph) {
  const boxes = [...graph.querySelectorAll(".state:not(.untouched) rect")].map((rect) => rect.getBoundingClientRect());
  if (!boxes.length) return;
  const middle = boxes.reduce((sum, box) => sum + box.x + box.width / 2, 0) / boxes.length;
  graph.scrollLeft += middle - graph.getBoundingClientRect().x - graph.clientWidth / 2;
}
document.querySelectorAll(".graph").forEach(scrollToPath);

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
