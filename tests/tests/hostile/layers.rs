//! Where the headers of a packet are, as far as it can be told; and putting their lengths and checksums
//! right. The program's parser is strict, this one is not: it looks for something to spoil.

use etherparse::checksum::Sum16BitWords;

const ETHERNET: usize = 14;
/// Deeper tunnels are left alone.
const DEEPEST: usize = 4;

#[derive(Clone, Copy)]
enum Header {
    Ethernet(usize),
    Ipv4(usize),
    Udp(usize),
}

/// Offsets of Ethernet headers, from the outermost on. There is always one.
pub fn ethernet(frame: &[u8]) -> Vec<usize> {
    let at = |header| if let Header::Ethernet(at) = header { Some(at) } else { None };
    headers(frame).into_iter().filter_map(at).collect()
}

/// Offsets of IPv4 headers, from the outermost on.
pub fn ipv4(frame: &[u8]) -> Vec<usize> {
    let at = |header| if let Header::Ipv4(at) = header { Some(at) } else { None };
    headers(frame).into_iter().filter_map(at).collect()
}

fn headers(frame: &[u8]) -> Vec<Header> {
    let word = |at: usize| frame.get(at..at + 2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let mut headers = vec![Header::Ethernet(0)];
    let (mut at, mut ethertype) = (ETHERNET, word(12));
    while headers.len() < 3 * DEEPEST {
        while matches!(ethertype, Some(0x8100 | 0x88a8)) {
            (at, ethertype) = (at + 4, word(at + 2));
        }
        let (Some(0x0800), Some(header)) = (ethertype, frame.get(at..at + 20)) else { break };
        headers.push(Header::Ipv4(at));
        let inside = at + usize::from(header[0] & 0xf).max(5) * 4;
        match (header[9], word(inside + 2)) {
            (17, Some(port)) => {
                headers.push(Header::Udp(inside));
                if port != 4789 {
                    break;
                }
                headers.push(Header::Ethernet(inside + 16));
                (at, ethertype) = (inside + 16 + ETHERNET, word(inside + 16 + 12));
            }
            (47, protocol) => {
                let key = frame.get(inside).is_some_and(|flags| flags & 0x20 != 0);
                (at, ethertype) = (inside + if key { 8 } else { 4 }, protocol);
            }
            _ => break,
        }
    }
    headers
}

/// Makes each header's length that of what follows it, and its checksum right, from the innermost outwards.
/// UDP checksums become 0, which says that there is none.
pub fn repair(frame: &mut [u8], lengths: bool, checksums: bool) {
    for header in headers(frame).into_iter().rev() {
        match header {
            Header::Ethernet(_) => {}
            Header::Udp(at) if lengths && at + 8 <= frame.len() => {
                let len = (frame.len() - at) as u16;
                frame[at + 4..at + 6].copy_from_slice(&len.to_be_bytes());
                frame[at + 6..at + 8].fill(0);
            }
            Header::Udp(_) => {}
            Header::Ipv4(at) => {
                if lengths {
                    let len = (frame.len() - at) as u16;
                    frame[at + 2..at + 4].copy_from_slice(&len.to_be_bytes());
                }
                if checksums {
                    repair_checksum(&mut frame[at..at + 20]);
                }
            }
        }
    }
}

/// Of a header without options.
fn repair_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = Sum16BitWords::new().add_slice(header).ones_complement();
    header[10..12].copy_from_slice(&sum.to_be().to_be_bytes());
}
