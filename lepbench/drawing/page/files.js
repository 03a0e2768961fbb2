// What the page asks the server for beside pictures: imports, exports, the history.

export async function fetchJson(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 413) throw new Error("the file is larger than 4 MB");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

export const importStrokes = (file) =>
  fetchJson(`import?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });

export async function saveExport(kind, request) {
  const answer = await fetch(`export/${kind}`, { method: "POST", body: JSON.stringify(request) });
  if (!answer.ok) throw new Error((await answer.json()).message);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="(.*)"/.exec(answer.headers.get("Content-Disposition"))[1];
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}

// An entry is called by its time of the world: 20260131T142530-123456.
export function readTime(name) {
  const [, year, month, day, hours, minutes, seconds] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(name).map(Number);
  const time = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  const today = time.toDateString() === new Date().toDateString();
  return today ? time.toLocaleTimeString() : time.toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
