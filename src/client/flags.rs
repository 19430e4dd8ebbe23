//! Flags and arguments of one command, parsed as Docker's flag library parses them.
//!
//! Upstream: pflag `flag.go` `parseArgs`, `parseLongArg`, `parseShortArg`. Errors: cli surface 1.6.

use crate::base::time::Span;
use crate::client::failure::CliFailure;
use crate::client::golang;
use crate::client::usage;
use crate::client::values::{Kind, Value};
use crate::swarmkit::spec::{FileReference, Mount, NetworkAttachment, PortConfig, Ulimit};

/// One flag of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag {
    /// Name after the two dashes.
    pub long: &'static str,
    /// Letter after one dash.
    pub short: Option<char>,
    /// Grammar of the value.
    pub kind: Kind,
    /// Its line in the usage text.
    pub help: &'static str,
    /// Default that the usage text shows after it; empty = none.
    pub default: &'static str,
}

/// How many arguments a command takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arity {
    /// None.
    None,
    /// That many.
    Exactly(usize),
    /// That many or more.
    AtLeast(usize),
}

/// The form of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandForm {
    /// Words that call it, such as `docker service update`.
    pub path: &'static str,
    /// What follows them in the use-line, such as `[OPTIONS] SERVICE`.
    pub operands: &'static str,
    /// One sentence about it.
    pub about: &'static str,
    /// Other names, for the usage text.
    pub aliases: &'static str,
    /// Whether flags may follow arguments.
    pub interspersed: bool,
    /// Arguments.
    pub arity: Arity,
    /// Flags, sorted by name.
    pub flags: Vec<Flag>,
}

/// What was given on a command line: all values of each flag in order, and the arguments.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Parsed {
    /// By name. An update asks for sixty and was given one or two: a list is faster than a tree.
    values: Vec<(&'static str, Vec<Value>)>,
    /// Arguments that are no flags.
    pub args: Vec<String>,
}

impl CommandForm {
    /// The use-line of errors and usage texts.
    pub fn use_line(&self) -> String {
        format!("{} {}", self.path, self.operands).trim_end().to_string()
    }

    /// Parses the words after the command's own, flags before the number of arguments.
    ///
    /// # Errors
    /// The whole end of the command: 125 for a flag, 1 for the number of arguments, 0 for `--help`.
    pub fn parse(&self, words: &[String]) -> Result<Parsed, CliFailure> {
        let mut parsed = Parsed::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(rest) = word.strip_prefix("--") {
                if rest.is_empty() {
                    parsed.args.extend(words.by_ref().cloned());
                    break;
                }
                self.parse_long(word, rest, &mut words, &mut parsed)?;
            } else if let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                self.parse_short(rest, &mut words, &mut parsed)?;
            } else {
                parsed.args.push(word.clone());
                if !self.interspersed {
                    parsed.args.extend(words.by_ref().cloned());
                    break;
                }
            }
        }
        self.check_arity(parsed.args.len())?;
        Ok(parsed)
    }

    fn parse_long<'a>(
        &self,
        word: &str,
        rest: &str,
        words: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), CliFailure> {
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (rest, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(self.flag_error(&format!("bad flag syntax: {word}")));
        }
        let Some(flag) = self.flags.iter().find(|flag| flag.long == name) else {
            return Err(match name {
                "help" => CliFailure::help(usage::text(self)),
                _ => self.flag_error(&format!("unknown flag: --{name}")),
            });
        };
        let value = match value {
            Some(value) => value,
            None if flag.kind == Kind::Bool => "true",
            None => words
                .next()
                .ok_or_else(|| self.flag_error(&format!("flag needs an argument: --{name}")))?,
        };
        self.set(flag, value, parsed)
    }

    fn parse_short<'a>(
        &self,
        mut letters: &str,
        words: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), CliFailure> {
        while let Some(letter) = letters.chars().next() {
            let rest = &letters[letter.len_utf8()..];
            let Some(flag) = self.flags.iter().find(|flag| flag.short == Some(letter)) else {
                return Err(match letter {
                    'h' => CliFailure::help(usage::text(self)),
                    _ => self
                        .flag_error(&format!("unknown shorthand flag: '{letter}' in -{letters}")),
                });
            };
            if let Some(value) = rest.strip_prefix('=').filter(|value| !value.is_empty()) {
                return self.set(flag, value, parsed);
            }
            if flag.kind == Kind::Bool {
                self.set(flag, "true", parsed)?;
                letters = rest;
                continue;
            }
            let value = if rest.is_empty() {
                words.next().ok_or_else(|| {
                    let text = format!("flag needs an argument: '{letter}' in -{letters}");
                    self.flag_error(&text)
                })?
            } else {
                rest
            };
            return self.set(flag, value, parsed);
        }
        Ok(())
    }

    fn set(&self, flag: &Flag, value: &str, parsed: &mut Parsed) -> Result<(), CliFailure> {
        let value = flag.kind.parse(value).map_err(|cause| {
            let name = match flag.short {
                Some(short) => format!("-{short}, --{}", flag.long),
                None => format!("--{}", flag.long),
            };
            let value = golang::quote(value);
            self.flag_error(&format!("invalid argument {value} for \"{name}\" flag: {cause}"))
        })?;
        match parsed.values.binary_search_by_key(&flag.long, |(name, _)| *name) {
            Ok(at) => parsed.values[at].1.push(value),
            Err(at) => parsed.values.insert(at, (flag.long, vec![value])),
        }
        Ok(())
    }

    fn flag_error(&self, message: &str) -> CliFailure {
        CliFailure {
            stdout: String::new(),
            stderr: format!(
                "{message}\n\nUsage:  {}\n\nRun '{} --help' for more information\n",
                self.use_line(),
                self.path
            ),
            code: 125,
        }
    }

    fn check_arity(&self, count: usize) -> Result<(), CliFailure> {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let (fits, wish) = match self.arity {
            Arity::None => (count == 0, "accepts no arguments".to_string()),
            Arity::Exactly(n) => (count == n, format!("requires {n} argument{}", plural(n))),
            Arity::AtLeast(n) => {
                (count >= n, format!("requires at least {n} argument{}", plural(n)))
            }
        };
        if fits {
            return Ok(());
        }
        let verb = if matches!(self.arity, Arity::AtLeast(_)) { "See" } else { "Run" };
        Err(CliFailure {
            stdout: String::new(),
            stderr: format!(
                "docker: '{path}' {wish}\n\nUsage:  {}\n\n{verb} '{path} --help' for more \
                 information\n",
                self.use_line(),
                path = self.path
            ),
            code: 1,
        })
    }
}

impl Parsed {
    /// Whether the flag was given.
    pub fn changed(&self, flag: &str) -> bool {
        self.values.iter().any(|(name, _)| *name == flag)
    }

    /// Whether one of them was given.
    pub fn any_changed(&self, flags: &[&str]) -> bool {
        flags.iter().any(|flag| self.changed(flag))
    }

    /// The flags that were given, by name.
    pub fn given(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.values.iter().map(|(name, _)| *name)
    }

    fn all(&self, flag: &str) -> &[Value] {
        let given = self.values.iter().find(|(name, _)| *name == flag);
        given.map_or(&[], |(_, values)| values.as_slice())
    }

    /// A flag that is off unless given.
    pub fn bool(&self, flag: &str) -> bool {
        matches!(self.all(flag).last(), Some(Value::Bool(true)))
    }

    /// The last text given.
    pub fn text(&self, flag: &str) -> Option<&str> {
        match self.all(flag).last() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The last duration given.
    pub fn span(&self, flag: &str) -> Option<Span> {
        match self.all(flag).last() {
            Some(Value::Span(span)) => Some(*span),
            _ => None,
        }
    }

    /// The last unsigned number given.
    pub fn uint(&self, flag: &str) -> Option<u64> {
        match self.all(flag).last() {
            Some(Value::Uint(number)) => Some(*number),
            _ => None,
        }
    }

    /// The last signed number, amount of bytes or billionths of a processor given.
    pub fn int(&self, flag: &str) -> Option<i64> {
        match self.all(flag).last() {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The last float given.
    pub fn float(&self, flag: &str) -> Option<f32> {
        match self.all(flag).last() {
            Some(Value::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// The last words given.
    pub fn words(&self, flag: &str) -> Option<&[String]> {
        match self.all(flag).last() {
            Some(Value::Words(words)) => Some(words),
            _ => None,
        }
    }

    /// All texts given.
    pub fn texts<'a>(&'a self, flag: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all(flag).iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// All texts given, owned.
    pub fn list(&self, flag: &str) -> Vec<String> {
        self.texts(flag).map(str::to_string).collect()
    }

    /// All ports given.
    pub fn ports(&self, flag: &str) -> Vec<PortConfig> {
        let of = |value: &Value| match value {
            Value::Ports(ports) => ports.clone(),
            _ => Vec::new(),
        };
        self.all(flag).iter().flat_map(of).collect()
    }

    /// All mounts given.
    pub fn mounts(&self, flag: &str) -> Vec<Mount> {
        self.collect(flag, |value| match value {
            Value::Mount(mount) => Some(mount.clone()),
            _ => None,
        })
    }

    /// All networks given.
    pub fn networks(&self, flag: &str) -> Vec<NetworkAttachment> {
        self.collect(flag, |value| match value {
            Value::Network(network) => Some(network.clone()),
            _ => None,
        })
    }

    /// All secrets or configs given.
    pub fn files(&self, flag: &str) -> Vec<FileReference> {
        self.collect(flag, |value| match value {
            Value::File(file) => Some(file.clone()),
            _ => None,
        })
    }

    /// All limits given.
    pub fn ulimits(&self, flag: &str) -> Vec<Ulimit> {
        self.collect(flag, |value| match value {
            Value::Ulimit(limit) => Some(limit.clone()),
            _ => None,
        })
    }

    fn collect<T>(&self, flag: &str, of: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        self.all(flag).iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tables;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_string).collect()
    }

    fn update(line: &str) -> Result<Parsed, CliFailure> {
        tables::service_update().parse(&words(line))
    }

    #[test]
    fn the_envelope_of_flag_errors() {
        for (line, message) in [
            ("--foo", "unknown flag: --foo"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("-dx", "unknown shorthand flag: 'x' in -x"),
            ("--replicas", "flag needs an argument: --replicas"),
            ("-u", "flag needs an argument: 'u' in -u"),
            ("--=x", "bad flag syntax: --=x"),
            (
                "--update-parallelism -1 web",
                "invalid argument \"-1\" for \"--update-parallelism\" flag: \
                 strconv.ParseUint: parsing \"-1\": invalid syntax",
            ),
            (
                "--detach=x",
                "invalid argument \"x\" for \"-d, --detach\" flag: \
                 strconv.ParseBool: parsing \"x\": invalid syntax",
            ),
        ] {
            let expected = format!(
                "{message}\n\nUsage:  docker service update [OPTIONS] SERVICE\n\n\
                 Run 'docker service update --help' for more information\n"
            );
            let failure = update(line).unwrap_err();
            assert_eq!((failure.stderr, failure.code), (expected, 125), "{line}");
        }
    }

    #[test]
    fn a_flag_with_a_letter_is_named_with_both() {
        let failure = tables::service_create().parse(&words("-p x web")).unwrap_err();
        assert!(
            failure.stderr.starts_with(
                "invalid argument \"x\" for \"-p, --publish\" flag: invalid containerPort: x\n"
            ),
            "{}",
            failure.stderr
        );
    }

    #[test]
    fn the_number_of_arguments() {
        let failure = update("").unwrap_err();
        assert_eq!(failure.code, 1);
        assert_eq!(
            failure.stderr,
            "docker: 'docker service update' requires 1 argument\n\n\
             Usage:  docker service update [OPTIONS] SERVICE\n\n\
             Run 'docker service update --help' for more information\n"
        );
        let failure = tables::service_create().parse(&[]).unwrap_err();
        assert_eq!(
            failure.stderr,
            "docker: 'docker service create' requires at least 1 argument\n\n\
             Usage:  docker service create [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
             See 'docker service create --help' for more information\n"
        );
        let failure = tables::service_ls().parse(&words("x")).unwrap_err();
        assert!(failure.stderr.starts_with("docker: 'docker service ls' accepts no arguments\n"));
    }

    #[test]
    fn forms_of_flags() {
        let parsed = update("--image=a:1 -dq web --replicas 3 -u=me").unwrap();
        assert_eq!(parsed.text("image"), Some("a:1"));
        assert_eq!((parsed.bool("detach"), parsed.bool("quiet")), (true, true));
        assert_eq!((parsed.uint("replicas"), parsed.text("user")), (Some(3), Some("me")));
        assert_eq!(parsed.args, ["web"]);
        assert!(!update("--detach=false web").unwrap().bool("detach"));
        assert_eq!(update("-- --image").unwrap().args, ["--image"]);
    }

    #[test]
    fn the_first_word_ends_the_flags_of_create() {
        let parsed = tables::service_create().parse(&words("-t nginx -t --name x")).unwrap();
        assert_eq!(parsed.args, ["nginx", "-t", "--name", "x"]);
        assert!(!parsed.changed("name"));
    }
}
