//! Recognises our processes. A pid in a file may be another process's by now, so it is believed only if the
//! program is the expected one and one of its arguments is a path in our run directory that no other instance
//! has.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::pidfd::PidFd;
use crate::platform::netns::Identity;

/// How long a daemon may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often to look.
const INTERVAL: Duration = Duration::from_millis(5);

/// What a process of ours looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Description<'a> {
    /// Where its pid is.
    pub(super) pid_file: &'a Path,
    /// Possible names of its program's file.
    pub(super) programs: &'a [&'a str],
    /// A path that is (the end of) one of its arguments.
    pub(super) argument: &'a Path,
}

/// A process that was just recognised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(Pid);

impl Process {
    /// Its network namespace.
    pub(super) fn netns(self) -> io::Result<Identity> {
        Identity::of(format!("/proc/{}/ns/net", self.0))
    }
}

impl Description<'_> {
    /// The process, if it runs.
    pub(super) fn find(&self) -> Option<Process> {
        let text = fs::read_to_string(self.pid_file).ok()?;
        let pid: i32 = text.trim().parse().ok().filter(|pid| *pid > 1)?;
        // Unreadable also for a zombie, which has ended.
        let exe = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let program = exe.file_name()?.to_str()?;
        // After an upgrade of the package.
        let program = program.strip_suffix(" (deleted)").unwrap_or(program);
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let wanted = self.argument.as_os_str().as_bytes();
        let is_ours = self.programs.contains(&program)
            && arguments.split(|byte| *byte == 0).any(|argument| argument.ends_with(wanted));
        is_ours.then_some(Process(Pid::from_raw(pid)))
    }

    /// Ends the process, if it runs, and waits until it has ended.
    ///
    /// # Errors
    /// If it does not even end when killed.
    pub(super) async fn end(&self) -> Result<()> {
        self.signal(&[Signal::SIGTERM, Signal::SIGKILL]).await
    }

    /// Kills the process, if it runs, and waits until it has ended.
    ///
    /// # Errors
    /// If it does not end.
    pub(super) async fn kill(&self) -> Result<()> {
        self.signal(&[Signal::SIGKILL]).await
    }

    /// Sends one signal after the other, until one has ended the process.
    async fn signal(&self, signals: &[Signal]) -> Result<()> {
        for &signal in signals {
            let Some(Process(pid)) = self.find() else { return Ok(()) };
            match kill(pid, signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(e) => return Err(e).with_context(|| format!("sending {signal} to process {pid}")),
            }
            let deadline = Instant::now() + PATIENCE;
            while self.find().is_some() && Instant::now() < deadline {
                tokio::time::sleep(INTERVAL).await;
            }
        }
        match self.find() {
            None => Ok(()),
            Some(Process(pid)) => bail!("process {pid} ({:?}) does not end", self.programs),
        }
    }

    /// Waits until the process ends, if it runs.
    ///
    /// # Errors
    /// If the kernel refuses a descriptor of it.
    pub(super) async fn ended(&self) -> io::Result<()> {
        let Some(Process(pid)) = self.find() else { return Ok(()) };
        match PidFd::open(pid)? {
            // Between the look and the descriptor, the pid may have become another process's.
            Some(process) if self.find().is_some() => process.ended().await,
            _ => Ok(()),
        }
    }

    /// Waits until the process, just started, has written its pid.
    ///
    /// # Errors
    /// If it has not within a few seconds.
    pub(super) async fn wait(&self) -> Result<Process> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(process) = self.find() {
                return Ok(process);
            }
            if Instant::now() >= deadline {
                bail!(
                    "{:?} has not come up ({} does not lead to it)",
                    self.programs,
                    self.pid_file.display()
                );
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_of_something_else_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let pid_file = directory.path().join("x.pid");
        let argument = directory.path().join("x.conf");
        let description = Description { pid_file: &pid_file, programs: &["sleep"], argument: &argument };
        assert!(description.find().is_none(), "no file");
        for pid in [std::process::id().to_string(), "1".into(), "-1".into(), "rubbish".into()] {
            fs::write(&pid_file, pid).unwrap();
            assert!(description.find().is_none());
        }
    }
}
