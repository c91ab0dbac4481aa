//! Names of tenants, routers, subnets and endpoints.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A name that is safe as a part of an interface name, a namespace name, a path and a line of FRR
/// configuration: 1 to 13 characters of `a-z`, `0-9` and `-`, beginning with a letter and not ending in `-`.
///
/// 13 leaves room under the kernel's 15 for interface names, where a router's interface is called after its
/// neighbour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Interfaces that every router has (`bridge`: a leaf's), that the kernel's tunnel modules put into each
/// namespace, and what stands for all of them in sysctl and FRR.
const RESERVED: [&str; 11] =
    ["lo", "bridge", "all", "default", "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0"];

/// Why a text is no [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a legal name: {reason}")]
pub struct InvalidName {
    text: String,
    reason: &'static str,
}

impl InvalidName {
    /// The rule that it breaks, as the end of a sentence.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl Name {
    /// Most characters in a name.
    pub const MAX_LEN: usize = 13;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > Self::MAX_LEN {
            "it is longer than 13 characters"
        } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            "it must begin with a letter a-z"
        } else if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            "only a-z, 0-9 and `-` are allowed"
        } else if text.ends_with('-') {
            "it must not end in `-`"
        } else if RESERVED.contains(&text) {
            "the system uses this name itself"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(InvalidName { text: text.to_owned(), reason })
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_is_safe_and_names_what_is_not() {
        for good in ["a", "vpc1", "h2-l1a", "abcdefghijklm"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1a",
            "-a",
            "a-",
            "A",
            "a_b",
            "a b",
            "a;b",
            "../x",
            "abcdefghijklmn",
            "lo",
            "bridge",
            "gre0",
            "é",
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
