//! A packet whose way is written down instead of counted: what `raas explain` sends through `BPF_PROG_TEST_RUN`.
//!
//! Everything else is the real buffer's, so that the stages cannot tell the difference.

use raas_common::{Exit, MAX_TRACE, StepKind, TraceStep};

use super::{Cursor, Egress, Framing, Inner, Packet, Refused};
use crate::maps;

/// A packet of either hook, traced.
#[derive(Clone, Copy)]
pub struct Traced<P>(pub P);

impl<P: Packet> Packet for Traced<P> {
    type Verdict = P::Verdict;

    const PASS: P::Verdict = P::PASS;
    const DROP: P::Verdict = P::DROP;

    #[inline(always)]
    fn ingress(self) -> u32 {
        self.0.ingress()
    }

    #[inline(always)]
    fn length(self) -> u32 {
        self.0.length()
    }

    #[inline(always)]
    fn segments(self) -> u32 {
        self.0.segments()
    }

    #[inline(always)]
    fn segment_payload(self) -> u32 {
        self.0.segment_payload()
    }

    #[inline(always)]
    fn stripped_tag(self) -> Option<u16> {
        self.0.stripped_tag()
    }

    #[inline(always)]
    fn gather(self, bytes: u32) {
        self.0.gather(bytes);
    }

    #[inline(always)]
    fn cursor(self) -> Cursor {
        self.0.cursor()
    }

    #[inline(always)]
    fn reframe(self, from: Framing, to: Framing, inner: Inner) -> Result<(), Refused> {
        self.0.reframe(from, to, inner)
    }

    #[inline(always)]
    fn aim(self, egress: Egress) -> Result<(), Refused> {
        self.0.aim(egress)
    }

    /// A test run sends nothing, whatever the verdict.
    #[inline(always)]
    fn send(self, egress: Egress) -> Result<P::Verdict, Refused> {
        let verdict = self.0.send(egress)?;
        self.note(|| StepKind::SENT.with([egress.index, u32::from(egress.peer), 0]));
        Ok(verdict)
    }

    #[inline(always)]
    fn count(self, scope: u32, exit: Exit, _packets: u32, _bytes: u32) {
        self.note(|| StepKind::EXIT.with([scope, exit.value, 0]));
    }

    #[inline(always)]
    fn note(self, step: impl FnOnce() -> TraceStep) {
        let trace = maps::trace();
        // SAFETY: the map's one value, within whose steps the masked index stays. One traced packet runs at a
        // time: `raas explain` holds a lock.
        unsafe {
            let at = (*trace).taken;
            (*trace).taken = at + 1;
            let steps = (&raw mut (*trace).steps).cast::<TraceStep>();
            *steps.add(at as usize & (MAX_TRACE - 1)) = step();
        }
    }
}
