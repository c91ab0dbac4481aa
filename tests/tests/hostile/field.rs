//! The fields of an IPv4 header, and what to spoil them with.

use fastrand::Rng;

use crate::values;

/// A field of an IPv4 header.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    VersionAndLength,
    Tos,
    TotalLength,
    Fragment,
    Ttl,
    Protocol,
    Source,
    Destination,
}

impl Field {
    pub const ALL: [Self; 8] = [
        Self::VersionAndLength,
        Self::Tos,
        Self::TotalLength,
        Self::Fragment,
        Self::Ttl,
        Self::Protocol,
        Self::Source,
        Self::Destination,
    ];

    /// Offset in the header, and length.
    pub fn place(self) -> (usize, usize) {
        match self {
            Self::VersionAndLength => (0, 1),
            Self::Tos => (1, 1),
            Self::TotalLength => (2, 2),
            Self::Fragment => (6, 2),
            Self::Ttl => (8, 1),
            Self::Protocol => (9, 1),
            Self::Source => (12, 4),
            Self::Destination => (16, 4),
        }
    }

    /// One that is worth trying.
    pub fn value(self, rng: &mut Rng) -> u32 {
        match self {
            Self::VersionAndLength => {
                values::pick(rng, &[0x45, 0x45, 0x44, 0x46, 0x4f, 0x40, 0x55, 0x65, 0x05])
            }
            Self::Tos => rng.u32(0..256),
            Self::TotalLength => {
                values::pick(rng, &[0, 1, 19, 20, 21, 28, 576, 1450, 1458, 1500, 1501, 0xffff])
            }
            Self::Fragment => values::pick(rng, &[0, 0x2000, 0x4000, 0x8000, 1, 0x1fff, 0x2001]),
            Self::Ttl => values::pick(rng, &[0, 1, 2, 3, 4, 5, 8, 9, 10, 64, 255]),
            Self::Protocol => values::pick(rng, &[0, 1, 4, 6, 17, 33, 41, 47, 89, 132, 136, 255]),
            Self::Source | Self::Destination => values::address(rng).into(),
        }
    }
}
