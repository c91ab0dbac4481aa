//! BGP with BIRD.

use anyhow::{Result, ensure};
use raas_lab::{
    Lab,
    peer::{Bird, Shell},
    wait_for,
};

use crate::{
    gre::{BRANCH, guest_at},
    site::{Host, SOON, attach, established, ping},
};

/// What `l2` knows of a network: the kernel's route.
fn route(lab: &Lab, network: &str) -> Result<String> {
    let output = lab.exec("h1", Some("raas-acme-l2"), &["ip", "route", "show", network])?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prefix lists, in both directions; a peer that leaves the configuration and comes back.
pub fn filters(lab: &Lab) -> Result<()> {
    let guest = guest_at(lab, &BRANCH, "guest")?;
    let mut bird = BRANCH.bird("gre1");
    let (part, foreign) = ("198.18.128.128/25", "198.18.130.0/24");
    for more in [part, foreign] {
        bird.announces.push(more.parse()?);
    }
    attach(lab, &guest, &bird, &BRANCH.far.to_string())?;
    wait_for(SOON, "more specific route", || Ok((!route(lab, part)?.is_empty()).then_some(())))?;
    ensure!(route(lab, foreign)?.is_empty(), "{foreign} was imported");
    for network in ["198.18.1.0/24", "198.18.2.0/24"] {
        let known = Bird::routes(&guest, network.parse()?)?;
        ensure!(known.contains("via 198.51.100.1 on gre1"), "{network}: {known}");
    }

    // Out of the configuration, and back: FRR takes both without a fault.
    let file = lab.config().join("acme.toml");
    let with = std::fs::read_to_string(&file)?;
    let mut tables = with.split("[[transit.peer]]").collect::<Vec<_>>();
    tables.remove(1);
    std::fs::write(&file, tables.join("[[transit.peer]]"))?;
    let gone = wait_for(SOON, "end of the session and its interface", || {
        let status = lab.own_status("h1")?;
        ensure!(status.faults.is_empty(), "{:?}", status.faults);
        let sessions = status.routers.iter().flat_map(|router| &router.sessions);
        let known = sessions.filter(|session| session.neighbor == "198.51.100.2").count();
        let link = lab.exec("h1", Some("raas-acme-l2"), &["ip", "link", "show", "branch"])?;
        Ok((known == 0 && !link.status.success() && status.is_well()).then_some(()))
    });
    std::fs::write(&file, with)?;
    gone?;
    established(lab, "198.51.100.2")?;
    let address = Host::new(lab, "acme/pc2")?.address()?;
    wait_for(SOON, "ping from the site", || ping(&guest, address).map(Some))?;
    Ok(())
}

/// No addresses in the tunnel; a site that is told of one VPC only.
pub fn unnumbered(lab: &Lab) -> Result<()> {
    let shop = crate::gre::Site {
        name: "shop",
        underlay: "192.0.2.13/24".parse()?,
        network: "198.18.131.0/24".parse()?,
        address: "198.18.131.1".parse()?,
        asn: 64903,
        ..BRANCH
    };
    let guest = guest_at(lab, &shop, "guest")?;
    guest.shell("ip address flush dev gre1 scope global")?;
    let bird = Bird { neighbor: None, ..shop.bird("gre1") };
    bird.start(&guest)?;
    established(lab, "shop").map_err(|error| match Bird::protocols(&guest) {
        Ok(protocols) => error.context(protocols),
        Err(_) => error,
    })?;
    let (pc1, pc2) = (Host::new(lab, "acme/pc1")?, Host::new(lab, "acme/pc2")?);
    wait_for(SOON, "ping from the site", || ping(&guest, pc1.address()?).map(Some))?;
    ping(&pc1, shop.address)?;
    let known = Bird::routes(&guest, "198.18.2.0/24".parse()?);
    ensure!(!known.is_ok_and(|known| known.contains("gre1")), "told of a VPC that is not its business");
    ensure!(ping(&guest, pc2.address()?).is_err(), "reaches a VPC that it was not told of");
    Ok(())
}
