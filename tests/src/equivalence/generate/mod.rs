//! Random cases from a seed: what endpoints could send, and what nobody should.

mod fault;
mod ipv4;
mod link;
mod payload;
mod tunnel;

use std::collections::HashSet;

use fastrand::Rng;

use super::{
    case::{Case, NUMBERS},
    underlay::Link,
    world::{Endpoint, World},
};

/// Makes rounds of cases. The same seed makes the same rounds.
pub struct Generator<'a> {
    world: &'a World,
    rng: Rng,
}

/// What a case is made with.
struct Context<'a> {
    world: &'a World,
    from: &'a Endpoint,
    /// The case's number.
    number: u16,
    /// Most bytes of a layer-3 packet.
    mtu: usize,
    rng: &'a mut Rng,
}

/// A description and the bytes that it describes.
type Described = (String, Vec<u8>);

impl<'a> Generator<'a> {
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self { world, rng: Rng::with_seed(seed) }
    }

    /// That many cases, with different numbers.
    pub fn round(&mut self, cases: usize) -> Vec<Case> {
        let mut numbers = HashSet::new();
        let mut round = Vec::new();
        // The kernel tells a sender once a second that there is no route, or a few times in a burst (`ip_error` in
        // net/ipv4/route.c); the parameter is the machine's. So not each endpoint asks in each round.
        let lost = self.rng.usize(..self.world.endpoints.len());
        round.push(self.case(lost, &mut numbers, ipv4::unreachable));
        while round.len() < cases {
            let sender = self.rng.usize(..self.world.endpoints.len());
            let case = match self.rng.u8(..100) {
                0..62 => self.case(sender, &mut numbers, ipv4::routed),
                62..90 => self.case(sender, &mut numbers, link::other),
                _ => self.tunnelled(sender, &mut numbers),
            };
            round.push(case);
        }
        round
    }

    /// As the sender's hypervisor would send it to another.
    fn tunnelled(&mut self, sender: usize, numbers: &mut HashSet<u16>) -> Case {
        let (world, station) = (self.world, &self.world.endpoints[sender].station);
        let here = |link: &&Link| {
            link.tenant == station.tenant && world.uplinks[link.from].hypervisor == station.hypervisor
        };
        let link = self.rng.choice(world.links.iter().filter(here).collect::<Vec<_>>());
        let Some(link) = link else { return self.case(sender, numbers, ipv4::routed) };
        let case = self.case(sender, numbers, |context| tunnel::tunnelled(context, link));
        Case { from: world.uplink_place(link.from), ..case }
    }

    fn case(
        &mut self,
        sender: usize,
        numbers: &mut HashSet<u16>,
        make: impl FnOnce(&mut Context) -> Described,
    ) -> Case {
        let number = loop {
            let number = self.rng.u16(1..NUMBERS);
            if numbers.insert(number) {
                break number;
            }
        };
        let (world, from) = (self.world, &self.world.endpoints[sender]);
        let mut context = Context { world, from, number, mtu: from.mtu, rng: &mut self.rng };
        let (what, frame) = make(&mut context);
        Case { number, from: sender, sender, what: format!("{}: {what}", from.station), frame }
    }
}

impl<'a> Context<'a> {
    /// True that many times out of a hundred.
    fn percent(&mut self, chance: u8) -> bool {
        self.rng.u8(..100) < chance
    }

    /// One of these.
    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        self.rng.choice(choices).expect("something to choose from").clone()
    }

    /// A size up to `most`: a small one, one near an MTU that packets meet on their way (`around` bytes are
    /// counted with it), or any.
    fn size(&mut self, around: usize, most: usize) -> usize {
        let size = match self.rng.u8(..10) {
            0..3 => self.rng.usize(..80),
            3..7 => {
                let mtu = self.one_of(&self.world.mtus());
                (mtu + self.rng.usize(..5)).saturating_sub(around + 2)
            }
            _ => self.rng.usize(..=most),
        };
        size.min(most)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// An endpoint of the same tenant, perhaps this one.
    fn fellow(&mut self) -> &'a Endpoint {
        let tenant = self.world.tenant(&self.from.station.tenant);
        self.one_of(&tenant)
    }

    /// Another endpoint of the same segment, if there is one.
    fn neighbour(&mut self) -> Option<&'a Endpoint> {
        let neighbours = self.world.neighbours(self.from);
        self.rng.choice(neighbours)
    }
}
