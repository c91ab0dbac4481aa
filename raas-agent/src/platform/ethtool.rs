//! Offloads and driver names, through the ethtool ioctl.
#![expect(unsafe_code, reason = "ioctls")]

use std::os::fd::BorrowedFd;

use anyhow::Result;

use super::ifreq;

// linux/ethtool.h
const GDRVINFO: u32 = 0x03;
const GTXCSUM: u32 = 0x16;
const STXCSUM: u32 = 0x17;
const GGRO: u32 = 0x2b;
const SGRO: u32 = 0x2c;

/// An offload that the agent sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    /// Generic receive offload. On a veth it also turns NAPI on, without which nothing can be redirected into
    /// its peer.
    Gro,
    /// The sender leaves checksums to the "hardware". An XDP redirect loses the note that one is unfinished.
    TxChecksum,
}

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    version: [u8; 32],
    firmware: [u8; 32],
    bus: [u8; 32],
    erom_version: [u8; 32],
    reserved: [u8; 12],
    counts: [u32; 5],
}

/// Whether an offload is on.
///
/// # Errors
/// If there is no such interface.
pub fn offload(control: BorrowedFd<'_>, ifname: &str, offload: Offload) -> Result<bool> {
    let command = match offload {
        Offload::Gro => GGRO,
        Offload::TxChecksum => GTXCSUM,
    };
    let mut value = Value { command, data: 0 };
    // SAFETY: both commands take a `struct ethtool_value`, which `Value` is.
    unsafe { ifreq::ethtool(control, ifname, &mut value)? };
    Ok(value.data != 0)
}

/// Switches an offload.
///
/// # Errors
/// If there is no such interface, or its driver cannot switch it.
pub fn set_offload(control: BorrowedFd<'_>, ifname: &str, offload: Offload, on: bool) -> Result<()> {
    let command = match offload {
        Offload::Gro => SGRO,
        Offload::TxChecksum => STXCSUM,
    };
    let mut value = Value { command, data: u32::from(on) };
    // SAFETY: both commands take a `struct ethtool_value`, which `Value` is.
    unsafe { ifreq::ethtool(control, ifname, &mut value) }
}

/// Name of an interface's driver, e.g. `veth`, `tun`, `virtio_net`, `mlx5_core`.
///
/// # Errors
/// If there is no such interface, or its driver does not say.
pub fn driver(control: BorrowedFd<'_>, ifname: &str) -> Result<String> {
    let mut info = DriverInfo {
        command: GDRVINFO,
        driver: [0; 32],
        version: [0; 32],
        firmware: [0; 32],
        bus: [0; 32],
        erom_version: [0; 32],
        reserved: [0; 12],
        counts: [0; 5],
    };
    // SAFETY: the command takes a `struct ethtool_drvinfo`, which `DriverInfo` is.
    unsafe { ifreq::ethtool(control, ifname, &mut info)? };
    let name = info.driver.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// Whether [`Hook::Auto`](crate::model::Hook::Auto) should take XDP for an interface with this driver: the
/// driver runs XDP natively, and frames that come in by it do not carry the kernel's own segmentation (on
/// veth and tap they do, and native XDP would take it from the sender).
pub fn prefers_xdp(driver: &str) -> bool {
    // Drivers that implement ndo_bpf and ndo_xdp_xmit in Linux 6.1 and later. For any other, TC is the safe
    // choice.
    const NATIVE: [&str; 21] = [
        "bnxt_en",
        "ena",
        "fsl_dpaa2_eth",
        "funeth",
        "gve",
        "hv_netvsc",
        "i40e",
        "iavf",
        "ice",
        "idpf",
        "igb",
        "igc",
        "ixgbe",
        "mana",
        "mlx4_en",
        "mlx5_core",
        "mvneta",
        "nfp",
        "qede",
        "sfc",
        "virtio_net",
    ];
    NATIVE.contains(&driver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_as_long_as_the_kernels() {
        assert_eq!(size_of::<Value>(), 8);
        assert_eq!(size_of::<DriverInfo>(), 196);
    }

    #[test]
    fn auto_keeps_segmentation_on_veth_and_tap() {
        assert!(!prefers_xdp("veth") && !prefers_xdp("tun"));
        assert!(prefers_xdp("mlx5_core"));
    }
}
