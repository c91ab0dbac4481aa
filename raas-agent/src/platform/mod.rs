//! All input and output: namespaces, netlink, BPF, processes, files. Nothing here decides.

pub mod bpf;
pub mod ethtool;
pub mod ifreq;
pub mod lock;
pub mod monitor;
pub mod netlink;
pub mod netns;
pub mod observe;
mod paths;
pub mod process;
pub mod state;
pub mod sysctl;

pub use self::paths::Paths;
