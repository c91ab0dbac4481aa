//! Things by name, as people type names.

use anyhow::{Result, bail};

use crate::config::suggest;

/// The one of `things` whose full name, or its last part alone, is `wanted`. `what` they are, in plural.
pub fn pick<'a, T>(things: &'a [T], name: impl Fn(&T) -> &str, wanted: &str, what: &str) -> Result<&'a T> {
    if let Some(thing) = things.iter().find(|thing| name(thing) == wanted) {
        return Ok(thing);
    }
    let last = |thing: &&T| name(thing).rsplit('/').next() == Some(wanted);
    let matching: Vec<_> = things.iter().filter(last).collect();
    match matching[..] {
        [thing] => Ok(thing),
        [] => bail!("there is no `{wanted}` here: {}", suggest(wanted, what, things.iter().map(name))),
        _ => {
            let names: Vec<_> = matching.into_iter().map(name).collect();
            bail!("`{wanted}` is ambiguous: {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_come_before_last_parts() {
        let names = ["acme/pc1", "acme/pc2", "globex/pc1", "pc2"];
        let find = |wanted: &str| pick(&names, |name| name, wanted, "endpoints").copied();
        assert_eq!(find("acme/pc1").unwrap(), "acme/pc1");
        assert_eq!(find("pc2").unwrap(), "pc2");
        assert!(find("pc1").unwrap_err().to_string().contains("ambiguous: acme/pc1, globex/pc1"));
        assert!(find("acme/pc3").unwrap_err().to_string().contains("did you mean `acme/pc"));
    }
}
