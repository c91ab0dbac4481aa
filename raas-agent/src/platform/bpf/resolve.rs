//! What has to be done to an eBPF object so that its programs address the values of maps themselves.
//!
//! aya resolves a program's reference to a map to the map (`BPF_PSEUDO_MAP_FD`), which only a helper can look into. The
//! kernel also knows a reference to the *value* of an array that has one (`BPF_PSEUDO_MAP_VALUE`): then its address stands
//! in the program. libbpf and aya use that for global variables, whose maps cannot be taken over from a pin, nor mapped into
//! memory. So we resolve references to maps here, before aya sees the object, which then finds none that are left
//! (but for aya-log's own map, in another section).

use std::os::fd::{AsRawFd as _, BorrowedFd};

use anyhow::{Context as _, Result, ensure};
use object::{
    LittleEndian, SectionIndex,
    elf::{FileHeader64, Rel64, SHF_EXECINSTR, SHT_SYMTAB},
    read::elf::{FileHeader as _, Rel as _, SectionHeader as _},
};

use super::btf;

/// The section of the maps' definitions.
const MAPS: &str = ".maps";
/// Bytes of an instruction. The one that loads an address is two.
const INSTRUCTION: usize = 8;
/// `BPF_LD | BPF_DW | BPF_IMM`.
const LOAD_ADDRESS: u8 = 0x18;
/// Kinds of addresses, in the upper half of the instruction's second byte (linux/bpf.h).
const BPF_PSEUDO_MAP_FD: u8 = 1;
const BPF_PSEUDO_MAP_VALUE: u8 = 2;

type Header = FileHeader64<LittleEndian>;

/// What a reference to a map is to be.
#[derive(Clone, Copy)]
pub enum Reference<'fd> {
    /// The map, for a helper.
    Map(BorrowedFd<'fd>),
    /// The value of an array that has one.
    Value(BorrowedFd<'fd>),
}

/// The object with each reference to a map of [`MAPS`] resolved to what `reference` says of its name, and without
/// definitions there. The descriptors have to be open until the programs are loaded.
pub fn resolve<'fd>(object: &[u8], reference: impl Fn(&str) -> Result<Reference<'fd>>) -> Result<Vec<u8>> {
    let header = Header::parse(object)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, object)?;
    let symbols = sections.symbols(endian, object, SHT_SYMTAB)?;
    let (maps, definitions) = sections.section_by_name(endian, MAPS.as_bytes()).context("no maps")?;

    let mut resolved = object.to_vec();
    for section in sections.iter() {
        let Some((relocations, _)) = section.rel(endian, object)? else { continue };
        let code = sections.section(SectionIndex(section.sh_info(endian) as usize))?;
        if code.sh_flags(endian) & u64::from(SHF_EXECINSTR) == 0 {
            continue;
        }
        for (number, relocation) in relocations.iter().enumerate() {
            let index = relocation.symbol(endian).context("a relocation without a symbol")?;
            let symbol = symbols.symbol(index)?;
            if symbols.symbol_section(endian, symbol, index)? != Some(maps) {
                continue;
            }
            let name = str::from_utf8(symbols.symbol_name(endian, symbol)?)?;
            let reference = reference(name)?;
            let at = code.sh_offset(endian) + relocation.r_offset(endian);
            load_address(&mut resolved, at as usize, reference)
                .with_context(|| format!("at {at:#x}, to {name}"))?;
            // For aya: it belongs to no function any more.
            let entry = section.sh_offset(endian) as usize + number * size_of::<Rel64<LittleEndian>>();
            resolved[entry..entry + 8].fill(u8::MAX);
        }
    }
    // aya passes a section of another name over.
    let names = sections.section(header.section_strings_index(endian, object)?)?;
    let name = names.sh_offset(endian) as usize + definitions.sh_name(endian) as usize;
    *resolved.get_mut(name).context("a name behind the end")? = btf::HIDDEN;
    btf::rename_section(&mut resolved, MAPS)?;
    Ok(resolved)
}

/// Has the instruction at `at` load an address.
fn load_address(object: &mut [u8], at: usize, reference: Reference) -> Result<()> {
    let instructions = object.get_mut(at..at + 2 * INSTRUCTION).context("behind the end")?;
    ensure!(instructions[0] == LOAD_ADDRESS, "not the load of an address");
    ensure!(instructions[4..8] == [0; 4] && instructions[12..16] == [0; 4], "an offset in a map");
    let (kind, fd) = match reference {
        Reference::Map(fd) => (BPF_PSEUDO_MAP_FD, fd),
        Reference::Value(fd) => (BPF_PSEUDO_MAP_VALUE, fd),
    };
    instructions[1] = instructions[1] & 0x0f | kind << 4;
    // Behind it stands the offset in the value: 0.
    instructions[4..8].copy_from_slice(&fd.as_raw_fd().to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, fs::File, os::fd::AsFd as _};

    use anyhow::bail;
    use aya_obj::generated::bpf_insn;

    use super::*;
    use crate::{EBPF_OBJECT, platform::bpf::loader::sized};

    #[test]
    fn every_reference_to_a_map_is_resolved() {
        let file = File::open("/dev/null").unwrap();
        let (maps, values) = (Cell::new(0), Cell::new(0));
        let resolved = resolve(EBPF_OBJECT, |name| {
            let (count, reference) = match name {
                "COUNTERS" | "DEVICES" => (&maps, Reference::Map(file.as_fd())),
                _ => (&values, Reference::Value(file.as_fd())),
            };
            count.set(count.get() + 1);
            Ok(reference)
        })
        .unwrap();
        let object = aya_obj::Object::parse(&resolved).unwrap();
        assert!(object.maps.keys().all(|name| name.starts_with(".rodata")), "{:?}", object.maps.keys());

        let loads = |kind| {
            let instructions = object.functions.values().flat_map(|function| &function.instructions);
            let is_it = |load: &&bpf_insn| {
                load.code == LOAD_ADDRESS && load.src_reg() == kind && load.imm == file.as_raw_fd()
            };
            instructions.filter(is_it).count()
        };
        assert_eq!([loads(BPF_PSEUDO_MAP_FD), loads(BPF_PSEUDO_MAP_VALUE)], [maps.get(), values.get()]);
        assert!(maps.get() > 0 && values.get() > 0);
    }

    #[test]
    fn an_unknown_map_or_another_file_is_refused() {
        let none = |name: &str| bail!("there is no map {name}");
        let error = resolve(EBPF_OBJECT, none).unwrap_err();
        assert!(error.to_string().starts_with("there is no map "), "{error}");
        assert!(resolve(&EBPF_OBJECT[..100], none).is_err());
        assert!(resolve(b"not an object", none).is_err());
        assert!(sized(&EBPF_OBJECT[..EBPF_OBJECT.len() / 2], 64).is_err());
        assert!(sized(EBPF_OBJECT, raas_common::MAX_FIB_NODES + 1).is_err());
    }
}
