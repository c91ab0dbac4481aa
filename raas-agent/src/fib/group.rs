//! Weighted, resilient nexthop groups: which member each bucket of flows goes to.
//!
//! A flow's bucket never changes, so a flow moves only when its bucket changes hands. [`derive`] changes as
//! few as it can.

use raas_common::BUCKETS;

/// Nexthop index of each bucket, as in [`raas_common::Group`].
pub type Buckets = [u16; BUCKETS];

/// Nobody's bucket: nexthop 0 is never used.
const FREE: u16 = 0;

/// A member while buckets are dealt out. Its fair share is `weight × BUCKETS ÷ total` buckets.
struct Seat {
    id: u16,
    weight: i64,
    /// Buckets it holds now.
    held: i64,
    /// It held no bucket before.
    new: bool,
}

impl Seat {
    /// How far it is below its fair share, in buckets, times `total`.
    fn deficit(&self, total: i64) -> i64 {
        self.weight * BUCKETS as i64 - self.held * total
    }
}

/// Deals the buckets out to `members` (nexthop index, weight), by weight, changing as little as possible of
/// `previous`.
///
/// - Whoever held buckets keeps them, up to one more than its fair share rounded down.
/// - Each free bucket goes to the member furthest below its fair share: without `previous` that is the method
///   of largest remainders.
/// - A newcomer that is still a bucket or more below takes from those furthest above.
///
/// So when members leave, only their buckets change hands (among members that held at least one), and a
/// newcomer takes no more than its share. Without members, all buckets are nexthop 0.
pub fn derive(previous: Option<&Buckets>, members: &[(u16, u32)]) -> Buckets {
    let total: i64 = members.iter().map(|&(_, weight)| i64::from(weight)).sum();
    let mut seats: Vec<_> = members
        .iter()
        .map(|&(id, weight)| Seat { id, weight: i64::from(weight), held: 0, new: true })
        .collect();
    let mut buckets = [FREE; BUCKETS];

    for (bucket, &before) in buckets.iter_mut().zip(previous.into_iter().flatten()) {
        if let Some(seat) = seats.iter_mut().find(|seat| seat.id == before) {
            seat.new = false;
            // One more while `held` does not exceed the share rounded down.
            if seat.deficit(total) >= 0 {
                seat.held += 1;
                *bucket = seat.id;
            }
        }
    }

    for bucket in buckets.iter_mut().filter(|bucket| **bucket == FREE) {
        if let Some(seat) = seats.iter_mut().rev().max_by_key(|seat| seat.deficit(total)) {
            seat.held += 1;
            *bucket = seat.id;
        }
    }

    while let Some(poor) = seats.iter().position(|seat| seat.new && seat.deficit(total) >= total) {
        let Some(rich) = (0..seats.len()).min_by_key(|&seat| seats[seat].deficit(total)) else { break };
        let Some(bucket) = buckets.iter_mut().rfind(|bucket| **bucket == seats[rich].id) else { break };
        *bucket = seats[poor].id;
        seats[rich].held -= 1;
        seats[poor].held += 1;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(buckets: &Buckets, id: u16) -> usize {
        buckets.iter().filter(|&&bucket| bucket == id).count()
    }

    /// Buckets that changed hands though their holder is still a member.
    fn moved(before: &Buckets, after: &Buckets, members: &[(u16, u32)]) -> usize {
        let stays = |id: u16| members.iter().any(|&(member, _)| member == id);
        before.iter().zip(after).filter(|&(old, new)| stays(*old) && old != new).count()
    }

    #[test]
    fn a_fresh_group_follows_the_largest_remainders() {
        let buckets = derive(None, &[(1, 1), (2, 1), (3, 1)]);
        assert_eq!([1, 2, 3].map(|id| held(&buckets, id)), [43, 43, 42]);
        let buckets = derive(None, &[(1, 100), (2, 27), (3, 1)]);
        assert_eq!([1, 2, 3].map(|id| held(&buckets, id)), [100, 27, 1]);
    }

    #[test]
    fn a_flap_moves_only_the_flows_of_the_member_that_flaps() {
        let three = derive(None, &[(1, 1), (2, 1), (3, 1)]);
        let two = derive(Some(&three), &[(1, 1), (3, 1)]);
        assert_eq!(moved(&three, &two, &[(1, 1), (3, 1)]), 0);
        let back = derive(Some(&two), &[(1, 1), (2, 1), (3, 1)]);
        assert_eq!(moved(&two, &back, &[(1, 1), (2, 1), (3, 1)]), held(&back, 2));
        assert!((42..=43).contains(&held(&back, 2)));
    }

    #[test]
    fn nobody_left() {
        assert_eq!(derive(None, &[]), [0; BUCKETS]);
    }

    /// Members 1, 2, … with the given weights.
    fn members(weights: &[u32]) -> Vec<(u16, u32)> {
        (1..).zip(weights.iter().copied()).collect()
    }

    /// Fair share of a member, rounded down.
    fn share(members: &[(u16, u32)], weight: u32) -> usize {
        let total: u32 = members.iter().map(|&(_, weight)| weight).sum();
        (weight as usize * BUCKETS) / total as usize
    }

    proptest! {
        #[test]
        fn fresh_groups_are_fair(weights in prop::collection::vec(1u32..1000, 1..64)) {
            let members = members(&weights);
            let buckets = derive(None, &members);
            for &(id, weight) in &members {
                let share = share(&members, weight);
                prop_assert!((share..=share + 1).contains(&held(&buckets, id)));
            }
            prop_assert_eq!(derive(Some(&buckets), &members), buckets, "nothing changed, nothing moves");
        }

        #[test]
        fn a_death_moves_only_its_own_flows(
            weights in prop::collection::vec(1u32..8, 2..32),
            deaths in prop::collection::vec(any::<prop::sample::Index>(), 1..31),
        ) {
            let mut members = members(&weights);
            let mut buckets = derive(None, &members);
            for death in deaths {
                if members.len() == 1 || members.iter().any(|&(id, _)| held(&buckets, id) == 0) {
                    break;
                }
                members.remove(death.index(members.len()));
                let next = derive(Some(&buckets), &members);
                prop_assert_eq!(moved(&buckets, &next, &members), 0);
                for &(id, weight) in &members {
                    prop_assert!(held(&next, id) <= share(&members, weight) + 1);
                }
                buckets = next;
            }
        }

        #[test]
        fn a_newcomer_gets_its_share_and_nobody_else_gains_from_a_survivor(
            weights in prop::collection::vec(1u32..8, 2..32),
        ) {
            let all = members(&weights);
            let newcomer = all[all.len() - 1];
            let before = derive(None, &all[..all.len() - 1]);
            let after = derive(Some(&before), &all);
            let share = share(&all, newcomer.1);
            prop_assert!((share..=share + 1).contains(&held(&after, newcomer.0)));
            for (old, new) in before.iter().zip(&after) {
                prop_assert!(old == new || *new == newcomer.0);
            }
        }
    }
}
