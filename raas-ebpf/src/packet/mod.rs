//! Packets: the buffers of the two hooks, a cursor over their bytes, and a file for each header.

mod buffer;
mod checksum;
mod cursor;
mod ethernet;
mod gre;
mod ipv4;
mod ipv6;
mod ports;
mod tc;
mod traced;
mod vxlan;
mod xdp;

pub use buffer::{Egress, Framing, Inner, Packet, Refused};
pub use checksum::sum;
pub use cursor::{Cursor, Wire};
pub use ethernet::{Address, EtherType, Ethernet, Tag, is_priority};
pub use gre::{Gre, GreFlags};
pub use ipv4::{Ipv4, Protocol, fold};
pub use ipv6::Ipv6;
pub use ports::{Ports, tcp_header_len};
pub use tc::Tc;
pub use traced::Traced;
pub use vxlan::{Udp, Vxlan};
pub use xdp::Xdp;
