//! All input and output: the kernel's interfaces, and nothing that decides.

pub mod bpf;
//! All input and output: namespaces, netlink, processes, files.

pub mod ethtool;
pub mod ifreq;
pub mod lock;
pub mod netlink;
pub mod netns;
pub mod observe;
mod paths;
pub mod process;
pub mod state;
pub mod sysctl;

pub use self::paths::Paths;
