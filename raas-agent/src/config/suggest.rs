//! What was probably meant.

/// A remedy for a name that is not among `known` (`what` they are, plural): the nearest one, or all of them.
pub fn suggest<'a>(text: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 10;
    let known: Vec<&str> = known.into_iter().take(1000).collect();
    if let Some(nearest) = nearest(text, &known) {
        format!("did you mean `{nearest}`?")
    } else if known.is_empty() {
        format!("there are no {what}")
    } else {
        let list: Vec<_> = known.iter().take(MOST).map(|name| format!("`{name}`")).collect();
        let more = if known.len() > MOST { ", …" } else { "" };
        format!("known {what}: {}{more}", list.join(", "))
    }
}

/// The candidate with the fewest typing errors, if these are at most a third of its length.
pub(super) fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    if text.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(text, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_or_lists_all() {
        let known = ["asn", "name", "neighbor"];
        assert_eq!(suggest("asnn", "keys", known), "did you mean `asn`?");
        assert_eq!(suggest("neigbhor", "keys", known), "did you mean `neighbor`?");
        assert_eq!(suggest("colour", "keys", known), "known keys: `asn`, `name`, `neighbor`");
        assert_eq!(suggest("x", "keys", []), "there are no keys");
        assert!(nearest(&"asn".repeat(1000), &known).is_none());
    }
}
