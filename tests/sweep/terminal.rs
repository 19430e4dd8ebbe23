//! A pseudo-terminal for standard error.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

pub(crate) struct Terminal {
    ours: File,
    theirs: Option<OwnedFd>,
    screen: vt100::Parser,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).unwrap();
        let screen = vt100::Parser::new(24, 80, 0);
        Terminal { ours: File::from(ours), theirs: Some(theirs), screen }
    }

    /// The program's end of it.
    pub(crate) fn end(&self) -> Stdio {
        Stdio::from(self.theirs.as_ref().expect("it is open").try_clone().unwrap())
    }

    /// What is seen after each thing that a program writes, until it has ended.
    pub(crate) fn watch(&mut self, mut child: Child) -> Vec<String> {
        // The program's end is the only one that stays open, so that reading ends with it.
        self.theirs = None;
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = self.ours.read(&mut bytes) {
            self.screen.process(&bytes[..count]);
            seen.push(self.screen.screen().contents());
        }
        assert!(child.wait().expect("it ends").success());
        seen
    }
}
