//! A configuration without a fault, which has one of everything. Each case changes a little of it.

pub const FABRIC: &str = r#"name = "test"
asn = 64512
mtu = 1500
fib-nodes = 1024

[[hypervisor]]
name = "h1"
address = "192.0.2.1/24"
uplinks = ["uplink0", "uplink1"]
hook = "xdp"
loopbacks = "203.0.113.0/28"

[[hypervisor]]
name = "h2"
address = "192.0.2.2/24"
uplinks = ["uplink0"]
loopbacks = "203.0.113.16/28"
"#;

pub const ACME: &str = r#"[[vpc]]
name = "vpc1"
hypervisor = "h1"

[[vpc.spine]]
name = "spine"
asn = 1000
ecmp = 4
advertise = ["198.18.0.0/16", "0.0.0.0/0"]

[[vpc.spine.neighbor]]
name = "l1a"
weight = 100
local-preference = 200

[[vpc.spine]]
asn = 2000

[[vpc.subnet]]
name = "web"
cidr = "198.18.0.0/24"
gateway = "198.18.0.254"
vni = 100
hook = "tc"
dhcp = { start = "198.18.0.10", end = "198.18.0.19", lease = 120 }

[[vpc.subnet.endpoint]]
name = "pc1"

[[vpc.subnet.endpoint]]
name = "nic"
interface = "eth1"
hook = "xdp"

[[vpc]]
name = "vpc2"
hypervisor = "h2"

[[vpc.spine]]
asn = 3000

[[vpc.subnet]]
name = "db"
cidr = "198.18.1.0/24"
dhcp = { start = "198.18.1.10", end = "198.18.1.19" }

[[vpc.subnet]]
name = "web-h2"
stretch = "web"

[[vpc.subnet.endpoint]]
name = "pc2"

[[transit]]
name = "l1a"
level = 1
hypervisor = "h1"
asn = 5000

[[transit]]
name = "l2a"
level = 2
hypervisor = "h1"
asn = 6000

[[transit]]
name = "h2-l1a"
level = 1
hypervisor = "h2"
asn = 5500

[[transit.neighbor]]
name = "l2a"
weight = 1

[[attachment]]
between = ["l1a", "l2a"]

[[attachment]]
between = ["h2-l1a", "l2a"]
gre-key = 1

[[transit.peer]]
name = "branch"
remote = "198.51.100.9"
asn = 64900
gre-key = 7
address = "198.19.255.1/30"
maximum-prefix = 100
import = ["198.18.128.0/17"]
export = ["198.18.0.0/17"]
"#;

pub const GLOBEX: &str = r#"[[vpc]]
name = "vpc1"
hypervisor = "h1"

[[vpc.spine]]
asn = 1000

[[vpc.subnet]]
name = "web"
cidr = "198.18.0.0/24"
vni = 200

[[transit]]
name = "l1a"
level = 1
hypervisor = "h1"
asn = 5000

[[transit]]
name = "l2a"
level = 2
hypervisor = "h2"
asn = 6000

[[attachment]]
between = ["l1a", "l2a"]
"#;
