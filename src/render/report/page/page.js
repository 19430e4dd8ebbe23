// The clock of the page, and the keys that move it.

const moments = [...new Set(data.runs.flatMap((run) => run.log.map(time)))].sort((a, b) => a - b);
const page = {
  clock: 0, playing: false, byNode: false, before: 0, asked: false,
  /// Shows the moment in the next frame.
  show() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      byId("now").textContent = seconds(this.clock);
      byId("clock").value = this.clock;
      byId("clock").setAttribute("aria-valuetext", seconds(this.clock));
      for (const run of runs) { run.hands(); run.texts(); }
    });
  },
  draw() {
    for (const run of runs) run.draw();
  },
  set(at) {
    this.clock = Math.min(end, Math.max(0, at));
    for (const run of runs) { run.chosen = null; run.said = null; }
    this.show();
  },
  play(on) {
    this.playing = on;
    byId("play").textContent = on ? "❚❚ pause" : "▶ play";
    byId("play").setAttribute("aria-pressed", on);
    if (!on) return;
    if (this.clock >= end) this.set(0);
    this.before = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  },
  tick(now) {
    if (!this.playing) return;
    this.set(this.clock + Math.max(0, now - this.before) * 1000 * byId("speed").value);
    this.before = now;
    if (this.clock >= end) this.play(false); else requestAnimationFrame((now) => this.tick(now));
  },
  /// To the next moment at which something happens, or the one before.
  jump(by) {
    this.play(false);
    const place = by > 0 ? upTo(moments, this.clock, (at) => at) : upTo(moments, this.clock - 1, (at) => at) - 1;
    this.set(place < 0 ? 0 : place >= moments.length ? end : moments[place]);
  },
  nodes() {
    this.byNode = !this.byNode;
    byId("byNode").setAttribute("aria-pressed", this.byNode);
    for (const run of runs) run.first = 0;
    this.draw();
  },
  /// Paper is light, whatever the screen is.
  paper(on) {
    document.documentElement.classList.toggle("paper", on);
    for (const run of runs) run.print(on);
    this.draw();
  },
};
const runs = data.runs.map((run) => new Run(run, byId("runs"), page));
byId("runs").classList.toggle("two", runs.length > 1);
byId("clock").max = end;
byId("clock").step = "any";
byId("play").onclick = () => page.play(!page.playing);
byId("back").onclick = () => page.jump(-1);
byId("next").onclick = () => page.jump(1);
byId("clock").oninput = (event) => page.set(Number(event.target.value));
byId("byNode").onclick = () => page.nodes();
// A scroll bar narrows the page as much as a window does.
new ResizeObserver(() => { if (runs.some((run) => run.canvas.clientWidth !== run.wide)) page.draw(); }).observe(byId("runs"));
window.onbeforeprint = () => page.paper(true);
window.onafterprint = () => page.paper(false);
matchMedia("(prefers-color-scheme: dark)").onchange = () => page.draw();
document.onkeydown = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // A select has keys of its own; a button has the space bar.
  if (event.target.matches("select") || (event.target.matches("button") && [" ", "Enter"].includes(event.key))) return;
  const speed = byId("speed");
  const keys = { " ": () => page.play(!page.playing), ArrowLeft: () => page.jump(-1), ArrowRight: () => page.jump(1), Home: () => page.set(0), End: () => page.set(end),
    "+": () => { speed.selectedIndex = Math.min(speed.options.length - 1, speed.selectedIndex + 1); },
    "-": () => { speed.selectedIndex = Math.max(0, speed.selectedIndex - 1); }, n: () => page.nodes() };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
};
// A link may name a moment, a view, and whether it plays: report.html#t=50&tab=why&play
const follow = () => {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const run of runs) if (run.tabs.some(([id]) => id === wanted.get("tab"))) run.tab = wanted.get("tab");
  page.set(Number(wanted.get("t")) * 1e6 || 0);
  if (wanted.has("play")) page.play(true);
};
page.draw();
follow();
window.onhashchange = follow;
