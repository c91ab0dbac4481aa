//! Loading the programs, on maps that may be live already.

use std::{collections::BTreeMap, fs, io, path::Path};

use anyhow::{Context as _, Result, anyhow};
use aya::{
    maps::MapInfo,
    programs::{Program, ProgramError, SchedClassifier, Xdp},
};
use aya_obj::generated::bpf_map_type;

use super::{
    loader::{Loader, Object, sized},
    maps::NAMES,
    pins::{self, Pins},
};

pub(super) const XDP_PROGRAM: &str = "raas_xdp";
pub(super) const TC_PROGRAM: &str = "raas_tc";
/// Their twins, which write a packet's way down for `raas explain`, and are attached to nothing.
pub(super) const XDP_EXPLAIN: &str = "raas_xdp_explain";
pub(super) const TC_EXPLAIN: &str = "raas_tc_explain";
/// All that are pinned.
pub(super) const PROGRAMS: [&str; 4] = [XDP_PROGRAM, TC_PROGRAM, XDP_EXPLAIN, TC_EXPLAIN];

/// The kernel sets it on device maps by itself (kernel/bpf/devmap.c, `dev_map_init_map`).
const BPF_F_RDONLY_PROG: u32 = 1 << 7;

/// Where the maps come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made now; there were none.
    New,
    /// Found pinned, all as this build wants them: with whatever an earlier agent wrote.
    Reused,
    /// Made now, because the pinned ones were not what this build wants. Programs that are attached go on
    /// with the old ones until [`FastPath::attach`] replaces them: fill the new ones first.
    Recreated {
        /// What was different.
        reason: String,
    },
}

/// The two programs and their twins, loaded.
pub struct FastPath {
    pub(super) ebpf: Object,
    pins: Pins,
    origin: Origin,
}

impl FastPath {
    /// Loads `object`, with `fib_nodes` nodes in the FIB's pool, on the pinned maps if they fit, and pins
    /// maps and programs. Attaches nothing; what is attached goes on as it is.
    pub fn load(object: &[u8], pins: &Pins, fib_nodes: u32) -> Result<Self> {
        pins.create()?;
        let origin = prepare_maps(pins, &definitions(object, fib_nodes)?)?;
        let map_pins = NAMES.map(|name| (name, pins.map(name)));
        let mut loader = Loader::new(object).fib_nodes(fib_nodes);
        for (name, pin) in &map_pins {
            loader = loader.pin(name, pin);
        }
        let ebpf = loader.load().context("loading the eBPF object")?;
        #[cfg(feature = "ebpf-log")]
        let ebpf = {
            let mut ebpf = ebpf;
            super::messages::forward(ebpf.programs_mut())?;
            ebpf
        };
        let mut this = Self { ebpf, pins: pins.clone(), origin };
        for name in [XDP_PROGRAM, XDP_EXPLAIN] {
            let program: &mut Xdp = program(&mut this.ebpf, name)?;
            verified(|| program.load()).with_context(|| format!("loading program {name}"))?;
        }
        for name in [TC_PROGRAM, TC_EXPLAIN] {
            let program: &mut SchedClassifier = program(&mut this.ebpf, name)?;
            verified(|| program.load()).with_context(|| format!("loading program {name}"))?;
        }
        for name in PROGRAMS {
            this.pin_program(name)?;
        }
        Ok(this)
    }

    /// Where the maps come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where things are pinned.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The XDP program.
    pub(super) fn xdp(&mut self) -> Result<&mut Xdp> {
        program(&mut self.ebpf, XDP_PROGRAM)
    }

    /// The TC program.
    pub(super) fn tc(&mut self) -> Result<&mut SchedClassifier> {
        program(&mut self.ebpf, TC_PROGRAM)
    }

    /// Replaces the pin by one rename: there is always a program under the name.
    pub(super) fn pin_program(&mut self, name: &str) -> Result<()> {
        let pin = self.pins.program(name);
        let new = self.pins.program(&format!("{name}-new"));
        pins::remove(&new)?;
        let program = self.ebpf.program_mut(name).with_context(|| format!("no program {name}"))?;
        program.pin(&new).with_context(|| format!("pinning {}", new.display()))?;
        fs::rename(&new, &pin).with_context(|| format!("renaming {} to {name}", new.display()))
    }
}

/// Loads a program; once more if a signal interrupted the verifier, which then gives up (do_check in
/// kernel/bpf/verifier.c). libbpf tries as often.
fn verified(mut load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    const ATTEMPTS: u32 = 5;
    for _ in 1..ATTEMPTS {
        match load() {
            Err(ProgramError::LoadError { io_error, .. }) if io_error.kind() == io::ErrorKind::WouldBlock => {
            }
            result => return result,
        }
    }
    load()
}

fn program<'a, P>(ebpf: &'a mut Object, name: &str) -> Result<P>
where
    P: TryFrom<&'a mut Program, Error = ProgramError>,
{
    let program = ebpf.program_mut(name).with_context(|| format!("the eBPF object has no program {name}"))?;
    program.try_into().with_context(|| format!("program {name} is of another type"))
}

/// What makes a pinned map usable: everything that the kernel checked or laid out when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attributes {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
}

/// What the object says its maps are.
fn definitions(object: &[u8], fib_nodes: u32) -> Result<BTreeMap<&'static str, Attributes>> {
    let object = aya_obj::Object::parse(&sized(object, fib_nodes)?).context("parsing the eBPF object")?;
    let definition = |name: &'static str| {
        let map = object.maps.get(name).with_context(|| format!("the eBPF object has no map {name}"))?;
        Ok((
            name,
            Attributes {
                map_type: map.map_type(),
                key_size: map.key_size(),
                value_size: map.value_size(),
                max_entries: map.max_entries(),
                flags: map.map_flags(),
            },
        ))
    };
    NAMES.into_iter().map(definition).collect()
}

/// The attributes of the map pinned at `pin`; an error if there is none.
fn pinned(pin: &Path) -> Result<Attributes> {
    let info = MapInfo::from_pin(pin)?;
    let map_type = info.map_type()? as u32;
    let implied =
        if map_type == bpf_map_type::BPF_MAP_TYPE_DEVMAP_HASH as u32 { BPF_F_RDONLY_PROG } else { 0 };
    Ok(Attributes {
        map_type,
        key_size: info.key_size(),
        value_size: info.value_size(),
        max_entries: info.max_entries(),
        flags: info.map_flags() & !implied,
    })
}

/// Decides whether the pinned maps are used. All or none: they refer to each other by index.
fn prepare_maps(pins: &Pins, wanted: &BTreeMap<&'static str, Attributes>) -> Result<Origin> {
    let present = pins::names(&pins.maps())?;
    if present.is_empty() {
        return Ok(Origin::New);
    }
    let difference = wanted.iter().find_map(|(name, wanted)| {
        let found = if present.iter().any(|present| present == name) {
            pinned(&pins.map(name))
        } else {
            Err(anyhow!("not pinned"))
        };
        match found {
            Ok(found) if found == *wanted => None,
            Ok(found) => Some(format!("{name} is {found:?}, wanted {wanted:?}")),
            Err(error) => Some(format!("{name}: {error:#}")),
        }
    });
    let Some(reason) = difference else { return Ok(Origin::Reused) };
    for name in present {
        pins::remove(&pins.map(&name))?;
    }
    Ok(Origin::Recreated { reason })
}
