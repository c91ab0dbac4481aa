//! The eBPF programs and their maps: loading, attaching, and the memory that the tables live in.
//!
//! Everything is pinned below `<pin-dir>/v<ABI version>/`, so it outlives the agent: `maps/<NAME>`,
//! `programs/<name>`, `links/<interface>-<hook>`. Removing a link's pin detaches the program.

mod attach;
mod btf;
mod clsact;
mod counters;
mod encaps;
mod explain;
mod grace;
mod loader;
mod maps;
#[cfg(feature = "ebpf-log")]
mod messages;
mod mmap;
mod mount;
mod object;
mod pins;
mod resolve;
mod syscall;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

pub use attach::{Attached, Attachment, Hook, attachments, detach, detach_all, detach_stale};
pub use counters::Counters;
pub use encaps::Encaps;
pub use explain::{Explainer, Ran, Verdict};
pub use grace::Membarrier;
pub use loader::{Loader, Object};
pub use maps::{PinnedMaps, Table};
pub use mmap::{FibMemory, Mapped};
pub use object::{FastPath, Origin};
pub use pins::Pins;
pub use table::{ArrayTable, Devices};
pub use verify::is_live;
