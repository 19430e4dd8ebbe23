//! The player on a terminal: a state in, cells out.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::Paragraph;

use crate::base::ids::NodeIx;
use crate::client::command::ListOptions;
use crate::client::ps::ps;
use crate::player::act::ACTIONS;
use crate::player::state::{Mode, Panel, Player};
use crate::render::rows::Rows;
use crate::swarmkit::task::TaskState;
use crate::timeline::ends::Stop;
use crate::timeline::record::SlotKey;
use crate::timeline::view::{NodeView, ServiceView, TaskView, View};
use crate::timeline::words::{Weight, stamp, why_ended};

/// Services that have a line at the top.
const SERVICES: usize = 3;

/// Docker's listings have all of their columns from here on.
const WIDE: u16 = 110;

const KEYS: &str =
    " space run  ←→ step  f failure  / find  ⏎ why  : act  s save  tab  ? help  q end";

const HELP: [(&str, &str); 14] = [
    ("space", "runs and pauses; + and - change the speed"),
    ("left, right", "to the moment before and after (also h, l)"),
    ("page up, page down", "ten moments"),
    ("home, end", "the beginning, the end"),
    ("up, down", "chooses a line of the log (also k, j)"),
    ("return", "why did that happen? The causes of the chosen line (also w)"),
    ("f, F", "the next failure, the one before"),
    ("/ n N", "finds a text, finds it again, and before"),
    ("tab", "the next panel"),
    (":", "does something at this moment, in another future:"),
    ("b", "the next future, at the same moment"),
    ("s", "saves the scenario of this future"),
    ("q", "ends"),
    ("", ""),
];

/// Draws the player.
pub fn draw(frame: &mut Frame<'_>, player: &Player) {
    let rows = player.future().rows(player.clock);
    let services = rows.view().services.len().clamp(1, SERVICES) as u16;
    let parts = [
        Constraint::Length(1),
        Constraint::Length(services),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [title, top, middle, log, foot, keys] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(Paragraph::new(heading(player)).style(inverse()), title);
    frame.render_widget(Paragraph::new(service_lines(rows.view())), top);
    panel(frame, middle, player, &rows);
    log_panel(frame, log, player);
    frame.render_widget(Paragraph::new(foot_line(player)), foot);
    frame.render_widget(Paragraph::new(KEYS).style(inverse()), keys);
    match &player.mode {
        Mode::Why(lines, scrolled) => {
            let lines = lines.iter().map(|line| Line::raw(line.clone())).collect();
            over(frame, middle.union(log), "why: the first cause first", lines, *scrolled);
        }
        Mode::Help(scrolled) => {
            let pair = |(key, what): (&str, &str)| Line::raw(format!("{key:<27} {what}"));
            let (before, after) = HELP.split_at(10);
            let actions = ACTIONS.iter().map(|(key, what)| pair((&format!("  {key}"), what)));
            let lines = before.iter().copied().map(pair);
            let lines = lines.chain(actions).chain(after.iter().copied().map(pair)).collect();
            over(
                frame,
                frame.area(),
                "keys; up and down scroll, any other goes back",
                lines,
                *scrolled,
            );
        }
        _ => {}
    }
}

fn inverse() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn heading(player: &Player) -> String {
    let going = if player.playing { "▶" } else { "‖" };
    let future = player.future();
    let end = match (&future.footer.stop, player.clock >= future.end()) {
        (_, false) => String::new(),
        (Stop::ScriptDone | Stop::Quiet, true) => ", the end".to_string(),
        (stop, true) => format!(", {}", why_ended(stop)),
    };
    let mut text = format!(
        " {} {going} ×{}{end}  {}",
        stamp(player.clock).trim_start(),
        player.speed(),
        player.futures[0].title
    );
    if player.futures.len() > 1 {
        let (current, all) = (player.current + 1, player.futures.len());
        text.push_str(&format!("  future {current} of {all}: {}", player.future().title));
    }
    text
}

fn service_lines(view: &View) -> Vec<Line<'static>> {
    if view.services.is_empty() {
        return vec![Line::styled("no service yet", faint())];
    }
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (service, known) in view.services.iter().take(SERVICES) {
        let runs = view.tasks_of(*service).filter(|(_, task)| task.runs()).count();
        let mut text = format!("{}  {runs} running", known.spec.name);
        text.push_str(&format!("  {}", known.spec.task.container.image));
        let mut pieces = vec![Piece::raw(text)];
        if let Some(update) = &known.update {
            let style = if update.state.is_under_way() {
                Style::new().fg(Color::Yellow)
            } else {
                Style::new()
            };
            pieces.push(Piece::styled(format!("  update: {}", update.state.word()), style));
        }
        lines.push(Line::from(pieces));
    }
    lines
}

/// Glyph and colour of a state; no two kinds of state differ by colour alone.
fn look(task: &TaskView) -> (&'static str, Color) {
    match task.state {
        TaskState::Running if task.desired <= TaskState::Complete => ("●", Color::Green),
        TaskState::Running => ("◌", Color::Yellow),
        TaskState::Complete => ("✓", Color::Green),
        TaskState::Failed | TaskState::Rejected | TaskState::Orphaned => ("✗", Color::Red),
        TaskState::Shutdown | TaskState::Remove => ("○", Color::DarkGray),
        _ => ("◐", Color::Yellow),
    }
}

/// A task is shown as long as it lives, and the newest of each slot even then.
fn task_lines(view: &View) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for ((service, slot), tasks) in &view.slots {
        let Some(known) = view.services.get(service) else { continue };
        for (place, task) in view.slot(*service, *slot).map(|(_, task)| task).enumerate() {
            if !task.state.is_terminal() || place + 1 == tasks.len() {
                lines.push(task_line(view, known, task));
            }
        }
    }
    lines
}

fn task_line(view: &View, service: &ServiceView, task: &TaskView) -> Line<'static> {
    let (glyph, colour) = look(task);
    let node = task.node.and_then(|node| view.nodes.get(&node)).map_or("-", |node| &*node.name);
    let slot = match task.slot {
        SlotKey::Slot(number) => number.0.to_string(),
        SlotKey::Node(_) => node.to_string(),
    };
    let name = format!("{}.{slot}#{}", service.spec.name, task.ordinal.0);
    let health = match task.healthy.filter(|_| !task.state.is_terminal()) {
        Some(true) => "healthy",
        Some(false) => "unhealthy",
        None => "",
    };
    let same = *task.image == *service.spec.task.container.image;
    let generation = if same { "" } else { "(old)" };
    let state = task.state.word();
    let text = format!("{node:<10} {} {generation} {health}", task.image);
    Line::from(vec![
        Piece::raw(format!("{name:<18} ")),
        Piece::styled(format!("{glyph} {state:<10} "), Style::new().fg(colour)),
        Piece::raw(text),
    ])
}

fn panel(frame: &mut Frame<'_>, area: Rect, player: &Player, rows: &Rows) {
    let lines: Vec<Line<'_>> = match player.panel {
        Panel::Tasks => task_lines(rows.view()),
        Panel::Ps => {
            // Without the column of ids it is readable on an ordinary terminal.
            let skipped = if area.width < WIDE { 15 } else { 0 };
            let listing = ps(&rows.tasks(), &ListOptions::default(), "", player.clock);
            let cut = |line: &str| Line::raw(line.chars().skip(skipped).collect::<String>());
            listing.unwrap_or_default().lines().map(cut).collect()
        }
        Panel::Terminal => {
            let terminal = player.future().terminal(player.clock);
            let exit = terminal.exit.map(|code| Line::styled(format!("exit code {code}"), faint()));
            let command = Line::raw(format!("$ {}", terminal.command));
            [command]
                .into_iter()
                .chain(terminal.lines.into_iter().map(Line::raw))
                .chain(exit)
                .collect()
        }
        Panel::Nodes => node_lines(rows.view()),
    };
    titled(frame, area, player.panel.title(), fitted(lines, area));
}

/// What does not fit is counted.
fn fitted(mut lines: Vec<Line<'_>>, area: Rect) -> Vec<Line<'_>> {
    let room = usize::from(area.height.saturating_sub(1));
    if lines.len() > room && room > 0 {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(Line::styled(format!("… {more} more"), faint()));
    }
    lines
}

fn node_lines(view: &View) -> Vec<Line<'static>> {
    let line = |(ix, node): (&NodeIx, &NodeView)| {
        let on = view.tasks.values().filter(|task| task.node == Some(*ix) && task.runs()).count();
        let power = if node.crashed { ", without power" } else { "" };
        let (state, availability) = (node.state.word(), node.availability.word());
        Line::raw(format!("{:<16} {state:<8} {availability:<7} {on} running{power}", node.name))
    };
    view.nodes.iter().map(line).collect()
}

fn log_panel(frame: &mut Frame<'_>, area: Rect, player: &Player) {
    let told = player.told();
    let room = usize::from(area.height.saturating_sub(1));
    let chosen = player.chosen();
    // The chosen line stays in sight.
    let end = chosen.map_or(0, |chosen| told.len().min((chosen + 1).max(room)));
    let first = end.saturating_sub(room);
    let mut lines = Vec::new();
    for (place, line) in told.iter().enumerate().take(end).skip(first) {
        let style = match line.weight {
            _ if line.failure => Style::new().fg(Color::Red),
            Weight::Turn => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
            Weight::Reason | Weight::Detail => faint(),
            Weight::Change => Style::new(),
        };
        let (mark, style) = if Some(place) == chosen {
            (">", style.add_modifier(Modifier::REVERSED))
        } else {
            (" ", style)
        };
        lines.push(Line::styled(format!("{mark}{} {}", stamp(line.at), line.text), style));
    }
    titled(frame, area, "log", lines);
}

fn foot_line(player: &Player) -> Line<'static> {
    let asked = |what: &str, line: &str| Line::raw(format!("{what}{line}▏"));
    match &player.mode {
        Mode::Acting(line) => asked(":", line),
        Mode::Searching(line) => asked("/", line),
        Mode::Saving(line) => asked("save as: ", line),
        _ => Line::raw(player.message.clone()),
    }
}

fn titled(frame: &mut Frame<'_>, area: Rect, title: &str, lines: Vec<Line<'_>>) {
    let wide = usize::from(area.width);
    let rule = format!("── {title} {}", "─".repeat(wide.saturating_sub(title.len() + 4)));
    let all: Vec<Line<'_>> = [Line::styled(rule, faint())].into_iter().chain(lines).collect();
    frame.render_widget(Paragraph::new(all), area);
}

fn over(frame: &mut Frame<'_>, area: Rect, title: &str, lines: Vec<Line<'_>>, scrolled: usize) {
    frame.render_widget(ratatui::widgets::Clear, area);
    let lines = lines.into_iter().skip(scrolled).collect();
    titled(frame, area, title, lines);
}

#[cfg(test)]
mod tests;
