//! The tables on plain memory.

use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use proptest::prelude::*;
use raas_common::{MAX_PORTS, Port, PortKind, Ports};

use super::*;

type Memory = Arc<Vec<AtomicU32>>;

/// Zeroed, as the kernel makes a map.
fn memory() -> Memory {
    Arc::new((0..length::<Ports>()).map(|_| AtomicU32::new(0)).collect())
}

/// Counts grace periods.
#[derive(Clone, Default)]
struct Waits(Rc<Cell<usize>>);

impl Grace for Waits {
    fn wait(&mut self) -> io::Result<()> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

fn table(memory: &Memory, grace: &Waits) -> ExactTable<u32, Port, Memory, Waits> {
    ExactTable::new(memory.clone(), grace.clone())
}

fn port(scope: u32) -> Port {
    Port { kind: PortKind::UPLINK, owner: scope, scope, ..Port::default() }
}

fn ports(keys: impl IntoIterator<Item = u32>) -> HashMap<u32, Port> {
    keys.into_iter().map(|key| (key, port(key))).collect()
}

#[test]
fn what_is_inserted_first_is_found() {
    let memory = memory();
    let mut table = table(&memory, &Waits::default());
    table.insert(7, port(1)).unwrap();
    assert_eq!(table.get(&7), Some(port(1)));
    assert_eq!(table.entries(), HashMap::from([(7, port(1))]));
}

#[test]
fn sync_writes_the_differences() {
    let memory = memory();
    let mut table = table(&memory, &Waits::default());
    assert_eq!(table.sync(&ports([1, 2])).unwrap(), Changes { inserted: 2, ..Changes::default() });
    assert!(table.sync(&ports([1, 2])).unwrap().is_empty());
    let mut second = ports([2, 3]);
    second.insert(2, port(9));
    assert_eq!(table.sync(&second).unwrap(), Changes { inserted: 1, replaced: 1, removed: 1 });
    assert_eq!(table.entries(), second);
    assert_eq!(table.get(&1), None);
}

#[test]
fn a_full_table_says_so_and_has_room_again() {
    let memory = memory();
    let waits = Waits::default();
    let mut table = table(&memory, &waits);
    let error = table.sync(&ports(0..MAX_PORTS)).unwrap_err();
    assert!(matches!(error, ExactError::Full { capacity: 4095 }), "{error}");
    assert_eq!(table.entries().len(), 4095, "what fits is written");
    let few = ports([7, 1 << 20]);
    table.sync(&few).unwrap();
    assert_eq!(table.entries(), few);
}

#[test]
fn a_slot_is_reused_after_a_grace_period_only() {
    let memory = memory();
    let waits = Waits::default();
    let mut table = table(&memory, &waits);
    let all = ports(1..MAX_PORTS);
    table.sync(&all).unwrap();
    table.remove(&1);
    assert_eq!(waits.0.get(), 0, "nobody waits before there is need");
    table.insert(5000, port(1)).unwrap();
    assert_eq!(waits.0.get(), 1);
}

#[test]
fn another_agent_goes_on_with_the_table() {
    let memory = memory();
    let waits = Waits::default();
    table(&memory, &waits).sync(&ports([1, 2])).unwrap();
    let mut second = table(&memory, &waits);
    assert_eq!(second.sync(&ports([2, 3])).unwrap(), Changes { inserted: 1, replaced: 0, removed: 1 });
    assert_eq!(second.entries(), ports([2, 3]));
    assert_eq!(waits.0.get(), 1, "for what the first may have unlinked a moment ago");
}

#[test]
fn what_somebody_else_wrote_is_undone_once_it_is_looked_for() {
    let memory = memory();
    let waits = Waits::default();
    let mut ours = table(&memory, &waits);
    let desired = ports([1, 2, 3]);
    ours.sync(&desired).unwrap();
    let mut theirs = ports([2, 4]);
    theirs.insert(2, port(9));
    table(&memory, &Waits::default()).sync(&theirs).unwrap();
    assert!(ours.sync(&desired).unwrap().is_empty(), "only our own writes count");
    ours.forget();
    assert_eq!(ours.sync(&desired).unwrap(), Changes { inserted: 2, replaced: 1, removed: 1 });
    assert_eq!(ours.entries(), desired);
    assert_eq!(waits.0.get(), 1, "for what they may have unlinked a moment ago");
    ours.forget();
    assert!(ours.sync(&desired).unwrap().is_empty());
    ours.insert(5, port(5)).unwrap();
    assert_eq!(waits.0.get(), 1, "where nothing was changed, nobody has to wait");
}

#[test]
fn a_damaged_table_is_mended() {
    let layout = <Port as ExactValue<u32>>::LAYOUT;
    let desired = ports(1..MAX_PORTS / 2);
    type Damage<'a> = &'a dyn Fn(&Memory, usize, u32);
    let damage: [(&str, Damage<'_>); 5] = [
        ("a ring", &|memory, _, slot| memory.publish(layout.next(slot), slot)),
        ("a chain in two", &|memory, head, slot| memory.publish(layout.head(head ^ 1), slot)),
        ("a chain that is lost", &|memory, head, _| memory.publish(layout.head(head), 0)),
        ("another multiplier", &|memory, _, _| memory.write(0, &0x5eed_u64)),
        ("no multiplier", &|memory, _, _| memory.write(0, &0_u64)),
    ];
    for (what, damage) in damage {
        let memory = memory();
        let mut table = table(&memory, &Waits::default());
        table.sync(&desired).unwrap();
        let head = 1_u32.chain(memory.read(0), layout.heads);
        damage(&memory, head, memory.get(layout.head(head)));
        table.forget();
        assert!(!table.sync(&desired).unwrap().is_empty(), "{what} is found");
        table.forget();
        assert!(table.sync(&desired).unwrap().is_empty(), "{what} is repaired");
        assert!(
            desired.iter().all(|(key, port)| table.get(key) == Some(*port)),
            "{what}: every key is found"
        );
        let all = ports(1..MAX_PORTS);
        table.sync(&all).unwrap();
        assert_eq!(table.entries(), all, "{what}: no slot is lost, none has two keys");
    }
}

#[test]
fn two_tables_shuffle_differently() {
    let multiplier = |memory: &Memory| memory.read::<u64>(0);
    let memories = [memory(), memory()];
    for memory in &memories {
        table(memory, &Waits::default()).insert(1, port(1)).unwrap();
        assert_eq!(multiplier(memory) % 2, 1);
    }
    assert_ne!(multiplier(&memories[0]), multiplier(&memories[1]));
}

proptest! {
    /// Against a map: whatever comes and goes, the table has what it has.
    #[test]
    fn it_is_a_map(steps in prop::collection::vec((0_u32..40, prop::option::of(1_u32..9)), 1..200)) {
        let memory = memory();
        let mut table = table(&memory, &Waits::default());
        let mut model = BTreeMap::new();
        for (key, value) in steps {
            match value {
                Some(scope) => {
                    table.insert(key, port(scope)).unwrap();
                    model.insert(key, port(scope));
                }
                None => prop_assert_eq!(table.remove(&key), model.remove(&key).is_some()),
            }
            prop_assert_eq!(table.get(&key), model.get(&key).copied());
        }
        prop_assert_eq!(table.entries().into_iter().collect::<BTreeMap<_, _>>(), model);
    }
}

/// Waits until the reader has ended the look-up that it is in, and another.
struct Lookups(Arc<AtomicU32>);

impl Grace for Lookups {
    fn wait(&mut self) -> io::Result<()> {
        let before = self.0.load(Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst).wrapping_sub(before) < 2 {
            thread::yield_now();
        }
        Ok(())
    }
}

/// A reader on another core always finds the key that is always there, with a value that it had: scope and
/// owner belong together.
#[test]
fn a_reader_misses_nothing_that_is_there_and_sees_no_half_value() {
    const TURNS: u32 = 20_000;
    let memory = memory();
    let (lookups, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = || ExactTable::new(memory.clone(), Lookups(lookups.clone()));
    writer().insert(1, port(1)).unwrap();
    let reader = thread::spawn({
        let (memory, lookups, done) = (memory.clone(), lookups.clone(), done.clone());
        move || {
            let table: ExactTable<u32, Port, Memory, Lookups> =
                ExactTable::new(memory, Lookups(lookups.clone()));
            while !done.load(Ordering::Relaxed) {
                let found = table.get(&1);
                lookups.fetch_add(1, Ordering::SeqCst);
                let found = found.expect("the key is always there");
                assert_eq!(found, port(found.scope));
            }
        }
    });
    let mut table = writer();
    for turn in 2..TURNS {
        if turn % 5000 == 0 {
            table = writer();
        }
        table.insert(1, port(turn)).unwrap();
        table.insert(turn % 50 + 2, port(turn)).unwrap();
        table.remove(&((turn + 7) % 50 + 2));
        if reader.is_finished() {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}
