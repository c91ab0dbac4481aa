//! From a TOML value to a typed one: each function takes the value of one key.

use std::{net::Ipv4Addr, ops::RangeInclusive, str::FromStr};

use ipnet::Ipv4Net;
use toml::de::DeValue;

use super::suggest::suggest;
use crate::model::{Hook, Name};

/// Why a value cannot be what its key needs.
pub(super) struct Wrong {
    /// Continues a sentence that begins with the key: "must be an integer, not a string".
    pub must: String,
    /// The remedy.
    pub help: String,
}

impl Wrong {
    fn new(must: impl Into<String>, help: impl Into<String>) -> Self {
        Self { must: must.into(), help: help.into() }
    }
}

/// Prefixes in which no host of a tenant's can be, and why (RFC 6890, section 2.2.2; RFC 5771).
const UNUSABLE: [([u8; 4], u8, &str); 5] = [
    ([0, 0, 0, 0], 8, "“this network”"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([169, 254, 0, 0], 16, "link-local, not routed"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
];

pub(super) fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Wrong> {
    value.as_str().ok_or_else(|| {
        Wrong::new(format!("must be a string, not {}", kind(value)), "write it between double quotes")
    })
}

pub(super) fn name(value: &DeValue<'_>) -> Result<Name, Wrong> {
    text(value)?.parse::<Name>().map_err(|wrong| {
        Wrong::new(
            format!(
                "must be a legal name, which {} is not: {}",
                quote(text(value).unwrap_or("")),
                wrong.reason()
            ),
            format!("1 to {} characters of a-z, 0-9 and `-`, beginning with a letter", Name::MAX_LEN),
        )
    })
}

/// An integer within bounds (which fit the type).
pub(super) fn number<T>(bounds: RangeInclusive<T>) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong>
where
    T: TryFrom<i128> + PartialOrd + std::fmt::Display + Copy,
{
    move |value| {
        let (low, high) = (bounds.start(), bounds.end());
        let help = || format!("write an integer from {low} to {high}");
        let Some(integer) = value.as_integer() else {
            return Err(Wrong::new(format!("must be an integer, not {}", kind(value)), help()));
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        number
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                Wrong::new(format!("must be {low} to {high}, not {}", quote(&integer.to_string())), help())
            })
    }
}

/// An AS number that may be used on the wire: RFC 7607 (0), RFC 6793 (AS_TRANS), RFC 7300 (last of each
/// size).
pub(super) fn asn(value: &DeValue<'_>) -> Result<u32, Wrong> {
    let asn = number(1..=u32::MAX)(value)?;
    if [23456, 65535, u32::MAX].contains(&asn) {
        return Err(Wrong::new(
            format!("must not be {asn}, which is reserved"),
            "private use: 64512 to 65534 or 4200000000 to 4294967294 (RFC 6996)",
        ));
    }
    Ok(asn)
}

pub(super) fn address(value: &DeValue<'_>) -> Result<Ipv4Addr, Wrong> {
    from_str(value, "an IPv4 address", "198.18.0.1")
}

/// An address with the prefix length of its network.
pub(super) fn interface_address(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let net: Ipv4Net = from_str(value, "an IPv4 address with a prefix length", "192.0.2.1/24")?;
    usable(&net)?;
    if net.prefix_len() < 31 && (net.addr() == net.network() || net.addr() == net.broadcast()) {
        return Err(Wrong::new(
            format!("must be a host's address, which {} is not in {}", net.addr(), net.trunc()),
            "take another address: a network's first and last are no host's",
        ));
    }
    Ok(net)
}

/// A host's address that can be reached.
pub(super) fn host(value: &DeValue<'_>) -> Result<Ipv4Addr, Wrong> {
    let address = address(value)?;
    usable(&address.into())?;
    Ok(address)
}

/// An address with the prefix length of a network of two hosts.
pub(super) fn tunnel_address(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let net = interface_address(value)?;
    if !matches!(net.prefix_len(), 30 | 31) {
        return Err(Wrong::new(
            format!("must be in a network of two hosts, which {} is not", net.trunc()),
            "take a /30 or a /31: the other host is the peer",
        ));
    }
    Ok(net)
}

/// A network whose hosts can be reached.
pub(super) fn network(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let net = prefix(value)?;
    usable(&net)?;
    Ok(net)
}

/// A network to announce: as [`network`], and the default route as well.
pub(super) fn announced(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let net = prefix(value)?;
    if net.prefix_len() > 0 {
        usable(&net)?;
    }
    Ok(net)
}

fn prefix(value: &DeValue<'_>) -> Result<Ipv4Net, Wrong> {
    let net: Ipv4Net = from_str(value, "an IPv4 network", "198.18.0.0/24")?;
    if net.addr() != net.network() {
        return Err(Wrong::new(
            format!("must be a network, but {net} has bits set behind the prefix"),
            format!("write `{}`", net.trunc()),
        ));
    }
    Ok(net)
}

fn usable(net: &Ipv4Net) -> Result<(), Wrong> {
    for (address, len, why) in UNUSABLE {
        let unusable = Ipv4Net::new_assert(address.into(), len);
        if unusable.contains(net) || net.contains(&unusable) {
            return Err(Wrong::new(
                format!("must be unicast and routable, but {net} overlaps {unusable} ({why})"),
                "take a unicast one, private (RFC 1918) or public",
            ));
        }
    }
    Ok(())
}

pub(super) fn hook(value: &DeValue<'_>) -> Result<Hook, Wrong> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        Wrong::new(
            format!("must be `xdp`, `tc` or `auto`, not {}", quote(text)),
            suggest(text, "hooks", ["xdp", "tc", "auto"]),
        )
    })
}

/// A name that the kernel takes for an interface (`dev_valid_name`), other than the loopback's.
pub(super) fn interface(value: &DeValue<'_>) -> Result<String, Wrong> {
    let text = text(value)?;
    let illegal = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control() || !c.is_ascii();
    let why = if text.is_empty() {
        "it is empty"
    } else if text.len() > 15 {
        "it is longer than 15 characters"
    } else if text.contains(illegal) {
        "only ASCII without `/`, `:` and blanks is allowed"
    } else if matches!(text, "." | ".." | "lo") {
        "the kernel uses it itself"
    } else if text.len() == 12 && ["rp", "rb", "rv", "rt", "rl"].contains(&&text[..2]) {
        "the agent calls its own interfaces like this"
    } else {
        return Ok(text.to_owned());
    };
    Err(Wrong::new(
        format!("must be an interface name, which {} is not: {why}", quote(text)),
        "`ip link` lists the interfaces",
    ))
}

fn from_str<T: FromStr>(value: &DeValue<'_>, what: &str, example: &str) -> Result<T, Wrong> {
    let help = || format!("write it like `{example}`");
    let Some(text) = value.as_str() else {
        return Err(Wrong::new(format!("must be {what}, not {}", kind(value)), help()));
    };
    text.parse().map_err(|_| Wrong::new(format!("must be {what}, not {}", quote(text)), help()))
}

/// A value's type, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A text of the file as messages show it: between backticks, and short.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}
