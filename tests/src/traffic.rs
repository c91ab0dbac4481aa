//! Traffic that runs while something else happens, and traffic whose every byte is checked.

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Lab, Station, wait_for};

/// Longest that a byte stream may stand still.
const STALL: Duration = Duration::from_secs(10);

/// Longest time without a reply before a ping ends: many times the interval.
const SILENCE: Duration = Duration::from_secs(1);

/// A ping that runs in the background, 100 a second.
#[derive(Debug)]
pub struct Pinging {
    child: Child,
    /// Reads what it prints, all the while: a full pipe would stop it.
    output: Option<JoinHandle<io::Result<Printed>>>,
}

/// What ping has printed.
#[derive(Debug)]
struct Printed {
    replies: BTreeSet<u32>,
    /// When the last reply arrived, or ping started.
    last: Instant,
}

impl Pinging {
    fn of(mut child: Child) -> Result<Self> {
        let stdout = child.stdout.take().context("ping's output is a pipe")?;
        let output = thread::spawn(move || {
            let mut printed = Printed { replies: BTreeSet::new(), last: Instant::now() };
            for line in BufReader::new(stdout).lines() {
                let line = line?;
                if line.contains(" bytes from ") {
                    printed.replies.extend(sequence(&line));
                    printed.last = Instant::now();
                }
            }
            Ok(printed)
        });
        Ok(Self { child, output: Some(output) })
    }

    /// Ends it. Returns how many replies there were, and the sequence numbers before the last reply that got
    /// none: what was still under way when it ended is not lost.
    ///
    /// # Errors
    /// If it had fallen silent before: then nothing is known of the time since.
    pub fn stop(mut self) -> Result<(usize, Vec<u32>)> {
        let now = Instant::now();
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGINT).context("stopping ping")?;
        let output = self.output.take().context("stopped only once")?;
        let printed = output.join().map_err(|_| anyhow!("reading ping's output panicked"))?;
        let Printed { replies, last } = printed.context("reading ping's output")?;
        self.child.wait().context("waiting for ping")?;
        // Their number says less: a busy machine makes ping itself slower.
        let silence = now.saturating_duration_since(last);
        ensure!(silence < SILENCE, "no reply in the last {silence:?}, after {}", replies.len());
        let last = replies.last().copied().unwrap_or(0);
        Ok((replies.len(), (1..=last).filter(|number| !replies.contains(number)).collect()))
    }
}

impl Pinging {
    /// Ends it, and requires that nothing was lost.
    pub fn none_lost(self) -> Result<()> {
        let (received, lost) = self.stop()?;
        ensure!(received > 50, "only {received} replies: nothing was proven");
        ensure!(lost.is_empty(), "lost {lost:?} of {received}");
        Ok(())
    }
}

impl Drop for Pinging {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `64 bytes from 198.18.5.101: icmp_seq=7 ttl=57 time=0.061 ms`
fn sequence(line: &str) -> Option<u32> {
    line.split_once("icmp_seq=")?.1.split(' ').next()?.parse().ok()
}

impl Lab {
    /// Pings 100 times a second until it is told to stop.
    pub fn keep_pinging(&self, from: &Station, to: Ipv4Addr) -> Result<Pinging> {
        let mut ping = Command::new("ping");
        ping.args(["-n", "-i", "0.01", &to.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        Pinging::of(self.spawn(from.hypervisor.as_str(), Some(&from.netns), &mut ping)?)
    }

    /// Sends UDP from that many source ports, `packets` from each. A socket waits for them, and reads none.
    pub fn flows(&self, from: &Station, to: &Station, flows: u16, packets: u32) -> Result<()> {
        let address = self.address(to)?;
        // Without it the kernel would answer with ICMP errors, and soon, for its rate limit, not even those
        // that others await.
        let sink = self.within(to.hypervisor.as_str(), Some(&to.netns), || {
            UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("a UDP socket")
        })?;
        let target = SocketAddrV4::new(address, sink.local_addr()?.port());
        self.within(from.hypervisor.as_str(), Some(&from.netns), || {
            for _ in 0..flows {
                let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("a UDP socket")?;
                for _ in 0..packets {
                    socket.send_to(&[0; 64], target).context("sending")?;
                }
            }
            Ok(())
        })
    }

    /// Sends `length` bytes by TCP and checks that those very bytes arrive. While it runs, `meanwhile` hears
    /// how many have.
    pub fn transfer(
        &self,
        from: &Station,
        to: &Station,
        length: usize,
        mut meanwhile: impl FnMut(usize) -> Result<()> + Send,
    ) -> Result<()> {
        let address = self.address(to)?;
        let (listening, on_listening) = mpsc::channel();
        thread::scope(|scope| {
            let receiver = scope.spawn(move || {
                self.within(to.hypervisor.as_str(), Some(&to.netns), || {
                    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).context("listening")?;
                    // The sender is gone only if this function has returned.
                    let _ = listening.send(listener.local_addr()?.port());
                    receive(accept(&listener)?, length, &mut meanwhile)
                })
            });
            let port = on_listening.recv().context("the receiver does not listen")?;
            let sent = self.within(from.hypervisor.as_str(), Some(&from.netns), || {
                send(SocketAddrV4::new(address, port), length)
            });
            let sent = sent.with_context(|| format!("sending to {address}"));
            let received = receiver.join().map_err(|_| anyhow!("the receiver panicked"))?;
            sent.and(received)
        })
    }
}

fn send(to: SocketAddrV4, length: usize) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&to.into(), STALL).context("connecting")?;
    stream.set_write_timeout(Some(STALL))?;
    let mut bytes = Bytes::new();
    let mut chunk = vec![0; 1 << 16];
    let mut left = length;
    while left > 0 {
        let now = left.min(chunk.len());
        bytes.fill(&mut chunk[..now]);
        stream.write_all(&chunk[..now]).with_context(|| format!("after {} bytes", length - left))?;
        left -= now;
    }
    stream.shutdown(Shutdown::Write).context("closing")
}

/// Accepts a connection; not [`TcpListener::accept`], which would wait for ever for a sender that has failed.
fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let stream = wait_for(STALL, "TCP connection", || match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn receive(
    mut stream: TcpStream,
    length: usize,
    meanwhile: &mut (impl FnMut(usize) -> Result<()> + Send),
) -> Result<()> {
    stream.set_read_timeout(Some(STALL))?;
    let mut bytes = Bytes::new();
    let (mut chunk, mut expected) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut total = 0;
    let start = Instant::now();
    loop {
        let now =
            stream.read(&mut chunk).with_context(|| format!("after {total} bytes, {:?}", start.elapsed()))?;
        if now == 0 {
            ensure!(total == length, "{total} of {length} bytes arrived");
            return Ok(());
        }
        bytes.fill(&mut expected[..now]);
        ensure!(chunk[..now] == expected[..now], "other bytes than were sent, at {total} or after");
        total += now;
        meanwhile(total)?;
    }
}

/// A sequence of bytes that both ends can make, without a short period: a lost, doubled or swapped segment
/// shows.
struct Bytes(u64);

impl Bytes {
    fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn fill(&mut self, chunk: &mut [u8]) {
        for byte in chunk {
            // xorshift64 (Marsaglia, 2003).
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_do_not_depend_on_how_they_are_cut() {
        let (mut whole, mut cut) = ([0; 9], [0; 9]);
        Bytes::new().fill(&mut whole);
        let mut bytes = Bytes::new();
        bytes.fill(&mut cut[..4]);
        bytes.fill(&mut cut[4..]);
        assert_eq!(whole, cut);
        assert_ne!(whole[..4], whole[4..8]);
    }

    /// More than a pipe holds (64 KiB, pipe(7)), as 18 s of ping print.
    #[test]
    fn a_long_ping_is_not_stopped_by_what_it_prints() {
        let mut printer = Command::new("seq");
        printer.args(["-f", "64 bytes from 192.0.2.1: icmp_seq=%g ttl=57", "5000"]).stdout(Stdio::piped());
        let mut pinging = Pinging::of(printer.spawn().expect("seq runs")).expect("a pipe");
        wait_for(Duration::from_secs(10), "end of the printing", || Ok(pinging.child.try_wait()?))
            .expect("it prints all");
        let printed = pinging.output.take().map(|output| output.join().expect("no panic").expect("read"));
        assert_eq!(printed.map(|printed| printed.replies.len()), Some(5000));
    }

    #[test]
    fn a_ping_that_fell_silent_proves_nothing() {
        let mut silent = Command::new("sleep");
        let silent = silent.arg("60").stdout(Stdio::piped()).spawn().expect("sleep runs");
        let silent = Pinging::of(silent).expect("a pipe");
        let start = Instant::now();
        wait_for(2 * SILENCE, "silence", || Ok((start.elapsed() > SILENCE).then_some(())))
            .expect("time passes");
        let error = silent.stop().expect_err("no reply at all");
        assert!(error.to_string().starts_with("no reply in the last"), "{error}");
    }

    #[test]
    fn reads_a_replys_sequence_number() {
        assert_eq!(sequence("64 bytes from 198.18.5.101: icmp_seq=7 ttl=57 time=0.061 ms"), Some(7));
    }
}
