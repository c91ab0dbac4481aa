//! One agent for each state directory, and for each hypervisor.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

/// [`holder`] has the lock for a moment: whoever wants it tries again this often.
const GLANCES: u32 = 10;
/// And pauses this long in between.
const GLANCE: Duration = Duration::from_millis(10);

/// Held as long as the agent lives. The kernel lets go of it when the process ends, however that happens.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock `agent.lock` in the state directory.
    ///
    /// # Errors
    /// If another agent holds it (its pid is part of the error), or the directory is not writable.
    pub fn take(state: &Path) -> Result<Self> {
        let remedy = "is the directory writable? --state-dir chooses another";
        std::fs::create_dir_all(state).with_context(|| format!("creating {} ({remedy})", state.display()))?;
        let path = path(state);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).with_context(|| format!("opening {} ({remedy})", path.display()))?;
        let mut outcome = Flock::lock(file, FlockArg::LockExclusiveNonblock);
        for _ in 0..GLANCES {
            let Err((file, Errno::EWOULDBLOCK)) = outcome else { break };
            thread::sleep(GLANCE);
            outcome = Flock::lock(file, FlockArg::LockExclusiveNonblock);
        }
        match outcome {
            Ok(mut file) => {
                file.set_len(0)?;
                file.rewind()?;
                writeln!(file, "{}", std::process::id())?;
                Ok(Self { _file: file })
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                bail!(
                    "another agent (process {}) works with {}; stop it, or choose another --state-dir",
                    holder.trim(),
                    state.display()
                );
            }
            Err((_, e)) => Err(e).with_context(|| format!("locking {}", path.display())),
        }
    }
}

/// The process that holds the lock of a state directory, if one does; 0 where it has not said yet which it is.
pub fn holder(state: &Path) -> Option<u32> {
    let file = File::open(path(state)).ok()?;
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).ok()?;
            Some(pid.trim().parse().unwrap_or(0))
        }
        _ => None,
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("agent.lock")
}

/// That no other process works for this hypervisor, in whatever directories. Held as long as this one lives.
#[derive(Debug)]
pub struct Claim {
    _name: UnixDatagram,
}

impl Claim {
    /// Claims a hypervisor, in the network namespace of the calling thread.
    ///
    /// # Errors
    /// If another process has.
    pub fn take(hypervisor: &str) -> Result<Self> {
        // Abstract names belong to a network namespace, and go with the process (unix(7)).
        let name = SocketAddr::from_abstract_name(format!("raas/{hypervisor}"))
            .context("a name for the hypervisor's lock")?;
        match UnixDatagram::bind_addr(&name) {
            Ok(name) => Ok(Self { _name: name }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
                "another agent works for hypervisor {hypervisor} on this machine, with another --state-dir; \
                 stop it first"
            ),
            Err(error) => Err(error).with_context(|| format!("claiming hypervisor {hypervisor}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_the_lock_is_alive() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(holder(state.path()), None);
        let lock = Lock::take(state.path()).unwrap();
        assert_eq!(holder(state.path()), Some(std::process::id()));
        drop(lock);
        assert_eq!(holder(state.path()), None);
    }

    #[test]
    fn a_hypervisor_is_claimed_once() {
        let name = format!("test-{}", std::process::id());
        let first = Claim::take(&name).unwrap();
        let refusal = Claim::take(&name).unwrap_err().to_string();
        assert!(refusal.contains(&name) && refusal.contains("--state-dir"), "{refusal}");
        drop(first);
        Claim::take(&name).unwrap();
    }

    #[test]
    fn a_second_agent_is_told_who_is_first() {
        let state = tempfile::tempdir().unwrap();
        let first = Lock::take(state.path()).unwrap();
        let refusal = Lock::take(state.path()).unwrap_err().to_string();
        assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
        drop(first);
        Lock::take(state.path()).unwrap();
    }
}
