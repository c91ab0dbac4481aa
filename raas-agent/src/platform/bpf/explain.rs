//! One packet through the live tables, by `BPF_PROG_TEST_RUN` on the programs' pinned twins: nothing is sent,
//! nothing is counted.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use aya::{
    TestRun as _, TestRunOptions,
    programs::{ProgramInfo, SchedClassifier, Xdp},
};
use aya_obj::programs::XdpAttachType;
use nix::fcntl::{Flock, FlockArg};
use raas_common::{MAX_TRACE, Trace, TraceStep};

use super::{
    Hook,
    object::{TC_EXPLAIN, TC_PROGRAM, XDP_EXPLAIN, XDP_PROGRAM},
    pins::{Pins, ensure_loaded},
    syscall,
    table::ArrayTable,
};

/// Room for what a program puts in front of a packet.
const HEADROOM: usize = 256;

/// What the program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To the kernel.
    Passed,
    /// Discarded.
    Dropped,
    /// Sent.
    Redirected,
}

/// What became of a packet.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What the program said.
    pub verdict: Verdict,
    /// The packet afterwards.
    pub bytes: Vec<u8>,
    /// What it went through.
    pub steps: Vec<TraceStep>,
}

/// Runs packets, one at a time on this hypervisor.
pub struct Explainer {
    pins: Pins,
    trace: ArrayTable<Trace>,
    _alone: Flock<File>,
}

impl Explainer {
    /// Waits for whoever explains something at this moment: there is one trace.
    pub fn open(pins: &Pins) -> Result<Self> {
        ensure_loaded(&pins.map("TRACE"))?;
        let directory = pins.maps();
        let file = File::open(&directory).with_context(|| format!("opening {}", directory.display()))?;
        let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error);
        Ok(Self {
            pins: pins.clone(),
            trace: ArrayTable::open(pins, "TRACE")?,
            _alone: lock.with_context(|| format!("locking {}", directory.display()))?,
        })
    }

    /// Runs a frame that enters through the interface `ingress` of this network namespace.
    pub fn run(&mut self, hook: Hook, ingress: u32, frame: &[u8]) -> Result<Ran> {
        self.trace.set(0, Trace::default())?;
        let mut bytes = vec![0; frame.len() + HEADROOM];
        let (xdp, skb) = (xdp_md(ingress, frame.len() as u32), sk_buff(ingress));
        let mut options = TestRunOptions::new();
        options.data_in = Some(frame);
        options.data_out = Some(&mut bytes);
        let what = || format!("running the program on a frame of {} bytes ({hook})", frame.len());
        let result = match hook {
            Hook::Xdp => {
                options.ctx_in = Some(&xdp);
                Xdp::from_pin(self.twin(XDP_EXPLAIN)?, XdpAttachType::Interface)?.test_run(options)
            }
            Hook::Tc => {
                options.ctx_in = Some(&skb);
                SchedClassifier::from_pin(self.twin(TC_EXPLAIN)?)?.test_run(options)
            }
        }
        .with_context(what)?;
        bytes.truncate(result.data_size_out as usize);
        let trace = self.trace.get(0)?;
        let taken = trace.taken as usize;
        ensure!(taken <= MAX_TRACE, "the program took {taken} steps, of which a trace holds {MAX_TRACE}");
        Ok(Ran { verdict: verdict(hook, result.return_value)?, bytes, steps: trace.steps[..taken].to_vec() })
    }

    /// Pin of a twin.
    fn twin(&self, name: &str) -> Result<PathBuf> {
        let pin = self.pins.program(name);
        ensure!(pin.exists(), "no {}: an agent of another build runs, restart it as this one", pin.display());
        Ok(pin)
    }

    /// Whether the program that an interface really runs is the one whose twin is pinned. They differ while
    /// an agent of another build takes over. `None`: clsact does not tell.
    pub fn is_current(&self, interface: &str, hook: Hook) -> Result<Option<bool>> {
        let link = self.pins.link(interface, hook);
        if !link.exists() {
            return Ok(None);
        }
        let name = if hook == Hook::Xdp { XDP_PROGRAM } else { TC_PROGRAM };
        let attached = syscall::link_program(&link).with_context(|| at(&link))?;
        let pin = self.pins.program(name);
        let pinned = ProgramInfo::from_pin(&pin).with_context(|| at(&pin))?;
        Ok(Some(attached == pinned.id()))
    }
}

fn at(path: &Path) -> String {
    format!("looking at {}", path.display())
}

fn verdict(hook: Hook, value: u32) -> Result<Verdict> {
    // <linux/bpf.h>, `enum xdp_action`; <linux/pkt_cls.h>, `TC_ACT_*`, of which `TC_ACT_UNSPEC` is -1.
    Ok(match (hook, value as i32) {
        (Hook::Xdp, 2) | (Hook::Tc, -1) => Verdict::Passed,
        (Hook::Xdp, 1) | (Hook::Tc, 2) => Verdict::Dropped,
        (Hook::Xdp, 4) | (Hook::Tc, 7) => Verdict::Redirected,
        (_, other) => bail!("the program returned {other}, which it never should"),
    })
}

/// `struct xdp_md` (linux/bpf.h): a frame that begins at 0 and ends at `data_end`.
fn xdp_md(ingress: u32, length: u32) -> [u8; 24] {
    let [data, data_meta, rx_queue, egress] = [0; 4];
    words([data, length, data_meta, ingress, rx_queue, egress])
}

/// `struct __sk_buff` (linux/bpf.h): `ingress_ifindex`, and the device that the kernel makes the packet one of.
fn sk_buff(ingress: u32) -> [u8; 192] {
    let mut fields = [0; 48];
    fields[9] = ingress;
    fields[10] = ingress;
    words(fields)
}

fn words<const WORDS: usize, const BYTES: usize>(fields: [u32; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (to, field) in bytes.as_chunks_mut().0.iter_mut().zip(fields) {
        *to = field.to_ne_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;
    use raas_common::{Exit, StepKind};

    use super::{
        super::tests::{isolated, load, veth},
        *,
    };

    #[test]
    fn a_packet_runs_on_either_hook_and_one_at_a_time() {
        isolated(|pins| {
            let index = veth();
            let mut programs = load(pins);
            for hook in [Hook::Xdp, Hook::Tc] {
                programs.switch("port", hook).unwrap();
                let mut explainer = Explainer::open(pins).unwrap();
                let other = Flock::lock(File::open(pins.maps()).unwrap(), FlockArg::LockExclusiveNonblock);
                assert!(matches!(other, Err((_, Errno::EWOULDBLOCK))));
                let frame = [2; 60];
                for _ in 0..2 {
                    let ran = explainer.run(hook, index, &frame).unwrap();
                    assert_eq!((ran.verdict, &ran.bytes[..]), (Verdict::Passed, &frame[..]));
                    assert_eq!(ran.steps, [StepKind::EXIT.with([0, Exit::PUNT_UNKNOWN_PORT.value, 0])]);
                }
            }
        });
    }

    #[test]
    fn a_program_of_another_build_shows() {
        isolated(|pins| {
            veth();
            let mut programs = load(pins);
            programs.attach("port", Hook::Tc).unwrap();
            let is_current = |hook| Explainer::open(pins).unwrap().is_current("port", hook).unwrap();
            assert_eq!((is_current(Hook::Tc), is_current(Hook::Xdp)), (Some(true), None));
            // It pins its programs, and attaches none.
            load(pins);
            assert_eq!(is_current(Hook::Tc), Some(false));
        });
    }
}
