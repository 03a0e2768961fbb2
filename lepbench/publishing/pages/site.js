"use strict";
(() => {
  const all = (where, what) => [...where.querySelectorAll(what)];

  // Tables: a click on a heading sorts, empty cells stay last.
  const read = (row, place) => {
    const cell = row.cells[place], value = cell.dataset.value;
    return value === undefined ? cell.textContent.trim().toLowerCase() : value === "" ? null : Number(value);
  };
  const sort = (table, head) => {
    const place = head.cellIndex, rows = all(table.tBodies[0], "tr");
    const was = head.getAttribute("aria-sort");
    const falling = was ? was === "ascending" : head.textContent.includes("↑");
    for (const other of all(table, "th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const keyed = rows.map((row) => [read(row, place), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return (falling ? -1 : 1) * (a < b ? -1 : a > b ? 1 : 0);
    });
    table.tBodies[0].append(...keyed.map(([, row]) => row));
  };
  for (const table of all(document, "table.sortable")) {
    for (const head of all(table, "thead th:not(.unsorted)")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }

  // Rows: by words and by how far they were checked.
  const filter = (table) => {
    const find = (kind) => document.querySelector(`[data-${kind}="${table.id}"]`);
    const words = (find("filter")?.value ?? "").toLowerCase().split(/\s+/);
    const least = Number(find("level")?.value ?? 0);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = `${row.textContent} ${row.dataset.text ?? ""}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || Number(row.dataset.level ?? 0) < least;
      shown += !row.hidden;
    }
    const count = find("count");
    if (count) count.textContent = `${shown} of ${table.tBodies[0].rows.length}`;
  };
  for (const table of all(document, "table.sortable")) {
    for (const kind of ["filter", "level"]) {
      const tool = document.querySelector(`[data-${kind}="${table.id}"]:not(tr)`);
      tool?.addEventListener("input", () => filter(table));
    }
    filter(table);
  }

  // Columns: by group.
  for (const box of all(document, "input[data-group]")) {
    const table = document.getElementById(box.dataset.of);
    const choose = () => table.classList.toggle(`hide-${box.dataset.group}`, !box.checked);
    box.addEventListener("change", choose);
    choose();
  }

  // Two models: figures, difference, and what is known of it.
  const make = (name, text, kind) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const round = (value, sign) => (sign && value > 0 ? "+" : "") + value.toFixed(3).replace(/^-(0\.0+)$/, "$1");
  const write = ([value, low, high]) => {
    const cell = make("td", value === null ? "–" : round(value), "num");
    if (value !== null && low !== null && high !== null) cell.append(make("small", `${round(low)} to ${round(high)}`));
    return cell;
  };
  const judge = (figure, names, ends, paired) => {
    const [[a, lowA, highA], [b, lowB, highB]] = ends;
    const ahead = (difference) => names[(difference > 0) === (figure.better === "higher") ? 0 : 1];
    const known = lowA !== null && lowB !== null && highA !== null && highB !== null;
    const apart = known && (lowA > highB || lowB > highA);
    const better = (difference) => (figure.better === "none" ? "they differ" : `${ahead(difference)} is better`);
    if (paired) {
      const p = paired.p < 0.001 ? "p < 0.001" : `p = ${paired.p.toFixed(3)}`;
      return (paired.p < 0.05 ? better(a - b) : "not decided") + ` (paired test, ${p})`;
    }
    if (!known) return "no interval";
    return apart ? `${better(a - b)} (intervals apart)` : "not decided (intervals overlap)";
  };
  const compare = (section, data) => {
    const names = all(section, "select").map((side) => side.value);
    const heads = section.querySelectorAll("thead th");
    [1, 2].forEach((place) => (heads[place].textContent = names[place - 1]));
    const rows = data.figures.map((figure) => {
      const ends = names.map((name) => data.models[name][figure.name]);
      const [a, b] = [ends[0][0], ends[1][0]], row = make("tr"), title = make("th", figure.title);
      title.scope = "row";
      let paired = data.paired.find((one) => one.figure === figure.name && one.first === names[0] && one.second === names[1]);
      const turned = data.paired.find((one) => one.figure === figure.name && one.first === names[1] && one.second === names[0]);
      if (turned) {
        const [value, low, high] = turned.ends;
        paired = { ends: [-value, -high, -low], p: turned.p };
      }
      const gap = make("td", a === null || b === null ? "–" : round(a - b, true), "num");
      if (paired) gap.append(make("small", `${round(paired.ends[1], true)} to ${round(paired.ends[2], true)}`));
      const said = a === null || b === null || names[0] === names[1] ? "" : judge(figure, names, ends, paired);
      row.append(title, write(ends[0]), write(ends[1]), gap, make("td", said));
      return row;
    });
    section.querySelector("tbody").replaceChildren(...rows);
    show(section, data.pictures, names);
  };
  const show = (section, pictures, names) => {
    const found = names.map((name) => pictures.models?.[name]);
    const strips = (pictures.items ?? []).map((item, place) => {
      const strip = make("div", undefined, "strip"), whole = make("div", undefined, "item");
      const shown = [["sketch", item.sketch], ["real", item.real], ...names.map((name, side) => [name, found[side]?.[place]])];
      for (const [label, path] of shown.filter(([, path]) => path)) {
        const figure = make("figure"), image = make("img");
        image.src = `../${path}`;
        image.alt = `${label}: ${item.caption}`;
        figure.append(image, make("figcaption", label));
        strip.append(figure);
      }
      whole.append(strip, make("p", item.caption));
      return whole;
    });
    section.querySelector(".strips").replaceChildren(...(found.some(Boolean) ? strips : []));
  };
  for (const section of all(document, "[data-pair]")) {
    const data = JSON.parse(section.querySelector("script").textContent);
    for (const side of all(section, "select")) side.addEventListener("change", () => compare(section, data));
    compare(section, data);
  }
})();
