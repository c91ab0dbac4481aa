//! The last look at a plan: nothing may be there twice.

use std::collections::HashMap;

use super::{Desired, Place, PlanError};

/// Fails if two things share a namespace, an interface name in one place, a MAC address or a VNI. Hashes can
/// collide, `raas-a-b-c` is the namespace of both `a/b-c` and `a-b/c`, and the kernel allows a VNI once.
pub(super) fn no_collisions(desired: &Desired) -> Result<(), PlanError> {
    let mut namespaces = Unique::new("namespace");
    for namespace in &desired.namespaces {
        namespaces.insert(namespace.netns.clone(), &namespace.name)?;
    }

    let mut interfaces = Unique::new("interface name");
    let mut macs = Unique::new("MAC address");
    let ends = desired.veths.iter().flat_map(|pair| [&pair.a, &pair.b]);
    let made = ends
        .map(|end| (&end.place, &end.ifname, &end.mac, &end.alias))
        .chain(
            desired.bridges.iter().map(|bridge| (&Place::Host, &bridge.ifname, &bridge.mac, &bridge.alias)),
        )
        .chain(desired.vxlans.iter().map(|vxlan| (&Place::Host, &vxlan.ifname, &vxlan.mac, &vxlan.alias)));
    for (place, ifname, mac, alias) in made {
        let place = match place {
            Place::Host => "",
            Place::Namespace(netns) => netns,
        };
        interfaces.insert(format!("{place}/{ifname}"), alias)?;
        macs.insert(format!("{mac:02x?}"), alias)?;
    }
    for ifname in desired.adopted.keys() {
        interfaces.insert(format!("/{ifname}"), ifname)?;
    }

    let mut vnis = Unique::new("VNI");
    for vxlan in &desired.vxlans {
        vnis.insert(vxlan.vni.to_string(), &vxlan.alias)?;
    }
    Ok(())
}

/// Values that must differ, and who has each.
struct Unique {
    what: &'static str,
    owners: HashMap<String, String>,
}

impl Unique {
    fn new(what: &'static str) -> Self {
        Self { what, owners: HashMap::new() }
    }

    fn insert(&mut self, value: String, owner: &str) -> Result<(), PlanError> {
        match self.owners.insert(value.clone(), owner.to_owned()) {
            Some(first) => {
                Err(PlanError::Collision { what: self.what, value, first, second: owner.to_owned() })
            }
            None => Ok(()),
        }
    }
}
