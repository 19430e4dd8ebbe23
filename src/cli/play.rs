//! `swarmsim play`: a run to be watched in the terminal.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::base::time::Span;
use crate::cli::exit::Exit;
use crate::cli::input::{Otherwise, WholeFile};
use crate::cli::say::{complain, note};
use crate::player::act::Key;
use crate::player::screen::draw;
use crate::player::state::{Player, Wish};

/// From one look at the clock to the next while it runs. Passing time is counted in these.
const TICK: Duration = Duration::from_millis(50);

/// Arguments of `play`.
#[derive(Args, Debug)]
pub struct PlayArgs {
    /// Scenario file, or stack file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    otherwise: Otherwise,
}

/// Plays a scenario.
pub fn run(args: &PlayArgs) -> Exit {
    let scenario = match args.otherwise.read(&args.file) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        complain("play needs a terminal; swarmsim run prints the same run");
        return Exit::Usage;
    }
    note("simulating…\n");
    let mut player = Player::new(Arc::new(scenario));
    if let Err(error) = restore_on_signals() {
        complain(format_args!("cannot watch for signals: {error}"));
        return Exit::File;
    }
    let held = DRAWING.lock();
    let begun = ratatui::try_init();
    drop(held);
    let mut terminal = match begun {
        Ok(terminal) => terminal,
        Err(error) => {
            complain(format_args!("cannot use this terminal: {error}"));
            return Exit::File;
        }
    };
    let played = play(&mut terminal, &mut player);
    ratatui::restore();
    match played {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(format_args!("the terminal is gone: {error}"));
            Exit::File
        }
    }
}

/// Held by whoever changes the screen.
static DRAWING: Mutex<()> = Mutex::new(());

/// A signal that ends the program ends it with the terminal as it was. In a thread of its own: when
/// a terminal has gone, waiting for its keys never comes back.
fn restore_on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Nothing is drawn any more from here on.
            let _held = DRAWING.lock();
            ratatui::restore();
            let _ = execute!(io::stdout(), Show);
            // It does not come back from this; if it did, the program would have to end.
            let _ = emulate_default_handler(signal);
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

fn play(terminal: &mut DefaultTerminal, player: &mut Player) -> io::Result<()> {
    let tick = Span::from_ms(TICK.as_millis() as i64);
    let mut changed = true;
    loop {
        if changed {
            let _held = DRAWING.lock();
            terminal.draw(|frame| draw(frame, player))?;
        }
        changed = true;
        if !event::poll(TICK)? {
            changed = player.playing;
            player.pass(tick);
            continue;
        }
        let Event::Key(pressed) = event::read()? else { continue };
        let Some(key) = key(pressed) else { continue };
        match player.press(key) {
            Wish::Nothing => {}
            Wish::Quit => break,
            Wish::Save { path, text } => {
                let saved = save(Path::new(&path), &text).map_err(|error| error.to_string());
                player.saved(&path, saved);
            }
        }
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}

fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    Some(match pressed.code {
        KeyCode::Char('c') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(_)
            if pressed.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            return None;
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab => Key::Tab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}
