//! A large table: the program begins below the root.

use ipnet::Ipv4Net;

use super::{
    way::{Way, neighbour, send, tables},
    *,
};
use crate::{fib::RouteAction, platform::bpf::tests::Program};

/// Large enough to be wide, at both ends.
const FIRST_BYTES: std::ops::RangeInclusive<u8> = 1..=223;

/// Room for a row, and as many again.
const NODES: u32 = 4096;

#[test]
fn the_program_finds_its_way_in_a_large_table() {
    isolated(|pins| {
        let mut writer = Writer::open(pins, NODES, None).unwrap();
        writer.write(only_tables(tables(ROUTER)), &topology());
        let program = Program::open(pins);
        let route = |byte: u8, bits: u8, number: u32| {
            let prefix = Ipv4Net::new([byte, 51, 100, 0].into(), bits).unwrap().trunc();
            (prefix, Some(RouteAction::from(neighbour(number))))
        };
        let write = |writer: &mut Writer, routes: Vec<_>| {
            let change = RouterChange { complete: true, routes };
            let changes = Changes { routers: [(ROUTER, change)].into(), ..Changes::default() };
            writer.write(changes, &topology());
        };
        let sent = |byte: u8, third: u8| send(&program, [byte, 51, third, 7].into());
        let by = |number: u32| Way::Neighbour { number, routers: 1 };

        write(&mut writer, FIRST_BYTES.map(|byte| route(byte, 24, byte.into())).collect());
        assert!(FibMemory::open(pins).unwrap().root(ROUTER).has_row());
        for byte in FIRST_BYTES.filter(|byte| *byte != 127) {
            assert_eq!((sent(byte, 100), sent(byte, 101)), (by(byte.into()), Way::Kernel), "{byte}");
        }

        let default = ("0.0.0.0/0".parse().unwrap(), Some(RouteAction::from(neighbour(300))));
        let more = [default, route(1, 8, 301), route(223, 32, 302)];
        write(&mut writer, FIRST_BYTES.map(|byte| route(byte, 24, byte.into())).chain(more).collect());
        assert_eq!([sent(1, 100), sent(1, 9), sent(2, 9), sent(223, 9)], [by(1), by(301), by(300), by(300)]);

        // A restarted agent takes it over.
        drop(writer);
        let mut writer = Writer::open(pins, NODES, None).unwrap();
        assert_eq!([sent(1, 100), sent(1, 9), sent(223, 100)], [by(1), by(301), by(223)]);
        writer.write(only_tables(tables(ROUTER)), &topology());
        write(&mut writer, vec![route(1, 24, 5)]);
        writer.commit();
        assert_eq!([sent(1, 100), sent(1, 9), sent(223, 100)], [by(5), Way::Kernel, Way::Kernel]);
    });
}
