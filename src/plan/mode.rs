//! The usual ways in which a new version fails.

use crate::base::time::Span;
use crate::docker::behaviour::{Exit, Health, Image, Presence};

/// From the start to the exit of a version that exits at once: long enough to read a
/// configuration and to refuse it.
const EXITS_AFTER: Span = Span::from_ms(500);

/// A version that is never healthy does not serve either, for as long as anybody looks.
const NEVER: Span = Span::from_secs(365 * 24 * 3600);

/// A way to fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mode {
    /// Nobody has the image: its tag is misspelt, or it was not pushed.
    ImageMissing,
    /// The process exits with code 1 half a second after its start, and has not served till then.
    ExitsAtOnce,
    /// It runs, but does not serve, and its health check fails.
    NeverHealthy,
    /// It serves, and that long after it began to its health check fails.
    SickAfter(Span),
    /// It serves, but that much later than described.
    SlowStart(Span),
}

impl Mode {
    /// All of them.
    pub fn all(sick_after: Span, slow_start: Span) -> [Mode; 5] {
        [
            Mode::ImageMissing,
            Mode::ExitsAtOnce,
            Mode::NeverHealthy,
            Mode::SickAfter(sick_after),
            Mode::SlowStart(slow_start),
        ]
    }

    /// Its word on the command line and in documents.
    pub fn word(self) -> &'static str {
        match self {
            Mode::ImageMissing => "image-missing",
            Mode::ExitsAtOnce => "exits-at-once",
            Mode::NeverHealthy => "never-healthy",
            Mode::SickAfter(_) => "sick-later",
            Mode::SlowStart(_) => "slow-start",
        }
    }

    /// In words.
    pub fn told(self) -> String {
        match self {
            Mode::ImageMissing => "image missing".to_string(),
            Mode::ExitsAtOnce => "exits at once".to_string(),
            Mode::NeverHealthy => "never healthy".to_string(),
            Mode::SickAfter(span) => format!("sick after {}", short(span)),
            Mode::SlowStart(span) => format!("{} slower start", short(span)),
        }
    }

    /// Whether a rollout that is worth its name withstands it: it can be seen before the last
    /// replica is replaced.
    pub fn is_required(self) -> bool {
        matches!(self, Mode::ImageMissing | Mode::ExitsAtOnce | Mode::NeverHealthy)
    }

    /// How a version that is otherwise like `usual` behaves.
    pub fn image(self, usual: &Image) -> Image {
        let mut image = sound(usual);
        match self {
            Mode::ImageMissing => image.present = Presence::Nowhere,
            Mode::ExitsAtOnce => {
                image.exit = Some(Exit { after: EXITS_AFTER, code: 1 });
                image.serves_after = image.serves_after.max(EXITS_AFTER);
            }
            Mode::NeverHealthy => {
                image.health = Health::Fail;
                image.serves_after = NEVER;
            }
            Mode::SickAfter(span) => {
                image.health = Health::OkUntil(image.serves_after.plus(span));
            }
            Mode::SlowStart(span) => image.serves_after = image.serves_after.plus(span),
        }
        image
    }
}

/// A time without units of which there are none: `2m`, not `2m0s`.
pub fn short(span: Span) -> String {
    let text = span.to_string();
    let text = text.strip_suffix("m0s").map_or(text.clone(), |rest| format!("{rest}m"));
    text.strip_suffix("h0m").map_or(text.clone(), |rest| format!("{rest}h"))
}

/// An image that is like another one and does not fail.
pub fn sound(image: &Image) -> Image {
    Image {
        present: Presence::Everywhere,
        health: Health::Ok,
        exit: image.exit.filter(|exit| exit.code == 0),
        command: crate::docker::behaviour::Command::Ok,
        only_slots: None,
        crash_rate: None,
        ..image.clone()
    }
}

/// From when to when the process of an image serves, counted from its start; no end if it has none
/// of its own.
pub fn serves(image: &Image) -> (Span, Option<Span>) {
    let never = Some(image.serves_after);
    let until = match &image.health {
        Health::Ok | Health::Pattern(_) => None,
        Health::Fail | Health::Hang => never,
        Health::OkUntil(span) => Some(*span),
    };
    (image.serves_after, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let told = [60, 90, 3600, 3660, 5, 0].map(|seconds| short(Span::from_secs(seconds)));
        assert_eq!(told, ["1m", "1m30s", "1h", "1h1m", "5s", "0s"]);
    }

    #[test]
    fn failing_versions_serve_as_long_as_is_said() {
        let usual = Image { serves_after: Span::from_secs(4), ..Image::default() };
        let served = |mode: Mode| serves(&mode.image(&usual));
        let after = |seconds| Span::from_secs(seconds);
        assert_eq!(serves(&usual), (after(4), None));
        assert_eq!(served(Mode::SickAfter(after(60))), (after(4), Some(after(64))));
        assert_eq!(served(Mode::SlowStart(after(60))), (after(64), None));
        assert_eq!(served(Mode::NeverHealthy).0, NEVER);
        let at_once = Mode::ExitsAtOnce.image(&Image::default());
        assert_eq!(at_once.exit.map(|exit| exit.after), Some(at_once.serves_after));
    }

    #[test]
    fn a_sound_image_keeps_what_is_no_failure() {
        let job = Some(Exit { after: Span::from_secs(1), code: 0 });
        let bad = Image { health: Health::Fail, exit: job, ..Image::default() };
        assert_eq!(sound(&bad), Image { exit: job, ..Image::default() });
        let crashing = Image { exit: Some(Exit { after: Span::ZERO, code: 1 }), ..bad };
        assert_eq!(sound(&crashing), Image::default());
    }
}
