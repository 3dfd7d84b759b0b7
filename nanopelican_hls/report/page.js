// Sorts a table by a column when its button is pressed: by number where the cells have one, otherwise as text.
// Rows without a value stay last. Pressing again turns the order round.
"use strict";
document.querySelectorAll("thead button").forEach((button) => {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const downwards = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", downwards ? "descending" : "ascending");
    const value = (row) => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent.trim();
    const compare = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === "" || b === "" || a === "-" || b === "-") return (a === "" || a === "-") - (b === "" || b === "-");
      const difference = isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      return downwards ? -difference : difference;
    };
    body.append(...[...body.rows].sort(compare));
  });
});
// A drawing wider than the window starts at its middle.
document.querySelectorAll(".diagram").forEach((drawing) => {
  const box = drawing.parentElement;
  box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
});
