//! Open vSwitch, its userspace datapath: GRE and VXLAN without any of the kernel's tunnels.

use std::{process::Child, time::Duration};

use anyhow::{Context as _, Result};
use ipnet::Ipv4Net;

use super::{Foreign, Shell};
use crate::{Lab, probe::Running, wait_for};

/// How long its daemons may take to start on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A machine whose tunnels are Open vSwitch's.
#[derive(Debug)]
pub struct OpenVSwitch {
    #[expect(dead_code, reason = "killed before the machine goes")]
    daemons: [Running; 2],
    machine: Foreign,
}

impl OpenVSwitch {
    /// Starts it, with the underlay address on the bridge that `uplink0` is a port of: by that bridge it finds
    /// tunnels' remote ends.
    pub fn start(lab: &Lab, name: &str, address: Ipv4Net) -> Result<Self> {
        let machine = lab.plug(name)?;
        let schema = "/usr/share/openvswitch/vswitch.ovsschema";
        machine.run(&format!("mkdir /run/openvswitch && ovsdb-tool create /run/ovs.db {schema}"))?;
        let running = |child: Child| Running(child);
        let database = machine.daemon(
            "ovsdb-server",
            &["/run/ovs.db", "--remote=punix:/run/openvswitch/db.sock", "-vsyslog:off"],
        );
        let database = database.map(running)?;
        let ready = || machine.run("ovs-vsctl --no-wait --timeout=5 init");
        wait_for(SOON, "Open vSwitch's database", || ready().map(Some))?;
        let switch = machine
            .daemon("ovs-vswitchd", &["unix:/run/openvswitch/db.sock", "--disable-system", "-vsyslog:off"]);
        let daemons = [database, switch.map(running)?];
        let ovs = Self { daemons, machine };
        ovs.bridge("underlay")?;
        ovs.shell(&format!(
            // It reads frames one by one into buffers of an MTU: none may have been merged.
            "ethtool -K uplink0 gro off && ovs-vsctl --timeout=30 add-port underlay uplink0 && \
             ip address add {address} dev underlay"
        ))?;
        Ok(ovs)
    }

    /// Makes a bridge, which is an interface of the machine too.
    fn bridge(&self, name: &str) -> Result<String> {
        self.shell(&format!(
            "ovs-vsctl --timeout=30 add-br {name} -- set bridge {name} datapath_type=netdev && \
             ip link set {name} up && cat /sys/class/net/{name}/address"
        ))
    }

    /// A GRE tunnel that carries IP: it leads to the interface `site`, which has an address in the tunnel.
    pub fn gre(&self, local: Ipv4Net, remote: Ipv4Net, options: &str, tunnel: &Tunnel) -> Result<()> {
        let mac = self.bridge("site")?;
        let Tunnel { address, neighbor, mtu } = tunnel;
        let (local, remote) = (local.addr(), remote.addr());
        self.shell(&format!(
            "set -e\n\
             ovs-vsctl --timeout=30 add-port site tunnel -- set interface tunnel type=gre \
             options:packet_type=legacy_l3 options:local_ip={local} options:remote_ip={remote} {options} \
             -- set interface site mtu_request={mtu}\n\
             ovs-ofctl del-flows site\n\
             ovs-ofctl add-flow site in_port=tunnel,ip,actions=mod_dl_dst:{mac},LOCAL\n\
             ovs-ofctl add-flow site in_port=LOCAL,ip,actions=output:tunnel\n\
             ip address add {address} dev site\n\
             ip neighbour add {neighbor} lladdr 02:00:00:00:00:01 dev site nud permanent"
        ))
        .map(drop)
    }

    /// Changes the tunnel's options, and waits until every packet follows them.
    ///
    /// `ovs-vsctl` returns when the switch has read them. Flows it already had in its cache go on as before until
    /// its revalidators have been over them, up to half a second later.
    pub fn set(&self, options: &str) -> Result<()> {
        self.shell(&format!(
            "set -e\n\
             ovs-vsctl --timeout=30 set interface tunnel {options}\n\
             ovs-appctl --timeout=30 --target $(echo /run/openvswitch/ovs-vswitchd.*.ctl) revalidator/wait"
        ))
        .map(drop)
    }

    /// A VXLAN tunnel, and the interface `site` on the segment, with these addresses.
    pub fn vxlan(
        &self,
        local: Ipv4Net,
        remote: Ipv4Net,
        vni: u32,
        address: Ipv4Net,
        mac: &str,
    ) -> Result<()> {
        self.bridge("site")?;
        let (local, remote) = (local.addr(), remote.addr());
        self.shell(&format!(
            "set -e\n\
             ovs-vsctl --timeout=30 add-port site tunnel -- set interface tunnel type=vxlan \
             options:local_ip={local} options:remote_ip={remote} options:key={vni} \
             -- set interface site mtu_request=1450 -- set bridge site other-config:hwaddr={mac}\n\
             grep -qx {mac} /sys/class/net/site/address\n\
             ip address add {address} dev site"
        ))
        .map(drop)
    }

    /// The machine.
    pub fn machine(&self) -> &Foreign {
        &self.machine
    }
}

/// The inside of a tunnel at its foreign end.
#[derive(Clone, Copy, Debug)]
pub struct Tunnel {
    /// Address there.
    pub address: Ipv4Net,
    /// Our address.
    pub neighbor: std::net::Ipv4Addr,
    /// MTU.
    pub mtu: u16,
}

impl Shell for OpenVSwitch {
    fn shell(&self, script: &str) -> Result<String> {
        self.machine.run(script).context("Open vSwitch")
    }
}
