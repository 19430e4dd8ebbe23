//! Our own faults: a panic is one, ends with exit code 70 and says what to do about it.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};

use crate::cli::exit::Exit;
use crate::cli::say::note;

/// Does the work. A panic in it is told in our words.
pub fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    set_hook(Box::new(|info| note(text(&what(info)))));
    exit_of(work)
}

fn exit_of(work: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Internal)
}

fn what(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("no message");
    let place = info.location().map_or(String::new(), |place| format!(" ({place})"));
    format!("{message}{place}")
}

fn text(what: &str) -> String {
    format!(
        "error: this is a fault of swarmsim itself: {what}\n  hint: please report it, with the \
         command line and the files that it names\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No input is known that leads here: it would be a defect, and mended.
    #[test]
    fn a_panic_is_exit_code_70() {
        assert_eq!(exit_of(|| Exit::No), Exit::No);
        let exit = exit_of(|| panic!("a test of the guard"));
        assert_eq!((exit, exit as u8), (Exit::Internal, 70));
        let told = text("index out of bounds (src/a.rs:1:2)");
        let begin =
            "error: this is a fault of swarmsim itself: index out of bounds (src/a.rs:1:2)\n";
        assert!(told.starts_with(begin) && told.ends_with("the files that it names\n"), "{told}");
    }
}
