//! The code of a class, and the address to join it at.

use std::fmt;
use std::str::FromStr;

/// The letters and digits of a code. None looks like another.
pub const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The characters of a code after `KMS-`.
pub const LENGTH: usize = 4;

/// The port of a class where nobody names another.
pub const PORT: u16 = 4190;

/// The code of a class: `KMS-7KQ2`. It ends with the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The code that these random bytes make.
    pub fn of(random: [u8; LENGTH]) -> Code {
        Code(random.iter().map(|byte| char::from(LETTERS[usize::from(*byte % 32)])).collect())
    }

    /// Without `KMS-`, as it stands in an address.
    pub fn short(&self) -> &str {
        &self.0
    }

    /// What shuffles the answers of each lab in the class: so one letter is one answer on every screen.
    pub fn seed(&self) -> u64 {
        self.0.bytes().fold(0, |seed, byte| seed * 256 + u64::from(byte))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KMS-{}", self.0)
    }
}

/// What is no code, or no address to join a class at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a class is joined with its code and address, for example KMS-7KQ2@192.168.1.23; both are on the teacher's screen"
)]
pub struct NoClass;

impl FromStr for Code {
    type Err = NoClass;

    fn from_str(text: &str) -> Result<Code, NoClass> {
        let upper = text.trim().to_ascii_uppercase();
        let short = upper.strip_prefix("KMS-").unwrap_or(&upper);
        let fits = short.len() == LENGTH && short.bytes().all(|byte| LETTERS.contains(&byte));
        if fits { Ok(Code(short.to_owned())) } else { Err(NoClass) }
    }
}

/// Where a learner joins: `KMS-7KQ2@192.168.1.23:4190`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The code.
    pub code: Code,
    /// The host: a name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{}@[{}]:{}", self.code, self.host, self.port),
            false => write!(f, "{}@{}:{}", self.code, self.host, self.port),
        }
    }
}

impl FromStr for Join {
    type Err = NoClass;

    fn from_str(text: &str) -> Result<Join, NoClass> {
        let (code, place) = text.trim().split_once('@').ok_or(NoClass)?;
        let code = code.parse()?;
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(NoClass)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| NoClass)?;
                (host, after.strip_prefix(':').or(if after.is_empty() { Some("") } else { None }).ok_or(NoClass)?)
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let port = if port.is_empty() { Ok(PORT) } else { port.parse() };
        let port = port.ok().filter(|port| *port != 0).ok_or(NoClass)?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
        let fits = !host.is_empty() && host.len() <= 253 && host.chars().all(is_host);
        if fits { Ok(Join { code, host: host.to_owned(), port }) } else { Err(NoClass) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("KMS-7KQ2@192.168.1.23:4190", "KMS-7KQ2@192.168.1.23:4190")]
    #[case("kms-7kq2@192.168.1.23", "KMS-7KQ2@192.168.1.23:4190")]
    #[case("7KQ2@teacher.local:80", "KMS-7KQ2@teacher.local:80")]
    #[case("7KQ2@[fe80::1]", "KMS-7KQ2@[fe80::1]:4190")]
    #[case("7KQ2@[fe80::1]:9", "KMS-7KQ2@[fe80::1]:9")]
    fn a_class_is_named_by_code_and_address(#[case] text: &str, #[case] shown: &str) {
        let join: Join = text.parse().unwrap();
        assert_eq!(join.to_string(), shown);
        assert_eq!(shown.parse(), Ok(join));
    }

    #[rstest]
    #[case("")]
    #[case("KMS-7KQ2")]
    #[case("KMS-7KQ@host")]
    #[case("KMS-70Q2@host")]
    #[case("7KQ2@")]
    #[case("7KQ2@host:0")]
    #[case("7KQ2@host:99999")]
    #[case("7KQ2@ho st")]
    #[case("7KQ2@[host]")]
    #[case("7KQ2@[fe80::1]x")]
    fn anything_else_is_no_class(#[case] text: &str) {
        assert_eq!(text.parse::<Join>(), Err(NoClass));
    }

    #[test]
    fn a_code_has_clear_letters_and_a_seed_of_its_own() {
        let (one, other) = (Code::of([0, 1, 2, 3]), Code::of([255, 1, 2, 3]));
        assert_eq!((one.to_string().as_str(), other.short()), ("KMS-2345", "Z345"));
        assert_ne!(one.seed(), other.seed());
        assert_eq!("2345".parse(), Ok(one));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,60}") {
            let _ = text.parse::<Join>();
        }
    }
}
