// A run on a canvas: everything that stands still while the clock moves.

const LEFT = 132, RIGHT = 10, LANE = 20, ROW = 14, STACK = 96;
/// With more lanes than this they are counted, or shown so many at a time.
const LANES = 80;
const PHASES = ["running", "starting", "preparing", "waiting", "stopping"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/// When a task no longer stands for its slot: it was told to stop, or has ended.
const held = (task) => {
  const stopping = task.phases.find(([, doing]) => doing === "stopping");
  return stopping ? stopping[0] : task.end;
};
/// Tasks in rows, so that none covers another that still counts.
const rowsOf = (tasks, until) => {
  const rows = [];
  for (const task of tasks) {
    if (!task.phases.length) continue;
    const row = rows.find((row) => until(row[row.length - 1]) <= task.phases[0][0]);
    if (row) row.push(task); else rows.push([task]);
  }
  return rows;
};
/// Numbers within names go by their value.
const natural = new Intl.Collator("en", { numeric: true });
const nodeOf = (run, task) => {
  const change = task.changes.findLast((change) => change.length > 1);
  return (change && run.tasks.texts[change[2]]) || "no node yet";
};

/// What is to be drawn: lanes with rows of tasks, or groups whose tasks are counted.
const layout = (run, how) => {
  if (how.byNode) {
    const nodes = [...groupedByNode(run)].map(([name, tasks]) => ({ name, tasks, rows: null }));
    const lanes = nodes.map((node) => ({ ...node, rows: node.tasks.length ? rowsOf(node.tasks, (task) => task.end) : [[]] }));
    const rows = lanes.reduce((sum, lane) => sum + lane.rows.length, 0);
    return rows <= LANES ? { of: lanes.length, from: 0, shown: lanes } : part(nodes, how.first, "nodes");
  }
  const lanes = () => run.tasks.lanes.map((lane) => ({ name: lane.name, rows: rowsOf(lane.tasks, held) }));
  if (run.tasks.lanes.length <= LANES) return { of: run.tasks.lanes.length, from: 0, shown: lanes() };
  if (how.single) return part(lanes(), how.first, "slots");
  const services = [...grouped(run.all, (task) => task.lane.service)].map(([name, tasks]) => ({ name, tasks, rows: null }));
  return part(services, how.first, "services");
};
const grouped = (tasks, key) => {
  const groups = new Map();
  for (const task of tasks) {
    const name = key(task);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(task);
  }
  return groups;
};
const groupedByNode = (run) => {
  const groups = grouped(run.all, (task) => nodeOf(run, task));
  for (const [name] of run.nodes) if (!groups.has(name)) groups.set(name, []);
  return [...groups].sort(([a], [b]) => natural.compare(a, b));
};
const part = (all, first, what) => {
  const from = Math.min(first, Math.max(0, all.length - 1));
  return { of: all.length, from, shown: all.slice(from, from + LANES / 2), what };
};

/// Draws a run and tells where things are, for the pointer.
const draw = (canvas, run, how) => {
  const plan = layout(run, how), wide = how.wide, ratio = window.devicePixelRatio || 1;
  const names = [...new Set(run.updates.map((update) => update[0]))];
  const height = (lane) => (lane.rows ? (lane.rows.length > 1 ? 4 + ROW * lane.rows.length : LANE) : how.byNode ? 28 : STACK);
  const lanesHigh = plan.shown.reduce((sum, lane) => sum + height(lane), 0);
  const requests = 46 * run.requests.length;
  const high = 24 + names.length * LANE + lanesHigh + 6 + run.running.length * 52 + requests + 22;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  const c = canvas.getContext("2d");
  c.scale(ratio, ratio);
  c.clearRect(0, 0, wide, high);
  c.font = "12px system-ui, sans-serif";
  c.textBaseline = "middle";
  const theme = Object.fromEntries([...PHASES, "fg", "dim", "line", "bad", "fine", "updating", "rolling", "paused"].map((name) => [name, colour(name)]));
  const x = (at) => LEFT + (wide - LEFT - RIGHT) * Math.min(at, end) / end;
  const label = (text, y) => {
    c.fillStyle = theme.fg;
    c.textAlign = "right";
    // The end of a name, often a number, matters as much as its beginning.
    let short = text;
    for (let kept = text.length - 1; kept > 4 && c.measureText(short).width > LEFT - 14; kept--) {
      short = text.slice(0, Math.ceil(kept / 2)) + "…" + text.slice(text.length - Math.floor(kept / 2));
    }
    c.fillText(short, LEFT - 8, y);
  };
  /// Versions that follow one another differ in their lines: none, rising, falling, upright.
  const hatch = (version, from, to, top, tall) => {
    if (version % 4 === 1) return;
    c.save();
    c.beginPath(); c.rect(from, top, to - from, tall); c.clip();
    strokes(version, from, to, top, tall);
    c.restore();
  };
  const strokes = (version, from, to, top, tall) => {
    const [low, high] = [[0, 0], [0, 0], [0, tall], [tall, 0]][version % 4];
    c.strokeStyle = "rgba(255,255,255,0.55)"; c.lineWidth = 2;
    c.beginPath();
    for (let at = from - tall; at < to; at += 7) { c.moveTo(at + high, top + tall); c.lineTo(at + low, top); }
    c.stroke();
    c.lineWidth = 1;
  };
  const map = { high, x, flags: [], bands: [], rows: [], plan };
  let y = 4;
  run.marks.forEach(([at, fault, text]) => {
    c.fillStyle = fault ? theme.bad : theme.fg;
    c.textAlign = "left";
    c.fillText(fault ? "⚡" : "▾", x(at) - 4, y + 8);
    map.flags.push([x(at), at, text, fault]);
  });
  y += 20;
  for (const name of names) {
    label(name + ": update", y + LANE / 2);
    for (const [service, from, until, state] of run.updates) {
      if (service !== name) continue;
      c.fillStyle = theme[{ updating: "updating", rollback_started: "rolling", paused: "paused", rollback_paused: "paused" }[state] || "fine"];
      c.fillRect(x(from), y + 3, Math.max(1, x(until) - x(from)), LANE - 6);
      // One may follow another of its kind.
      c.fillStyle = theme.fg; c.fillRect(x(from), y + 3, 1, LANE - 6);
      c.fillStyle = { updating: "#111", rollback_started: "#111" }[state] || theme.fg; c.textAlign = "left";
      if (x(until) - x(from) > c.measureText(state).width + 8) c.fillText(state, x(from) + 4, y + LANE / 2);
    }
    map.bands.push([y, name]);
    y += LANE;
  }
  /// One task in a row of a lane. Its phases differ in height and outline, not in colour alone.
  const bar = (task, top, tall) => {
    task.phases.forEach(([from, doing], i) => {
      const until = i + 1 < task.phases.length ? task.phases[i + 1][0] : task.end;
      const part = { running: 1, starting: 0.7, preparing: 0.45, waiting: 0.45, stopping: 0.25 }[doing];
      const thick = Math.max(2, Math.round(tall * part)), at = doing === "stopping" ? top + tall - thick : top;
      const width = Math.max(1, x(until) - x(from));
      c.fillStyle = c.strokeStyle = theme[doing];
      if (doing === "waiting" && width > 2) c.strokeRect(x(from) + 0.5, at + 0.5, width - 1, thick - 1);
      else c.fillRect(x(from), at, width, thick);
      if (doing !== "waiting") hatch(task.v, x(from), x(from) + width, at, thick);
    });
  };
  const words = (task, top, tall) => {
    const from = x(task.phases[0][0]);
    c.textAlign = "left";
    const name = (how.byNode ? task.lane.name + " " : "") + "v" + task.v;
    c.fillStyle = "#111";
    if (x(task.end) - from > c.measureText(name).width + 8) c.fillText(name, from + 4, top + tall / 2);
    if (task.failed && task.ended) {
      c.textAlign = "center"; c.lineWidth = 3; c.strokeStyle = "#fff"; c.fillStyle = "#b3261e";
      c.strokeText("✗", x(task.end), top + tall / 2); c.fillText("✗", x(task.end), top + tall / 2);
      c.lineWidth = 1;
    }
  };
  /// How many tasks of a group do what, column by column of pixels.
  const stack = (tasks, top, tall) => {
    const columns = Math.max(1, Math.round(wide - LEFT - RIGHT)), counts = new Map(), failed = new Int32Array(columns + 1);
    const column = (at) => Math.min(columns - 1, Math.floor(columns * Math.min(at, end) / end));
    for (const task of tasks) {
      task.phases.forEach(([from, doing], i) => {
        const until = i + 1 < task.phases.length ? task.phases[i + 1][0] : task.end;
        const kind = doing + task.v % 4;
        if (!counts.has(kind)) counts.set(kind, new Int32Array(columns + 1));
        counts.get(kind)[column(from)]++;
        counts.get(kind)[until >= end ? columns : column(until)]--;
      });
      if (task.failed && task.ended) failed[column(task.end)]++;
    }
    for (const steps of counts.values()) for (let i = 1; i <= columns; i++) steps[i] += steps[i - 1];
    const total = new Float64Array(columns);
    for (const steps of counts.values()) for (let i = 0; i < columns; i++) total[i] += steps[i];
    const all = total.reduce((a, b) => Math.max(a, b), 1), base = new Float64Array(columns);
    const level = (count) => top + tall - 2 - (tall - 4) * count / all;
    for (const doing of PHASES) for (const version of [1, 2, 3, 0]) {
      const steps = counts.get(doing + version);
      if (!steps) continue;
      c.beginPath();
      for (let i = 0; i < columns; i++) {
        if (steps[i]) c.rect(LEFT + i, level(base[i] + steps[i]), 1, level(base[i]) - level(base[i] + steps[i]));
        base[i] += steps[i];
      }
      c.fillStyle = theme[doing]; c.fill();
      if (version !== 1) { c.save(); c.clip(); strokes(version, LEFT, LEFT + columns, top, tall); c.restore(); }
    }
    c.fillStyle = theme.bad;
    for (let i = 0; i < columns; i++) if (failed[i]) c.fillRect(LEFT + i, top, 1, 6);
    return all;
  };
  /// While a node is not ready, its lane is red.
  const absent = (name, top, tall) => {
    const node = run.nodes.find((node) => node[0] === name);
    (node ? node[1] : []).forEach(([from, state], i, changes) => {
      if (!state || state.startsWith("ready") && !state.includes("without power")) return;
      const until = i + 1 < changes.length ? changes[i + 1][0] : run.end;
      c.globalAlpha = 0.18; c.fillStyle = theme.bad;
      c.fillRect(x(from), top, Math.max(1, x(until) - x(from)), tall);
      c.globalAlpha = 1;
    });
  };
  for (const lane of plan.shown) {
    const tall = height(lane);
    if (!lane.rows) {
      const all = stack(lane.tasks, y, tall);
      label(lane.name + (tall > 40 ? "" : ": " + all), y + 10);
      if (tall > 40) { label("0 to " + all + " tasks", y + 26); }
      map.rows.push([y, y + tall, null, lane.name, lane.tasks]);
    } else {
      label(lane.name, y + LANE / 2);
      if (how.byNode) absent(lane.name, y, tall);
      const each = lane.rows.length > 1 ? ROW : LANE;
      lane.rows.forEach((tasks, i) => {
        const top = y + 1 + i * each;
        // What is told to stop is thin, and lies below what comes after it.
        for (const task of tasks) bar(task, top, each - 2);
        for (const task of tasks) words(task, top, each - 2);
        for (const task of tasks) for (const [at, kind] of run.probesOf.get(task.place) || []) {
          if (at > task.end) continue;
          const long = [3, 8, 12][kind];
          c.fillStyle = kind ? theme.bad : theme.fg;
          c.fillRect(x(at), top + each - 2 - long, kind === 2 ? 3 : 1, long);
        }
        map.rows.push([top, top + each, tasks, lane.name]);
      });
    }
    y += tall;
  }
  y += 6;
  for (const [service, steps] of run.running) {
    const all = most(steps, (step) => step[1]);
    label(service + ": running", y + 10);
    label("0 to " + all, y + 26);
    const level = (count) => y + 40 - 40 * count / all;
    c.beginPath(); c.moveTo(LEFT, y + 40);
    let last = 0;
    for (const [at, count] of steps) { c.lineTo(x(at), level(last)); c.lineTo(x(at), level(count)); last = count; }
    c.lineTo(x(run.end), level(last)); c.lineTo(x(run.end), y + 40); c.closePath();
    c.fillStyle = theme.fine; c.fill();
    c.strokeStyle = theme.running; c.stroke();
    y += 52;
  }
  for (const [service, seconds] of run.requests) {
    const all = most(seconds, (second) => second[1] + second[2]);
    const lost = seconds.reduce((sum, second) => sum + second[2], 0);
    label(service + ": requests", y + 10);
    label("0 to " + all + " / s", y + 24);
    label(lost + " lost, in red", y + 38);
    for (const [second, good, bad] of seconds) {
      const from = x(second * 1e6), width = Math.max(1, x((second + 1) * 1e6) - from);
      c.fillStyle = theme.updating; c.fillRect(from, y + 40 - 40 * good / all, width, 40 * good / all);
      c.fillStyle = theme.bad; c.fillRect(from, y + 40 - 40 * (good + bad) / all, width, 40 * bad / all);
    }
    y += 46;
  }
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 604800];
  const step = steps.find((step) => end / 1e6 / step <= wide / 90) || Math.ceil(end / 1e6 / 10);
  c.fillStyle = theme.dim; c.strokeStyle = theme.line; c.textAlign = "center";
  for (let at = 0; at * 1e6 <= end; at += step) {
    c.globalAlpha = 0.5; c.beginPath(); c.moveTo(x(at * 1e6), 20); c.lineTo(x(at * 1e6), y); c.stroke(); c.globalAlpha = 1;
    c.fillText(at + " s", x(at * 1e6), y + 10);
  }
  map.bottom = y;
  return map;
};

/// What a task is doing at a moment; nothing before and after its life.
const doingAt = (task, at) => (at > task.end ? undefined : (task.phases.findLast(([from]) => from <= at) || [])[1]);

/// What is at a place of a drawn run: a flag, an update, or a task; or nothing.
const hit = (map, run, px, py, at) => {
  if (py < 22) {
    const near = map.flags.filter((flag) => Math.abs(flag[0] - px) < 8);
    near.sort((a, b) => Math.abs(a[0] - px) - Math.abs(b[0] - px));
    if (near.length) return { at: near[0][1], words: near[0][2], kinds: ["command", "fault"] };
  }
  const band = map.bands.find(([top]) => py >= top && py < top + LANE);
  if (band) {
    const update = run.updates.find(([service, from, until]) => service === band[1] && from <= at && at < until);
    if (update) return { at: update[1], words: band[1] + ": " + update[3] + " since " + seconds(update[1]), kinds: ["update"] };
  }
  const row = map.rows.find(([top, bottom]) => py >= top && py < bottom);
  if (row && !row[2]) {
    const counts = new Map();
    for (const task of row[4]) {
      const doing = doingAt(task, at);
      if (doing) counts.set(doing + " v" + task.v, (counts.get(doing + " v" + task.v) || 0) + 1);
    }
    const words = [...counts].sort().map(([doing, count]) => count + " " + doing).join(", ");
    return { at, words: row[3] + " at " + seconds(at) + ": " + (words || "no task") };
  }
  // What is told to stop is the strip at the foot of its row; its successor is above it.
  const here = ((row && row[2]) || []).filter((task) => task.phases[0][0] <= at && at <= Math.max(task.end, task.phases[0][0] + end / 200));
  const strip = row && py > row[1] - (row[1] - row[0]) * 0.3;
  const task = here.findLast((task) => (doingAt(task, at) === "stopping") === Boolean(strip)) || here[here.length - 1];
  if (!task) return null;
  const change = lastChange(task, at) || task.changes[0], texts = run.tasks.texts;
  const state = change.length > 1 ? texts[change[4]] + ", desired " + texts[change[3]] + (texts[change[2]] ? ", on " + texts[change[2]] : "") : "gone";
  return { at, task, words: row[3] + ", task " + task.n + ", v" + task.v + " " + texts[task.image] + ": " + state };
};
