//! The report page in a real browser: driven as people drive it. Skipped, and said so, where there
//! is no Chromium.

use std::sync::Arc;

use chromium::Chromium;
use serde_json::json;
use support::{Place, swarmsim};
use swarmsim::base::time::SimTime;
use swarmsim::cli::run::records_of;
use swarmsim::client::command::ListOptions;
use swarmsim::client::ps::ps;
use swarmsim::render::rows::Rows;
use swarmsim::scenario::load;

#[path = "support/chromium.rs"]
mod chromium;
mod support;

/// A page in a browser, and the folder that is theirs.
struct Shown {
    browser: Chromium,
    /// Gone when the browser is.
    _place: Place,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.browser.close();
    }
}

/// The report of these runs; none without a browser.
fn shown(name: &str, runs: &[&str], hash: &str) -> Option<Shown> {
    let place = Place::new(name);
    let page = place.path("page.html");
    let out = ["--out", page.to_str().unwrap()];
    let report = swarmsim(&[&["report"], runs, &out].concat());
    let told = report.stderr.is_empty() || report.stderr.contains(" was changed: its records");
    assert!(report.code == Some(0) && told, "{}", report.stderr);
    let Some(browser) = Chromium::open(&place.path("profile")) else {
        println!("skipped: there is no chromium here (Debian's package chromium has it)");
        return None;
    };
    let mut shown = Shown { browser, _place: place };
    shown.browser.size(1280, 1000);
    shown.browser.visit(&page, hash);
    Some(shown)
}

impl Shown {
    fn text(&mut self, script: &str) -> String {
        let value = self.browser.eval(script);
        value.as_str().unwrap_or_else(|| panic!("{script} is {value}, no text")).to_string()
    }

    fn number(&mut self, script: &str) -> f64 {
        let value = self.browser.eval(script);
        value.as_f64().unwrap_or_else(|| panic!("{script} is {value}, no number"))
    }

    /// What the view under the picture says, once the frame is drawn.
    fn view(&mut self) -> String {
        self.frame();
        self.text("document.querySelector('pre').textContent")
    }

    fn now(&mut self) -> String {
        self.frame();
        self.text("document.getElementById('now').textContent")
    }

    fn frame(&mut self) {
        let twice = "requestAnimationFrame(() => requestAnimationFrame(() => done(1)))";
        self.browser.eval(&format!("new Promise(done => {twice})"));
    }

    /// Where a moment, and a row of the first run's picture, are on the screen.
    fn place(&mut self, micros: u64, row: usize) -> (f64, f64) {
        let x = self.number(&format!(
            "runs[0].canvas.getBoundingClientRect().left + runs[0].map.x({micros})"
        ));
        let y = self.number(&format!(
            "runs[0].canvas.getBoundingClientRect().top + runs[0].map.rows[{row}][0] + 5"
        ));
        (x, y)
    }

    fn is_quiet(&mut self) {
        let complaints = self.browser.complaints();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

const WHOAMI: &str = "scenarios/whoami-autorollback.yaml";

#[test]
fn a_link_names_a_moment_and_a_view() {
    for (hash, clock, words) in [
        ("t=50", "50.000 s", "overall progress: 0 out of 2 tasks"),
        ("t=50&tab=ps", "50.000 s", "Starting 20 seconds ago"),
        ("t=50&tab=nodes", "50.000 s", "node-1               ready    active"),
        ("t=56.6&tab=why", "56.600 s", "docker service update --image lucj/whoami:2.0"),
    ] {
        let Some(mut page) = shown("browser-link", &[WHOAMI], hash) else { return };
        assert_eq!(page.now(), clock);
        let view = page.view();
        assert!(view.contains(words), "{hash}: {view}");
        page.is_quiet();
    }
}

/// The page makes docker's table by itself: it must be the one that docker makes.
#[test]
fn the_listing_is_dockers() {
    for scenario in ["whoami-autorollback", "order", "jobs", "rollback", "slow-start"] {
        let file = format!("scenarios/{scenario}.yaml");
        let Some(mut page) = shown("browser-ps", &[&file], "") else { return };
        let parsed = Arc::new(load(&std::fs::read_to_string(&file).unwrap()).unwrap());
        let (records, footer) = records_of(&parsed);
        let end = footer.at.0 / 1_000;
        let mut rows = Rows::default();
        let mut records = records.iter().peekable();
        let mut compared = 0;
        for step in 0..60 {
            let micros = end * step / 59;
            let at = SimTime(micros * 1_000);
            while let Some(record) = records.next_if(|record| record.at <= at) {
                rows.take(record);
            }
            let tasks = rows.tasks();
            let expected = if tasks.is_empty() {
                "no task\n".to_string()
            } else {
                compared += 1;
                ps(&tasks, &ListOptions::default(), "", at).unwrap()
            };
            let found = page.text(&format!("listing(data.runs[0], {micros}) + '\\n'"));
            assert_eq!(found, expected, "{scenario} at {micros} µs");
        }
        assert!(compared > 40, "{scenario}");
        page.is_quiet();
    }
}

#[test]
fn the_clock_is_dragged_stepped_and_played() {
    let Some(mut page) = shown("browser-clock", &[WHOAMI], "") else { return };
    let (from, to) = (page.place(10_000_000, 0), page.place(50_000_000, 0));
    page.browser.drag(from, to);
    let clock = page.number("page.clock / 1e6");
    assert!((49.8..50.2).contains(&clock), "{clock}");
    page.browser.key("Home");
    assert_eq!(page.now(), "0.000 s");
    page.browser.key("ArrowRight");
    let first = page.number("moments.find(at => at > 0)");
    assert_eq!(page.number("page.clock").to_bits(), first.to_bits());
    page.browser.key("ArrowLeft");
    assert_eq!(page.now(), "0.000 s");
    page.browser.key("End");
    assert_eq!(page.number("page.clock - end").to_bits(), 0.0_f64.to_bits());
    page.browser.key("Home");
    page.browser.key("+");
    assert_eq!(page.text("document.getElementById('speed').value"), "20");
    page.browser.key(" ");
    let moved = "new Promise(done => { const look = () => page.clock > 1e6 \
        ? done(page.playing) : setTimeout(look, 20); look(); })";
    assert_eq!(page.browser.eval(moved), json!(true));
    page.browser.key(" ");
    assert_eq!(page.browser.eval("page.playing"), json!(false));
    page.browser.key("n");
    assert_eq!(page.browser.eval("page.byNode"), json!(true));
    assert_eq!(page.text("runs[0].map.rows[0][3]"), "node-1");
    page.is_quiet();
}

/// Whatever is clicked tells what it is, and why.
#[test]
fn what_is_clicked_is_explained() {
    let Some(mut page) = shown("browser-click", &[WHOAMI], "") else { return };
    let task = page.place(40_000_000, 0);
    page.browser.click(task);
    let view = page.view();
    assert!(view.contains("kind: health") && view.contains("probe failed"), "{view}");
    assert!(view.contains("docker service update --image"), "the chain begins elsewhere: {view}");
    let mark = page.number("data.runs[0].marks[1][0]") as u64;
    let (x, _) = page.place(mark, 0);
    let top = page.number("runs[0].canvas.getBoundingClientRect().top");
    page.browser.click((x, top + 10.0));
    let view = page.view();
    assert!(view.contains("kind: command") && view.contains("docker service update"), "{view}");
    let (x, _) = page.place(60_000_000, 0);
    page.browser.click((x, top + 34.0));
    let view = page.view();
    assert!(view.contains("kind: update") && view.contains("rollback_started"), "{view}");
    page.browser.key("Home");
    page.frame();
    page.browser.eval("document.querySelector('ol button').click()");
    let view = page.view();
    assert!(view.contains("no: 0"), "{view}");
    page.is_quiet();
}

#[test]
fn two_runs_have_one_clock() {
    let runs = ["scenarios/order.yaml", "scenarios/jobs.yaml"];
    let Some(mut page) = shown("browser-two", &runs, "t=20") else { return };
    page.frame();
    let views =
        "[...document.querySelectorAll('[role=tabpanel]')].map(pre => pre.textContent).join('|')";
    let before = page.text(views);
    assert_eq!(before.split('|').count(), 2);
    assert!(before.split('|').all(|view| view.starts_with("$ docker")), "{before}");
    page.browser.key("End");
    page.frame();
    let after = page.text(views);
    assert!(before.split('|').zip(after.split('|')).all(|(a, b)| a != b), "{after}");
    assert!(page.number("runs[1].canvas.getBoundingClientRect().left") > 600.0);
    page.browser.size(412, 800);
    page.frame();
    let wide = page.number("document.documentElement.scrollWidth");
    assert!(wide <= 412.0, "a phone must scroll sideways: {wide}");
    assert!(page.number("runs[1].canvas.getBoundingClientRect().left") < 50.0);
    page.is_quiet();
}

#[test]
fn dark_screens_are_dark_and_paper_is_light() {
    let Some(mut page) = shown("browser-print", &[WHOAMI], "") else { return };
    let background = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.text(background), "rgb(255, 255, 255)");
    page.browser.dark();
    assert_eq!(page.text(background), "rgb(22, 24, 27)");
    page.browser.eval("window.dispatchEvent(new Event('beforeprint'))");
    assert_eq!(page.text(background), "rgb(255, 255, 255)");
    assert_eq!(page.text("colour('fg')"), "#1b1b1b");
    page.browser.eval("window.dispatchEvent(new Event('afterprint'))");
    assert_eq!(page.text("colour('fg')"), "#e6e6e6");
    assert!(page.browser.pdf() > 10_000, "nothing was printed");
    page.is_quiet();
}

/// A name is text, whatever it looks like, and the page asks nobody for anything.
#[test]
fn a_stranger_cannot_make_the_page_do_anything() {
    let place = Place::new("odd");
    let file = place.path("{{data}}.jsonl");
    let path = file.to_str().unwrap();
    swarmsim(&["run", WHOAMI, "-q", "--timeline", path]);
    let odd = "<img src=http://127.0.0.1:9/x onerror=window.hit=1></script><script>hit=1</script>";
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("lucj/whoami:2.0", odd)).unwrap();
    let page = shown("browser-odd", &[path], "t=50&tab=ps");
    let Some(mut page) = page else { return };
    assert!(page.view().contains("<img src="), "the name is not shown");
    assert_eq!(page.browser.eval("typeof hit === 'number'"), json!(false));
    assert_eq!(page.number("performance.getEntriesByType('resource').length").to_bits(), 0);
    assert_eq!(page.text("document.querySelector('h1').textContent"), "whoami-autorollback");
    page.is_quiet();
}

/// Many slots are counted, or shown some at a time.
#[test]
fn many_slots_are_counted() {
    let place = Place::new("many");
    let file = place.path("many.yaml");
    let scenario = "name: many\nseed: 1\ncluster: {nodes: 10}\nscript:\n\
        - docker service create --name web --replicas 500 --update-parallelism 50 web:1\n\
        - wait: converged\n- docker service update --image web:2 web\n";
    std::fs::write(&file, scenario).unwrap();
    let page = shown("browser-many", &[file.to_str().unwrap()], "t=10&tab=ps");
    let Some(mut page) = page else { return };
    assert_eq!(page.number("runs[0].map.rows.length").to_bits(), 1.0_f64.to_bits());
    let view = page.view();
    assert!(view.lines().count() == 302 && view.contains("\n… and "), "{view}");
    page.browser.eval("document.querySelector('.pager button').click()");
    assert_eq!(
        page.text("document.querySelector('.pager span').textContent"),
        "slots 1 to 40 of 500"
    );
    page.browser.eval("[...document.querySelectorAll('.pager button')].at(-1).click()");
    assert_eq!(
        page.text("document.querySelector('.pager span').textContent"),
        "slots 41 to 80 of 500"
    );
    assert_eq!(page.text("runs[0].map.rows[0][3]"), "web.41");
    page.browser.key("n");
    assert_eq!(page.number("runs[0].map.rows.length").to_bits(), 10.0_f64.to_bits());
    page.is_quiet();
}

/// Not a test: figures for docs/report.md, as the browser measures them.
#[test]
#[ignore = "a measurement"]
fn how_long_a_large_page_takes() {
    for (replicas, nodes, parallelism) in [(1_000, 50, 20), (10_000, 100, 500)] {
        let name = format!("browser-large-{replicas}");
        let place = Place::new(&format!("{name}-scenario"));
        let file = place.path("large.yaml");
        let scenario = format!(
            "name: large\nseed: 1\ncluster: {{nodes: {nodes}}}\nscript:\n\
             - docker service create --name web --replicas {replicas} \
             --update-parallelism {parallelism} --update-delay 1s web:1\n\
             - wait: converged\n- docker service update --image web:2 web\n"
        );
        std::fs::write(&file, scenario).unwrap();
        let page = shown(&name, &[file.to_str().unwrap()], "tab=ps");
        let Some(mut page) = page else { return };
        page.frame();
        let ready = page.number("performance.now()");
        let frames = "new Promise(done => { const begun = performance.now(); let left = 50; \
            const next = () => { if (left-- === 0) return done((performance.now() - begun) / 50); \
            page.set(end * left / 50); requestAnimationFrame(next); }; next(); })";
        let frame = page.number(frames);
        let work = "(() => { const begun = performance.now(); for (let i = 0; i < 50; i++) { \
            page.clock = end * i / 50; runs[0].hands(); runs[0].texts(); } \
            return (performance.now() - begun) / 50; })()";
        let work = page.number(work);
        let drawn = "(() => { const begun = performance.now(); page.draw(); \
            return performance.now() - begun; })()";
        let drawn = page.number(drawn);
        println!(
            "{replicas} replicas: ready after {ready:.0} ms, a frame every {frame:.1} ms with \
             {work:.1} ms of work, drawn anew in {drawn:.0} ms"
        );
    }
}
