//! A guest kernel: Linux as a process (User-Mode Linux), with GRE modules of its own whatever this kernel lacks.
//!
//! Its root is this machine's, read-only, so that it has the same programs without an image of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::{ChildStdin, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use ipnet::Ipv4Net;

use super::{Foreign, Shell};
use crate::{Lab, probe::Running};

/// What the guest runs as its first process.
const INIT_TEXT: &str = include_str!("guest.sh");
const INIT: &str = "/run/guest/init";
/// Where the machine and the guest leave files for each other; `/mnt` in the guest.
const EXCHANGE: &str = "/run/guest";
/// How long it may take to start, and a command to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A machine, and on its `uplink0` a guest kernel.
#[derive(Debug)]
pub struct Guest {
    console: Mutex<Console>,
    #[expect(dead_code, reason = "killed before the machine goes")]
    kernel: Running,
    machine: Foreign,
}

#[derive(Debug)]
struct Console {
    input: ChildStdin,
    /// Line by line.
    output: Receiver<String>,
    scripts: u32,
}

impl Guest {
    /// Boots it, with that underlay address.
    pub fn boot(lab: &Lab, name: &str, address: Ipv4Net) -> Result<Self> {
        let machine = lab.plug(name)?;
        machine.run(
            "set -e\n\
             ip tuntap add tap0 mode tap\n\
             ip link add bridge type bridge mcast_snooping 0\n\
             for link in tap0 uplink0; do ip link set $link master bridge; done\n\
             for link in tap0 bridge; do ip link set $link up; done",
        )?;
        machine.within(|| {
            fs::create_dir(EXCHANGE)?;
            fs::write(INIT, INIT_TEXT)?;
            Ok(fs::set_permissions(INIT, fs::Permissions::from_mode(0o755))?)
        })?;
        // A PID namespace: the guest's processes are processes here, and go with the first of them.
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "linux.uml", "mem=128M", "quiet"]);
        command.args(["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"]);
        command.arg(format!("init={INIT}")).arg("vec0:transport=tap,ifname=tap0");
        command.args(["con=null", "con0=fd:0,fd:1", "con1=null", "ssl=null"]);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut kernel = Running(machine.spawn(&mut command)?);
        let input = kernel.0.stdin.take().context("its input is a pipe")?;
        let lines = BufReader::new(kernel.0.stdout.take().context("its output is a pipe")?);
        let (sender, output) = mpsc::channel();
        // It ends with the guest, or when nobody listens.
        thread::spawn(move || {
            let mut lines = lines.split(b'\n').map_while(Result::ok);
            lines.try_for_each(|line| sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()))
        });
        let console = Mutex::new(Console { input, output, scripts: 0 });
        let guest = Self { console, kernel, machine };
        guest.console.lock().unwrap_or_else(PoisonError::into_inner).answer().context("booting the guest")?;
        guest.shell(&format!("ip address add {address} dev vec0"))?;
        Ok(guest)
    }

    /// The machine that it runs on.
    pub fn machine(&self) -> &Foreign {
        &self.machine
    }
}

impl Console {
    /// What is printed until the next line that says how something ended.
    fn answer(&mut self) -> Result<String> {
        let start = Instant::now();
        let mut printed = String::new();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let line = match self.output.recv_timeout(left) {
                Ok(line) => line,
                Err(error) => bail!("the guest does not answer ({error}); it printed: {printed}"),
            };
            match line.strip_prefix("exit ") {
                Some(status) => {
                    let printed = printed.trim();
                    ensure!(status == "0", "exit status {status}: {printed}");
                    return Ok(printed.to_owned());
                }
                None => printed = printed + &line + "\n",
            }
        }
    }
}

impl Shell for Guest {
    fn shell(&self, script: &str) -> Result<String> {
        let mut console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        console.scripts += 1;
        let name = format!("script{}", console.scripts);
        let file = format!("{EXCHANGE}/{name}");
        self.machine.within(|| fs::write(&file, script).with_context(|| file.clone()))?;
        writeln!(console.input, "{name}").context("writing to the guest's console")?;
        console.answer().with_context(|| format!("guest: `{script}`"))
    }
}
