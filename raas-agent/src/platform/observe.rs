//! Reads what exists into [`Observed`].

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use futures::future::try_join_all;

use super::{
    Paths, ethtool,
    netlink::{read, route, unnumbered},
    netns::{self, OpenNetns, Places},
    process, sysctl,
};
use crate::{
    apply::{
        Link, Observed, Offloads, mark,
        sysctls::{self, Key},
        unnumbered::OTHER_END,
    },
    plan::{Desired, Place, StaticRoute},
};

/// What the names of our namespaces begin with (that they are ours, their mark says).
const NETNS_PREFIX: &str = "raas-";

/// Looks at everything that concerns `desired`, and at whatever else carries the hypervisor's mark.
/// Namespaces of ours are open in `places` afterwards, others are not.
///
/// # Errors
/// If the kernel does not answer.
pub async fn observe(places: &mut Places, paths: &Paths, desired: &Desired) -> Result<Observed> {
    let namespaces = namespaces(places, desired).await?;
    let hypervisor = desired.hypervisor.as_str();
    let ours: Vec<&str> = namespaces
        .iter()
        .filter(|(_, alias)| mark::is_ours(alias.as_deref(), hypervisor))
        .map(|(netns, _)| netns.as_str())
        .collect();
    places.retain(|netns| ours.contains(&netns));

    let wanted = parameters(desired);
    let seen = ours.iter().map(|netns| Place::Namespace((*netns).to_owned())).chain([Place::Host]);
    let seen = try_join_all(seen.map(|place| {
        let (places, wanted) = (&*places, &wanted);
        async move { look_at(places.get(&place)?, place, wanted, hypervisor).await }
    }))
    .await?;

    let mut observed = Observed {
        namespaces: BTreeMap::new(),
        links: BTreeMap::new(),
        routes: BTreeSet::new(),
        neighbours: BTreeMap::new(),
        sysctls: BTreeMap::new(),
        processes: process::observe(paths, places, &ours)?,
    };
    for seen in seen {
        if let Place::Namespace(netns) = &seen.place {
            let of_netns = |(ifname, mac)| ((netns.clone(), ifname), mac);
            observed.neighbours.extend(seen.neighbours.into_iter().map(of_netns));
        }
        observed.links.insert(seen.place, seen.links);
        observed.routes.extend(seen.routes);
        observed.sysctls.extend(seen.sysctls);
    }
    observed.namespaces = namespaces;
    Ok(observed)
}

/// Namespaces that are desired or could be ours, with the aliases of their `lo`.
async fn namespaces(places: &mut Places, desired: &Desired) -> Result<BTreeMap<String, Option<String>>> {
    let is_desired = |netns: &str| desired.namespaces.iter().any(|namespace| namespace.netns == netns);
    let mut namespaces = BTreeMap::new();
    for netns in netns::list()? {
        if (netns.starts_with(NETNS_PREFIX) || is_desired(&netns)) && places.open(&netns).await? {
            let open = places.get(&Place::Namespace(netns.clone()))?;
            let alias =
                read::loopback_alias(open.netlink()).await.with_context(|| format!("namespace {netns}"))?;
            namespaces.insert(netns, alias);
        }
    }
    Ok(namespaces)
}

fn parameters(desired: &Desired) -> BTreeMap<Place, Vec<Key>> {
    let mut wanted: BTreeMap<Place, Vec<Key>> = BTreeMap::new();
    for key in sysctls::desired(desired).into_keys() {
        wanted.entry(key.place.clone()).or_default().push(key);
    }
    wanted
}

/// What was seen in one place.
struct Seen {
    place: Place,
    links: BTreeMap<String, Link>,
    routes: Vec<StaticRoute>,
    /// By interface.
    neighbours: BTreeMap<String, [u8; 6]>,
    sysctls: Vec<(Key, String)>,
}

async fn look_at(
    open: &OpenNetns,
    place: Place,
    wanted: &BTreeMap<Place, Vec<Key>>,
    hypervisor: &str,
) -> Result<Seen> {
    let mut links = read::links(open.netlink()).await.with_context(|| format!("links of {place:?}"))?;
    for (ifname, link) in &mut links {
        if mark::is_ours(link.alias.as_deref(), hypervisor) {
            link.offloads = offloads(open, ifname);
        }
    }
    let (routes, neighbours) = match &place {
        Place::Host => (Vec::new(), BTreeMap::new()),
        Place::Namespace(netns) => {
            let names = links.iter().map(|(ifname, link)| (link.index, ifname.clone())).collect();
            let routes = route::list(open.netlink(), netns, &names).await;
            let neighbours = unnumbered::list(open.netlink(), OTHER_END, &names).await;
            (
                routes.with_context(|| format!("routes of {netns}"))?,
                neighbours.with_context(|| format!("neighbours of {netns}"))?,
            )
        }
    };
    let keys = wanted.get(&place).map_or(&[][..], Vec::as_slice);
    let paths = keys.iter().map(|key| key.path.clone()).collect();
    let values: BTreeMap<String, String> = sysctl::read(open.fd(), paths).await?.into_iter().collect();
    let sysctls = keys.iter().filter_map(|key| Some((key.clone(), values.get(&key.path)?.clone()))).collect();
    Ok(Seen { place, links, routes, neighbours, sysctls })
}

/// `None` if the link went away meanwhile: the comparison then sets them, and finds out.
fn offloads(open: &OpenNetns, ifname: &str) -> Option<Offloads> {
    let read = |offload| ethtool::offload(open.control(), ifname, offload).ok();
    Some(Offloads { gro: read(ethtool::Offload::Gro)?, tx_checksum: read(ethtool::Offload::TxChecksum)? })
}
