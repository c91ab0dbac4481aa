//! Who reaches whom.

use anyhow::{Context as _, Result, ensure};
use raas_lab::{Lab, Pair, Station};

/// Every pair is as expected, those that may reach each other on the fast path.
pub fn matrix(lab: &Lab) -> Result<()> {
    let pairs = lab.reachability()?;
    check(&pairs, Pair::is_as_expected)?;
    check(&pairs, Pair::is_fast)
}

/// Switching the fast path off changes nothing but speed.
pub fn matrix_slow(lab: &Lab) -> Result<()> {
    lab.fast_path(false)?;
    let pairs = lab.reachability();
    lab.fast_path(true)?;
    let pairs = pairs?;
    check(&pairs, Pair::is_as_expected)?;
    check(&pairs, |pair| pair.share.is_none_or(|share| share == 0.0)).context("the fast path is off")
}

fn check(pairs: &[Pair], holds: impl Fn(&Pair) -> bool) -> Result<()> {
    let wrong: Vec<_> = pairs.iter().filter(|pair| !holds(pair)).map(Pair::to_string).collect();
    ensure!(
        wrong.is_empty(),
        "{} of {} pairs are not as expected:\n{}",
        wrong.len(),
        pairs.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// Two endpoints of different tenants have one address. Each is reached from its own tenant, and only from
/// there.
pub fn overlap(lab: &Lab) -> Result<()> {
    let [near_acme, far_acme] = [lab.station("acme/pc1")?, lab.station("acme/pc3")?];
    let [near_globex, far_globex] = [lab.station("globex/till")?, lab.station("globex/desk")?];
    let shared = "198.18.5.250".parse()?;
    for far in [&far_acme, &far_globex] {
        lab.shell(far, &format!("ip address replace {shared}/24 dev eth0"))?;
    }
    let arrives = |from: &Station, to: &Station, other: &Station| -> Result<()> {
        let other_before = lab.echoes(other)?;
        let pair = lab.pair(from, to, shared)?;
        ensure!(pair.is_as_expected(), "{pair}");
        let strayed = lab.echoes(other)? - other_before;
        ensure!(strayed == 0, "{strayed} of {from}'s packets for {to} arrived at {other}");
        Ok(())
    };
    let outcome = arrives(&near_acme, &far_acme, &far_globex)
        .and_then(|()| arrives(&near_globex, &far_globex, &far_acme));
    for far in [&far_acme, &far_globex] {
        lab.shell(far, &format!("ip address delete {shared}/24 dev eth0"))?;
    }
    outcome
}
