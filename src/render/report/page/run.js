// One run on the page: its picture, docker's views, what happens and why.

const byId = (id) => document.getElementById(id);
const make = (tag, text, parent) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.append(element);
  return element;
};
const LEGEND = "height and colour: full, green: running · yellow: starting, lower: preparing · outline: waiting · grey, thin: told to stop"
  + " · v1, v2: versions of the service's tasks, told apart by their hatching · ✗: failed · ticks: probes, tall ones failed, thick ones timed out"
  + " · ▾ command, ⚡ fault · click or tap anything: what and why";

class Run {
  constructor(run, parent, page) {
    this.run = run;
    this.page = page;
    this.tab = "terminal";
    this.chosen = null;
    this.first = 0;
    this.single = false;
    const probes = new Map();
    for (const [place, at, kind] of run.probes[1]) {
      if (!probes.has(place)) probes.set(place, []);
      probes.get(place).push([at, kind]);
    }
    run.probesOf = probes;
    const section = make("section", undefined, parent);
    make("h2", run.name + "  (seed " + run.seed + ")", section);
    this.canvas = make("canvas", undefined, section);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "tasks of each slot over time; the list below tells the same in words");
    this.still = document.createElement("canvas");
    this.pager = make("div", undefined, section);
    this.pager.className = "pager";
    make("p", LEGEND, section).className = "legend";
    const all = run.probes[0], kept = run.probes[1].length, lanes = run.tasks.lanes.length;
    const missing = (all > kept ? ["of " + all + " probes " + kept + " that did not pass are drawn"] : [])
      .concat(run.told < lanes ? ["of " + lanes + " slots the first " + run.told + " have their lines below, causes included; the counts, and docker's views, are of all"] : []);
    if (missing.length) make("p", "A long run: " + missing.join("; ") + ".", section).className = "legend";
    this.flag = make("p", "", section);
    this.flag.className = "legend";
    const tabs = make("div", undefined, section);
    tabs.className = "tabs";
    tabs.setAttribute("role", "tablist");
    this.tabs = [["terminal", "terminal"], ["ps", "docker service ps"], ["nodes", "nodes"], ["why", "why?"]].map(([id, title]) => {
      const button = make("button", title, tabs);
      button.setAttribute("role", "tab");
      button.onclick = () => { this.tab = id; this.texts(); };
      return [id, button];
    });
    this.view = make("pre", "", section);
    this.view.tabIndex = 0;
    this.view.setAttribute("role", "tabpanel");
    this.paper = make("div", undefined, section);
    make("h2", "what happens", section);
    this.foot = make("p", "Ends at " + seconds(run.end) + ": " + run.why + ".", undefined);
    this.list = make("ol", undefined, section);
    section.append(this.foot);
    this.foot.className = "legend";
    const failed = run.expected.filter(([, found]) => found !== null);
    if (run.expected.length) {
      make("h2", "expectations: " + (run.expected.length - failed.length) + " of " + run.expected.length + " hold", section);
      const told = run.expected.map(([claim, found]) => (found === null ? "ok    " + claim : "FAIL  " + claim + "; found: " + found));
      make("pre", told.join("\n"), section).className = "low";
    }
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.pressed = event.clientX;
      // A finger may be about to scroll the page.
      if (event.pointerType !== "touch") this.page.set(this.moment(event));
    };
    this.canvas.onpointermove = (event) => {
      if (event.buttons) { this.page.set(this.moment(event)); return; }
      const what = this.under(event);
      this.canvas.title = what ? what.words : "";
    };
    this.canvas.onpointerup = (event) => {
      this.page.set(this.moment(event));
      if (Math.abs(event.clientX - this.pressed) < 4) this.choose(this.under(event));
    };
  }
  moment(event) {
    const box = this.canvas.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    return Math.round(Math.min(1, Math.max(0, share)) * end);
  }
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    return hit(this.map, this.run, event.clientX - box.left, event.clientY - box.top, this.moment(event));
  }
  /// Shows the line that tells of what was clicked, its fields and causes.
  choose(what) {
    if (!what) return;
    this.page.set(what.at);
    this.tab = "why";
    if (!what.task && !what.kinds) { this.said = what.words; return; }
    const log = this.run.log;
    let place = upTo(log, what.at, time) - 1;
    const about = (line) => (what.task ? line[4] === what.task.place : line[0] === what.at && what.kinds.includes(JSON.parse(line[5]).kind));
    while (place >= 0 && !about(log[place])) place--;
    if (place < 0) { this.said = what.words + "\n\nThe lines of this slot are not on this page."; return; }
    this.page.set(what.task ? what.at : log[place][0]);
    this.chosen = place;
  }
  /// Draws what stands still. The clock's line comes on top of it, frame by frame.
  draw() {
    this.wide = this.canvas.clientWidth || 800;
    const how = { byNode: this.page.byNode, single: this.single, first: this.first, wide: this.wide };
    this.map = draw(this.still, this.run, how);
    this.canvas.style.height = this.map.high + "px";
    this.canvas.width = this.still.width;
    this.canvas.height = this.still.height;
    this.pages();
    this.hands();
  }
  hands() {
    const c = this.canvas.getContext("2d"), ratio = this.canvas.width / this.wide;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    c.drawImage(this.still, 0, 0);
    c.strokeStyle = colour("bad"); c.lineWidth = 1.5 * ratio;
    const x = this.map.x(this.page.clock) * ratio;
    c.beginPath(); c.moveTo(x, 0); c.lineTo(x, this.map.bottom * ratio); c.stroke();
  }
  /// Of many lanes a part is shown.
  pages() {
    const { of, from, shown, what } = this.map.plan;
    const held = [...this.pager.children].indexOf(document.activeElement);
    this.pager.replaceChildren();
    const button = (text, act) => { make("button", text, this.pager).onclick = () => { act(); this.draw(); }; };
    if (!this.page.byNode && this.run.tasks.lanes.length > LANES) {
      button(this.single ? "count the tasks" : "slot by slot", () => { this.single = !this.single; this.first = 0; });
    }
    if (shown.length === of) return;
    button("◀", () => { this.first = Math.max(0, from - LANES / 2); });
    make("span", what + " " + (from + 1) + " to " + (from + shown.length) + " of " + of, this.pager);
    button("▶", () => { if (from + shown.length < of) this.first = from + LANES / 2; });
    if (held >= 0 && this.pager.children[held]) this.pager.children[held].focus();
  }
  causes() {
    if (this.said) return this.said;
    const log = this.run.log;
    let place = this.chosen === null ? upTo(log, this.page.clock, time) - 1 : this.chosen;
    if (place < 0) return "nothing has happened yet";
    const chain = [], fields = Object.entries(JSON.parse(log[place][5]));
    while (place !== null && place >= 0) { chain.push(log[place]); place = log[place][1]; }
    const lines = chain.reverse().map((line) => stamp(line) + "  " + line[3]);
    const value = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2).replaceAll("\n", "\n      "));
    return lines.join("\n") + "\n\nthe last of these as the timeline has it:\n" + fields.map(([key, of]) => "  " + key + ": " + value(of)).join("\n");
  }
  /// Its views at the clock; of two runs the shorter one stays as it ended.
  views() {
    const clock = Math.min(this.page.clock, this.run.end), over = this.page.clock > this.run.end ? "as it ended at " + seconds(clock) + ":\n" : "";
    return { terminal: () => over + terminal(this.run, clock), ps: () => over + listing(this.run, clock), nodes: () => over + nodeStates(this.run, clock), why: () => this.causes() };
  }
  /// Paper has no buttons: all views, one below the other.
  print(on) {
    this.paper.replaceChildren();
    if (!on) return;
    for (const [id, button] of this.tabs) {
      make("h2", button.textContent + " at " + seconds(this.page.clock), this.paper);
      make("pre", this.views()[id](), this.paper);
    }
  }
  texts() {
    const clock = this.page.clock;
    for (const [id, button] of this.tabs) button.setAttribute("aria-selected", id === this.tab);
    this.view.setAttribute("aria-label", this.tabs.find(([id]) => id === this.tab)[1].textContent);
    const mark = this.run.marks[upTo(this.run.marks, clock, time) - 1];
    const flag = mark ? "last flag: " + (mark[1] ? "fault, " : "") + mark[2] : "";
    if (this.flag.textContent !== flag) this.flag.textContent = flag;
    const view = this.views()[this.tab]();
    if (this.view.textContent !== view) this.view.textContent = view;
    const log = this.run.log, told = upTo(log, clock, time), state = told + " " + this.chosen;
    if (this.told === state) return;
    this.told = state;
    const from = Math.max(0, told - 60), to = Math.min(log.length, told + 30);
    const held = this.list.contains(document.activeElement);
    this.list.replaceChildren();
    for (let place = from; place < to; place++) {
      const [, , weight, text] = log[place];
      const button = make("button", stamp(log[place]) + "  " + text, make("li", undefined, this.list));
      const now = place === (this.chosen ?? told - 1);
      button.className = (place >= told ? "ahead " : "") + (now ? "now " : "") + (weight === 3 ? "turn" : "");
      button.title = "why?";
      button.onclick = () => { this.chosen = place; this.said = null; this.tab = "why"; this.texts(); };
      if (now) this.mark = button;
      // One of them is enough for the tabulator; the arrows go through the moments.
      button.tabIndex = now ? 0 : -1;
    }
    if (held && this.mark) this.mark.focus({ preventScroll: true });
    if (this.mark) this.list.scrollTop = this.mark.offsetTop - this.list.offsetTop - this.list.clientHeight / 2;
  }
}
