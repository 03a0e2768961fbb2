"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const list = find("list"), data = JSON.parse(find("data").textContent);
  const items = [...list.children];
  const figure = find("figure"), of = find("of"), order = find("order"), search = find("search");

  // The value that items are sorted by, null where there is none.
  const read = (place) => {
    const values = data.values[figure.value] || [];
    if (of && of.value === "gap") {
      const [a, b] = [values[0]?.[place] ?? null, values[1]?.[place] ?? null];
      return a === null || b === null ? null : a - b;
    }
    return values[of ? Number(of.value) : 0]?.[place] ?? null;
  };

  const arrange = () => {
    const chosen = data.figures.find((one) => one.name === figure.value);
    const sign = (chosen?.better === "lower" ? -1 : 1) * (order.value === "best" ? -1 : 1);
    const sorted = [...items].sort((one, other) => {
      const [a, b] = [Number(one.dataset.place), Number(other.dataset.place)];
      if (order.value === "suite") return a - b;
      const [x, y] = [read(a), read(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return sign * (x - y) || a - b;
    });
    const sought = search.value.trim().toLowerCase();
    let shown = 0;
    for (const item of sorted) {
      const value = read(Number(item.dataset.place));
      const text = item.querySelector("p").firstChild.textContent.toLowerCase();
      item.hidden = !text.includes(sought);
      shown += !item.hidden;
      item.querySelector(".value").textContent =
        value === null || !chosen ? "" : `${chosen.title} ${value.toFixed(3)}`;
    }
    list.append(...sorted);
    find("count").textContent = `${shown} shown`;
  };

  // The sketch of a row as a mask over one of its pictures.
  const cover = (link) => {
    const sketch = link.closest(".strip").querySelector("img.sketch");
    if (!sketch || link.querySelector(".over")) return;
    const over = document.createElement("span");
    over.className = "over";
    over.style.maskImage = `url("${sketch.src}")`;
    link.append(over);
  };
  const uncover = (link) => find("overlay").checked || link.querySelector(".over")?.remove();
  const links = [...list.querySelectorAll(".strip .frame")];
  for (const link of links) {
    for (const name of ["mouseenter", "focus"]) link.addEventListener(name, () => cover(link));
    for (const name of ["mouseleave", "blur"]) link.addEventListener(name, () => uncover(link));
  }
  find("overlay").addEventListener("change", (event) => links.forEach(event.target.checked ? cover : uncover));

  // Small pictures keep their pixels sharp.
  const mark = (image) => image.classList.toggle("small", image.naturalWidth > 0 && image.naturalWidth <= 96);
  for (const image of list.querySelectorAll("img:not(.sketch)")) {
    image.complete ? mark(image) : image.addEventListener("load", () => mark(image));
  }

  const every = find("every");
  const choose = () => {
    for (const row of document.querySelectorAll("tr.minor")) row.hidden = !every.checked;
    for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("tbody tr:not([hidden])");
  };
  every.addEventListener("change", choose);
  for (const tool of [figure, of, order]) tool?.addEventListener("change", arrange);
  search.addEventListener("input", arrange);
  choose();
  arrange();
})();
