//! A map from prefixes that finds what covers an address, and what lies under a prefix.

use std::{collections::BTreeMap, net::IpAddr, ops::RangeInclusive};

use ipnet::IpNet;

/// An ordered map from (truncated) prefixes. Finding a cover costs one look-up for each prefix length in use.
#[derive(Clone, Debug)]
pub struct PrefixMap<T> {
    entries: BTreeMap<IpNet, T>,
    /// How many entries have each length, per family.
    lengths: BTreeMap<(bool, u8), usize>,
}

impl<T> Default for PrefixMap<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), lengths: BTreeMap::new() }
    }
}

impl<T> PrefixMap<T> {
    /// The value of exactly this prefix.
    pub fn get(&self, prefix: IpNet) -> Option<&T> {
        self.entries.get(&prefix)
    }

    /// The value of exactly this prefix, made if there is none.
    pub fn entry(&mut self, prefix: IpNet) -> &mut T
    where
        T: Default,
    {
        self.entries.entry(prefix).or_insert_with(|| {
            *self.lengths.entry(length_key(prefix)).or_default() += 1;
            T::default()
        })
    }

    /// Keeps the entries of which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(IpNet, &mut T) -> bool) {
        let lengths = &mut self.lengths;
        self.entries.retain(|&prefix, value| {
            let kept = keep(prefix, value);
            if !kept {
                forget_length(lengths, prefix);
            }
            kept
        });
    }

    /// Removes a prefix.
    pub fn remove(&mut self, prefix: IpNet) {
        if self.entries.remove(&prefix).is_some() {
            forget_length(&mut self.lengths, prefix);
        }
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &T)> {
        self.entries.iter().map(|(&prefix, value)| (prefix, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Entries that cover `prefix` (equal or shorter), the longest first.
    pub fn covers(&self, prefix: IpNet) -> impl Iterator<Item = (IpNet, &T)> {
        let v6 = matches!(prefix, IpNet::V6(_));
        self.lengths.range((v6, 0)..=(v6, prefix.prefix_len())).rev().filter_map(move |(&(_, length), _)| {
            let cover = IpNet::new(prefix.addr(), length).ok()?.trunc();
            self.entries.get(&cover).map(|value| (cover, value))
        })
    }

    /// Entries inside `prefix` (equal or longer), in order.
    pub fn under(&self, prefix: IpNet) -> impl Iterator<Item = (IpNet, &T)> {
        self.entries.range(span(prefix)).map(|(&inner, value)| (inner, value))
    }
}

/// The range in which exactly what is inside `prefix` lies: truncated prefixes order by address, then by
/// length.
fn span(prefix: IpNet) -> RangeInclusive<IpNet> {
    prefix..=host(prefix.broadcast())
}

/// The prefix that holds just `address`.
pub fn host(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

fn length_key(prefix: IpNet) -> (bool, u8) {
    (matches!(prefix, IpNet::V6(_)), prefix.prefix_len())
}

fn forget_length(lengths: &mut BTreeMap<(bool, u8), usize>, prefix: IpNet) {
    let key = length_key(prefix);
    if let Some(count) = lengths.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            lengths.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(prefixes: &[&str]) -> PrefixMap<String> {
        let mut map = PrefixMap::default();
        for text in prefixes {
            *map.entry(text.parse().unwrap()) = (*text).to_owned();
        }
        map
    }

    #[test]
    fn finds_covers_longest_first_and_what_lies_under() {
        let mut map = map(&["0.0.0.0/0", "198.18.0.0/15", "198.18.0.0/24", "198.18.0.7/32", "198.18.1.0/24"]);
        let covers = |map: &PrefixMap<String>, prefix: &str| -> Vec<String> {
            map.covers(prefix.parse().unwrap()).map(|(_, text)| text.clone()).collect()
        };
        assert_eq!(
            covers(&map, "198.18.0.7/32"),
            ["198.18.0.7/32", "198.18.0.0/24", "198.18.0.0/15", "0.0.0.0/0"]
        );
        assert_eq!(covers(&map, "198.18.0.0/24"), ["198.18.0.0/24", "198.18.0.0/15", "0.0.0.0/0"]);
        let under: Vec<_> =
            map.under("198.18.0.0/24".parse().unwrap()).map(|(_, text)| text.as_str()).collect();
        assert_eq!(under, ["198.18.0.0/24", "198.18.0.7/32"]);
        map.remove("198.18.0.0/15".parse().unwrap());
        map.retain(|prefix, _| prefix.prefix_len() != 0);
        assert_eq!(covers(&map, "198.18.1.9/32"), ["198.18.1.0/24"]);
        assert_eq!(map.len(), 3);
    }
}
