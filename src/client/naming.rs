//! Names that the daemon gives to services which were created without one.

/// Some words in the manner of Docker's far longer lists. Upstream: moby
/// `pkg/namesgenerator/names-generator.go` `left`.
const LEFT: [&str; 16] = [
    "admiring", "amazing", "bold", "brave", "clever", "cool", "dazzling", "eager", "elegant",
    "festive", "focused", "gallant", "happy", "hopeful", "jolly", "keen",
];
/// Upstream: moby `pkg/namesgenerator/names-generator.go` `right`.
const RIGHT: [&str; 16] = [
    "archimedes",
    "babbage",
    "bell",
    "boyd",
    "carson",
    "curie",
    "darwin",
    "edison",
    "euler",
    "fermi",
    "franklin",
    "galileo",
    "hopper",
    "kepler",
    "lovelace",
    "noether",
];

/// A name such as `brave_hopper`, chosen by the bits of a word.
pub fn random_name(word: u64) -> String {
    let pick = |list: [&'static str; 16], shift: u32| list[(word >> shift) as usize % list.len()];
    format!("{}_{}", pick(LEFT, 0), pick(RIGHT, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_two_words() {
        assert_eq!(random_name(0), "admiring_archimedes");
        assert_eq!(random_name(3 | 12 << 32), "brave_hopper");
        assert_eq!(random_name(u64::MAX), "keen_noether");
    }
}
