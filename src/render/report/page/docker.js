"use strict";
// Docker's views at a moment, from what is known of each task, node and terminal.

const data = JSON.parse(document.getElementById("data").textContent);
/// Cut to milliseconds, as everywhere.
const seconds = (micros) => (Math.floor(micros / 1e3) / 1e3).toFixed(3) + " s";
/// The time of a line, from the nanoseconds of its record.
const stamp = (line) => {
  const ns = /"at":([0-9]+)/.exec(line[5])[1].padStart(10, "0");
  return (ns.slice(0, -9) + "." + ns.slice(-9, -6) + " s").padStart(12);
};
/// The greatest number of a list, which may be long; at least 1.
const most = (list, of) => list.reduce((known, entry) => Math.max(known, of(entry)), 1);
/// How many entries of a sorted list are at or before a moment.
const upTo = (list, at, key) => {
  let low = 0, high = list.length;
  while (low < high) { const middle = (low + high) >> 1; if (key(list[middle]) <= at) low = middle + 1; else high = middle; }
  return low;
};
const time = (entry) => entry[0];

/// How long ago, in go-units' words.
const ago = (micros) => {
  const secs = Math.floor(Math.max(0, micros) / 1e6), minutes = Math.floor(secs / 60);
  const hours = Math.floor((Math.max(0, micros) + 1800e6) / 3600e6);
  const words = secs < 1 ? "less than a second" : secs === 1 ? "1 second" : secs < 60 ? secs + " seconds"
    : minutes === 1 ? "about a minute" : minutes < 60 ? minutes + " minutes" : hours === 1 ? "about an hour"
    : hours < 48 ? hours + " hours" : hours < 336 ? Math.floor(hours / 24) + " days"
    : hours < 1440 ? Math.floor(hours / 168) + " weeks" : hours < 17520 ? Math.floor(hours / 720) + " months"
    : Math.floor(secs / 3600 / 8760) + " years";
  return words + " ago";
};

/// So many rows of a listing are shown.
const LISTED = 300;
const TITLES = ["ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS"];

/// A task's last change at a moment: time, and places of name, node, desired state, state, then its
/// stamp, and place of the error; only the time once it is gone.
const lastChange = (task, at) => task.changes[upTo(task.changes, at, time) - 1];

/// `docker service ps` of all services. Ties of one name go by creation, the newest first.
const listing = (run, at) => {
  const texts = run.tasks.texts, alive = [];
  for (const task of run.listed) {
    const change = lastChange(task, at);
    if (change && change.length > 1 && !(task.hidden !== null && task.hidden <= at)) alive.push([change, task]);
  }
  if (!alive.length) return "no task";
  alive.sort((a, b) => a[0][1] - b[0][1] || b[1].created - a[1].created || b[1].place - a[1].place);
  const rows = [TITLES];
  alive.slice(0, LISTED).forEach(([change, task], i) => {
    const [, name, node, desired, state, stamp, error] = change;
    const older = i > 0 && alive[i - 1][0][1] === name ? " \\_ " : "";
    rows.push([task.id, older + run.tasks.names[name], texts[task.image], texts[node], texts[desired],
      texts[state] + " " + ago(at - stamp), texts[error], texts[task.ports]]);
  });
  const wide = TITLES.map((_, column) => Math.max(10, 3 + most(rows, (row) => [...row[column]].length)));
  const line = (row) => row.map((cell, i) => (i + 1 < row.length ? cell + " ".repeat(wide[i] - [...cell].length) : cell)).join("");
  const more = alive.length > LISTED ? "\n… and " + (alive.length - LISTED) + " more tasks" : "";
  return rows.map(line).join("\n") + more;
};

/// The nodes with what the manager thinks of them, and their running tasks.
const nodeStates = (run, at) => {
  const counts = new Map();
  for (const task of run.listed) {
    const change = lastChange(task, at);
    const [desired, state] = change && change.length > 1 ? [run.tasks.texts[change[3]], run.tasks.texts[change[4]]] : [];
    if (state === undefined || phase(desired, state) !== "running") continue;
    const node = run.tasks.texts[change[2]];
    counts.set(node, (counts.get(node) || 0) + 1);
  }
  const lines = run.nodes.map(([name, changes]) => {
    const change = changes[upTo(changes, at, time) - 1];
    return change && change[1] ? name.padEnd(20) + " " + change[1].padEnd(30) + " running: " + (counts.get(name) || 0) : "";
  });
  return lines.filter((line) => line).join("\n") || "no node";
};

/// The terminal on which the last command was typed.
const terminal = (run, at) => {
  const seen = run.terminal.slice(0, upTo(run.terminal, at, time));
  let begun = seen.length - 1;
  while (begun >= 0 && seen[begun][2] !== "typed") begun--;
  if (begun < 0) return "nothing was typed yet";
  const [, step, , line] = seen[begun], rows = [], printed = [];
  let exit = "";
  for (const [, of, kind, text] of seen.slice(begun + 1)) {
    if (of !== step) continue;
    if (typeof kind === "number") rows[kind] = text;
    else if (kind === "printed") printed.push(text);
    else if (kind === "exited") exit = "\nexit code " + text;
  }
  return "$ " + line + "\n" + Array.from(rows, (row) => row || "").concat(printed).join("\n") + exit;
};

/// What a task is doing, as people see it, from one change on; null once it has ended.
const ENDED = new Set(["Complete", "Shutdown", "Failed", "Rejected", "Orphaned", "Remove"]);
const phase = (desired, state) => {
  if (ENDED.has(state)) return null;
  if (desired === "Shutdown" || desired === "Remove") return "stopping";
  if (state === "Running") return "running";
  if (state === "New" || state === "Pending") return "waiting";
  return state === "Ready" || state === "Starting" ? "starting" : "preparing";
};

/// Adds to a run what the document leaves to be worked out: all tasks in one list, their phases,
/// when they ended and how.
const prepare = (run) => {
  [run.told, run.log] = run.log;
  run.all = run.tasks.lanes.flatMap((lane) => lane.tasks);
  run.all.forEach((task, place) => {
    task.place = place;
    task.phases = [];
    task.end = run.end;
    task.ended = null;
    for (const [at, , , desired, state] of task.changes) {
      const [wish, seen] = [run.tasks.texts[desired], run.tasks.texts[state]];
      const doing = desired === undefined ? null : phase(wish, seen);
      if (doing === null) { task.end = at; task.ended = seen || "gone"; break; }
      if (!task.phases.length || task.phases[task.phases.length - 1][1] !== doing) task.phases.push([at, doing]);
    }
  });
  // By name as it was last: almost the order of every listing.
  const name = (task) => task.changes.reduce((known, change) => (change.length > 1 ? change[1] : known), 0);
  const names = run.all.map(name);
  run.listed = [...run.all].sort((a, b) => names[a.place] - names[b.place] || b.created - a.created || b.place - a.place);
  run.tasks.lanes.forEach((lane) => lane.tasks.forEach((task) => { task.lane = lane; }));
};
data.runs.forEach(prepare);
/// When the longest run ends.
const end = most(data.runs, (run) => run.end);
