//! The timers of one controller: at most one of a kind is live, and nothing is ever taken back from
//! whoever delivers them.

/// A timer of a controller. At most one of a kind is live; its generation tells which.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Timer {
    /// What is due.
    pub kind: TimerKind,
    /// Which one of its kind.
    pub generation: u16,
}

/// What may be due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum TimerKind {
    /// The image has been pulled.
    Pulled,
    /// The container has been created.
    Created,
    /// Its process has been started, or could not be.
    Started,
    /// The engine notices the end of the process.
    Exited,
    /// The engine has cleaned up after it.
    CleanedUp,
    /// The grace period is over.
    GraceOver,
    /// A probe has ended.
    ProbeEnded,
    /// Operation Shutdown or Remove: time for the stop signal.
    ShutdownSignal,
    /// Stop of an unhealthy container: time for the stop signal.
    UnhealthySignal,
}

impl TimerKind {
    /// All kinds.
    pub const ALL: [TimerKind; 9] = [
        TimerKind::Pulled,
        TimerKind::Created,
        TimerKind::Started,
        TimerKind::Exited,
        TimerKind::CleanedUp,
        TimerKind::GraceOver,
        TimerKind::ProbeEnded,
        TimerKind::ShutdownSignal,
        TimerKind::UnhealthySignal,
    ];
}

/// Which timers are live.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Timers {
    generations: [u16; TimerKind::ALL.len()],
    /// Kinds with a live timer, and those among them that are foreground: one bit each.
    live: u16,
    foreground: u16,
}

impl Timers {
    /// The next timer of a kind that has no live one.
    pub(super) fn arm(&mut self, kind: TimerKind, foreground: bool) -> Timer {
        self.live |= 1 << kind as u16;
        if foreground {
            self.foreground |= 1 << kind as u16;
        }
        self.current(kind)
    }

    /// Forgets the live timer of a kind; gives it if it is foreground.
    pub(super) fn disarm(&mut self, kind: TimerKind) -> Option<Timer> {
        let timer = self.current(kind);
        let foreground = self.foreground & 1 << kind as u16 != 0;
        (self.consume(timer) && foreground).then_some(timer)
    }

    /// Whether no timer is live.
    pub(super) fn are_idle(&self) -> bool {
        self.live == 0
    }

    /// Whether there is a live timer of a kind.
    pub(super) fn is_live(&self, kind: TimerKind) -> bool {
        self.live & 1 << kind as u16 != 0
    }

    /// Whether the timer is the live one of its kind, which it is no more.
    pub(super) fn consume(&mut self, timer: Timer) -> bool {
        if !self.is_live(timer.kind) || timer != self.current(timer.kind) {
            return false;
        }
        let generation = &mut self.generations[timer.kind as usize];
        *generation = generation.wrapping_add(1);
        self.live &= !(1 << timer.kind as u16);
        self.foreground &= !(1 << timer.kind as u16);
        true
    }

    fn current(&self, kind: TimerKind) -> Timer {
        Timer { kind, generation: self.generations[kind as usize] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_good_once() {
        let mut timers = Timers::default();
        let timer = timers.arm(TimerKind::Exited, true);
        assert!(timers.is_live(TimerKind::Exited) && !timers.are_idle());
        assert!(timers.consume(timer) && !timers.consume(timer));
        assert!(!timers.is_live(TimerKind::Exited) && timers.are_idle());
    }

    #[test]
    fn a_forgotten_timer_is_told_if_it_is_foreground() {
        let mut timers = Timers::default();
        let front = timers.arm(TimerKind::Exited, true);
        timers.arm(TimerKind::ProbeEnded, false);
        assert_eq!(timers.disarm(TimerKind::ProbeEnded), None);
        assert_eq!(timers.disarm(TimerKind::Exited), Some(front));
        assert_eq!(timers.disarm(TimerKind::Exited), None);
        let next = timers.arm(TimerKind::Exited, true);
        assert!(!timers.consume(front) && timers.consume(next));
    }

    #[test]
    fn what_was_in_the_foreground_once_need_not_be_so_again() {
        let mut timers = Timers::default();
        let first = timers.arm(TimerKind::ProbeEnded, true);
        assert!(timers.consume(first));
        timers.arm(TimerKind::ProbeEnded, false);
        assert_eq!(timers.disarm(TimerKind::ProbeEnded), None);
    }
}
