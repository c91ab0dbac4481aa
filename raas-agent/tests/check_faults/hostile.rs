//! Whatever the files hold, checking them ends soon, without a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use raas_agent::config::{self, File};

use super::{base, edited};

/// Words to build nonsense from that gets past the first checks.
const WORDS: [&str; 24] = [
    "[[vpc]]",
    "[[vpc.spine]]",
    "[[vpc.subnet]]",
    "[[transit]]",
    "[[attachment]]",
    "[[hypervisor]]",
    "\n",
    "\"",
    "=",
    "name = \"l1a\"",
    "hypervisor = \"h1\"",
    "asn = 1",
    "level = 1",
    "stretch = \"web\"",
    "cidr = \"198.18.0.0/30\"",
    "vni = 100",
    "dhcp = { start = \"198.18.0.3\", end = \"198.18.0.1\" }",
    "gre-key = 1",
    "0",
    "9999999999",
    "é",
    "\u{0}",
    "between = [\"l1a\", \"l2a\", \"l1a\"]",
    "weight = 1",
];

fn a_word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&WORDS[..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_edits_never_panic(
        edits in prop::collection::vec((0usize..3, any::<prop::sample::Index>(), 0usize..20, a_word()), 1..8),
    ) {
        let mut files = edited(&[]);
        for (file, at, remove, insert) in edits {
            let text = &mut files[file].text;
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + remove).min(text.len()));
            text.replace_range(start..end, insert);
        }
        if let Err(faults) = config::parse(files) {
            prop_assert!(faults.iter().all(|fault| !fault.message.is_empty() && !fault.help.is_empty()));
            prop_assert!(!faults.to_string().contains(|c: char| c.is_control() && c != '\n'));
            prop_assert!(!faults.to_string().contains("defect"), "a fault that no check has named");
        }
    }

    #[test]
    fn swapped_lines_never_panic(
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let mut lines: Vec<&str> = base::ACME.lines().collect();
        for (a, b) in swaps {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        let mut files = edited(&[]);
        files[1].text = lines.join("\n");
        if let Err(faults) = config::parse(files) {
            prop_assert!(!faults.to_string().contains("defect"), "a fault that no check has named");
        }
    }
}

/// Checks a fabric with one tenant of that text; fails if that takes long.
fn quickly(tenant: String) -> usize {
    assert!(tenant.len() <= 1 << 20, "the file would be refused: {}", tenant.len());
    let files = vec![
        File { path: "fabric.toml".into(), text: base::FABRIC.into() },
        File { path: "acme.toml".into(), text: tenant },
    ];
    let start = Instant::now();
    let count = config::parse(files).map_or_else(|faults| faults.count(), |_| 0);
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
    count
}

#[test]
fn large_files_are_checked_soon() {
    let unknown: String = (0..100_000).map(|n| format!("k{n}=1\n")).collect();
    assert_eq!(quickly(unknown), 100_000);
    let transit = |n: usize| format!("[[transit]]\nname='t{n}'\nlevel=1\nhypervisor='h1'\nasn={n}\n");
    let transits: String = (1..15_000).map(transit).collect();
    assert!(quickly(transits) > 0, "the pool is exhausted");
    let dangling: String = (0..30_000).map(|_| "[[attachment]]\nbetween=['a','b']\n").collect();
    assert_eq!(quickly(dangling), 60_000);
    let one_line = format!("vpc=[{}]", "{name=1},".repeat(100_000));
    assert!(quickly(one_line) >= 100_000);
    let _ = quickly("[".repeat(1 << 20));
    let _ = quickly(format!("a{}=1", ".a".repeat(500_000)));
}
