//! The player on a pseudo-terminal: keys in, screen out.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// A program that says nothing for so long waits for a key.
const QUIET: Duration = Duration::from_millis(1_500);

/// A program that says nothing at all for so long is stuck.
const STUCK: Duration = Duration::from_secs(60);

struct Terminal {
    child: Child,
    keys: File,
    slave: OwnedFd,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_swarmsim"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("TERM", "xterm-256color")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let mut read = keys.try_clone().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = read.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(24, 80, 0);
        let mut terminal = Terminal { child, keys, slave, output, screen };
        terminal.listen(STUCK);
        terminal
    }

    /// Takes what the program says until it is quiet; the first word may take longer.
    fn listen(&mut self, first: Duration) {
        let mut wait = first;
        loop {
            match self.output.recv_timeout(wait) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            wait = QUIET;
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.listen(QUIET);
    }

    fn shows(&self) -> String {
        let contents = self.screen.screen().contents();
        contents.lines().map(|line| line.trim_end().to_string() + "\n").collect()
    }

    /// Ends it, and returns its exit code.
    fn end(&mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        self.listen(QUIET);
        status.code()
    }

    /// What a shell would find: whether keys are echoed, the other screen is left, and the cursor
    /// is seen.
    fn is_clean(&self) -> bool {
        use rustix::termios::LocalModes;
        let modes: Termios = tcgetattr(&self.slave).unwrap();
        let wanted = LocalModes::ICANON | LocalModes::ECHO;
        let screen = self.screen.screen();
        modes.local_modes.contains(wanted) && !screen.alternate_screen() && !screen.hide_cursor()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";

fn play() -> Terminal {
    Terminal::start(&["play", "scenarios/whoami-autorollback.yaml"])
}

#[test]
fn a_step_back_shows_the_screen_of_before() {
    let mut terminal = play();
    let mut seen = vec![terminal.shows()];
    assert!(seen[0].contains("no service yet"), "{}", seen[0]);
    for _ in 0..6 {
        terminal.press(RIGHT);
        seen.push(terminal.shows());
    }
    for before in seen.iter().rev().skip(1) {
        terminal.press(LEFT);
        assert_eq!(terminal.shows(), *before);
    }
    assert!(!terminal.is_clean());
    terminal.press("q");
    assert_eq!((terminal.end(), terminal.is_clean()), (Some(0), true));
}

#[test]
fn a_failure_is_found_explained_and_prevented_and_the_other_future_is_saved() {
    let folder = std::env::temp_dir().join(format!("swarmsim-play-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("other.yaml");
    let mut terminal = play();
    terminal.press("f");
    assert!(terminal.shows().contains("unhealthy"), "{}", terminal.shows());
    terminal.press("\r");
    assert!(terminal.shows().contains("why: the first cause first"), "{}", terminal.shows());
    terminal.press("\x1b");
    terminal.press(":docker service scale whoami=3\r");
    assert!(terminal.shows().contains("future 2 of 2"), "{}", terminal.shows());
    terminal.press(&format!("s{}\r", file.display()));
    assert!(terminal.shows().contains("saved: swarmsim run"), "{}", terminal.shows());
    terminal.press("\x03");
    assert_eq!((terminal.end(), terminal.is_clean()), (Some(0), true));
    let checked = Command::new(env!("CARGO_BIN_EXE_swarmsim"))
        .args(["run", "--quiet"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(text.contains("fewest running"), "{text}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_signal_leaves_the_terminal_clean() {
    for signal in ["-TERM", "-INT", "-QUIT", "-HUP"] {
        let mut terminal = play();
        terminal.press(" ");
        let id = terminal.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        // It ends by the signal, as programs do.
        assert_eq!((terminal.end(), terminal.is_clean()), (None, true), "{signal}");
    }
}

#[test]
fn without_a_terminal_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_swarmsim"))
        .args(["play", "scenarios/vote.yaml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "error: play needs a terminal; swarmsim run prints the same run\n");
}
