//! What an eBPF object says of its types (BTF), and two changes to it, each of which leaves every length as it is.
//!
//! Layout: Documentation/bpf/btf.rst of the kernel; little endian, as the object.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use object::{File, Object as _, ObjectSection as _};

/// Stands in front of a hidden section's name, instead of the dot.
pub(super) const HIDDEN: u8 = b'_';

const MAGIC: u16 = 0xeb9f;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_DATASEC: u32 = 15;
/// `struct btf_type`: name, kind and number of members, size or type.
const TYPE: usize = 12;

/// The types of an object, and where they stand in it.
struct Types {
    /// Where each begins, from type 1 on.
    starts: Vec<usize>,
    strings: usize,
}

/// Gives the structure `name`, which is one array, `elements` elements.
pub fn resize(object: &mut [u8], name: &str, elements: u32) -> Result<()> {
    let types = Types::of(object)?;
    let structure = types.find(object, KIND_STRUCT, name)?;
    // `struct btf_member`: name, type, offset.
    let array = types.start(word(object, structure + TYPE + 4)?)?;
    ensure!(kind(word(object, array + 4)?) == KIND_ARRAY, "{name} is no array");
    // `struct btf_array`: type of an element, type of an index, number of elements.
    let count = array + TYPE + 8;
    let element = word(object, structure + 8)? / word(object, count)?;
    let size =
        element.checked_mul(elements).with_context(|| format!("{elements} elements of {element} bytes"))?;
    set_word(object, count, elements)?;
    set_word(object, structure + 8, size)
}

/// Puts [`HIDDEN`] in front of a section's name.
pub fn rename_section(object: &mut [u8], name: &str) -> Result<()> {
    let types = Types::of(object)?;
    let section = types.find(object, KIND_DATASEC, name)?;
    let name = types.strings + word(object, section)? as usize;
    object[name] = HIDDEN;
    Ok(())
}

impl Types {
    fn of(object: &[u8]) -> Result<Self> {
        let Range { start, end } = section(object)?;
        ensure!(word(object, start)? as u16 == MAGIC, "BTF of another byte order");
        // `struct btf_header`: magic, version and flags, then lengths and offsets.
        let field = |number: usize| Ok::<_, anyhow::Error>(word(object, start + number * 4)? as usize);
        let header = start + field(1)?;
        let (first, length) = (header + field(2)?, field(3)?);
        let strings = header + field(4)?;
        ensure!(first + length <= end && strings <= end, "BTF that ends too early");
        let mut starts = Vec::new();
        let mut at = first;
        while at < first + length {
            starts.push(at);
            at += TYPE + more(word(object, at + 4)?)?;
        }
        Ok(Self { starts, strings })
    }

    fn start(&self, id: u32) -> Result<usize> {
        let start = id.checked_sub(1).and_then(|index| self.starts.get(index as usize));
        start.copied().with_context(|| format!("no type {id}"))
    }

    fn find(&self, object: &[u8], wanted: u32, name: &str) -> Result<usize> {
        for &start in &self.starts {
            let string = object.get(self.strings + word(object, start)? as usize..).unwrap_or_default();
            let is_it = string.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0));
            if is_it && kind(word(object, start + 4)?) == wanted {
                return Ok(start);
            }
        }
        bail!("the object's BTF has no {name}")
    }
}

const fn kind(info: u32) -> u32 {
    info >> 24 & 0x1f
}

/// Bytes that follow a type, by its kind.
fn more(info: u32) -> Result<usize> {
    let members = (info & 0xffff) as usize;
    Ok(match kind(info) {
        // Pointer, forward declaration, alias, volatile, const, restrict, function, float, type tag.
        2 | 7 | 8 | 9 | 10 | 11 | 12 | 16 | 18 => 0,
        // Integer, variable, declaration tag.
        1 | 14 | 17 => 4,
        KIND_ARRAY => 12,
        // Enumeration, function prototype.
        6 | 13 => 8 * members,
        // Structure, union, section, 64-bit enumeration.
        KIND_STRUCT | 5 | KIND_DATASEC | 19 => 12 * members,
        kind => bail!("BTF with types of kind {kind}"),
    })
}

fn section(object: &[u8]) -> Result<Range<usize>> {
    let file = File::parse(object)?;
    let section = file.section_by_name(".BTF").context("the object has no BTF")?;
    let (offset, length) = section.file_range().context("BTF without bytes")?;
    Ok(offset as usize..(offset + length) as usize)
}

fn word(object: &[u8], at: usize) -> Result<u32> {
    let bytes = object.get(at..at + 4).context("BTF that ends too early")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

fn set_word(object: &mut [u8], at: usize, word: u32) -> Result<()> {
    object.get_mut(at..at + 4).context("BTF that ends too early")?.copy_from_slice(&word.to_le_bytes());
    Ok(())
}
