//! Loading the programs on the maps, and the programs on interfaces.

use std::process::Command;

use raas_common::{ABI_VERSION, Globals, GlobalsFlags, MAX_FIB_NODES, Port, PortKind};

use super::*;
use crate::fib::TrieMemory as _;

#[test]
fn maps_are_reused_when_they_fit_and_only_then() {
    isolated(|pins| {
        assert_eq!(*load(pins).origin(), Origin::New);
        let globals = Globals { flags: GlobalsFlags::FAST_PATH_ON, abi_version: ABI_VERSION };
        PinnedMaps::open(pins).unwrap().globals.set(0, globals).unwrap();

        assert_eq!(*load(pins).origin(), Origin::Reused);
        assert_eq!(PinnedMaps::open(pins).unwrap().globals.get(0).unwrap(), globals);

        let other = FastPath::load(EBPF_OBJECT, pins, 2 * FIB_NODES).unwrap();
        let Origin::Recreated { reason } = other.origin() else { panic!("{:?}", other.origin()) };
        assert!(reason.contains("FIB_NODES") && reason.contains("value_size: 131072"), "{reason}");
        assert_eq!(PinnedMaps::open(pins).unwrap().globals.get(0).unwrap(), Globals::default());
        assert_eq!(FibMemory::open(pins).unwrap().node_capacity(), 2 * FIB_NODES);

        std::fs::remove_file(pins.map("FDB")).unwrap();
        assert!(matches!(load(pins).origin(), Origin::Recreated { .. }));
        for name in ["raas_xdp", "raas_tc", "raas_xdp_explain", "raas_tc_explain"] {
            assert!(pins.program(name).exists(), "{name}");
        }
        pins.remove_all().unwrap();
        assert!(PinnedMaps::open(pins).is_err());
    });
}

#[test]
fn a_pool_may_have_any_size_that_a_program_can_address() {
    isolated(|pins| {
        for nodes in [1, 256, 257, MAX_FIB_NODES] {
            FastPath::load(EBPF_OBJECT, pins, nodes).unwrap();
            assert_eq!(FibMemory::open(pins).unwrap().node_capacity(), nodes);
        }
        let error = FastPath::load(EBPF_OBJECT, pins, MAX_FIB_NODES + 1).err().unwrap();
        assert!(format!("{error:#}").contains("1 to 524288"), "{error:#}");
    });
}

#[test]
fn programs_stay_on_interfaces_and_are_replaced_there() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 5, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();

        assert_eq!(fast_path.attach("port", Hook::Xdp).unwrap(), Attached::New);
        assert_counts(&maps, 5);
        assert_eq!(fast_path.attach("port", Hook::Xdp).unwrap(), Attached::Replaced);
        drop(fast_path);
        assert_counts(&maps, 5);

        let mut upgraded = load(pins);
        assert_eq!(upgraded.attach("port", Hook::Xdp).unwrap(), Attached::Replaced);
        assert_counts(&maps, 5);
        assert_eq!(upgraded.switch("port", Hook::Tc).unwrap(), Attached::New);
        assert_counts(&maps, 5);
        let tc = Attachment { interface: "port".into(), hook: Hook::Tc };
        assert_eq!(attachments(pins).unwrap(), std::slice::from_ref(&tc));
        drop(upgraded);
        assert_eq!(load(pins).attach("port", Hook::Tc).unwrap(), Attached::Replaced);
        assert_counts(&maps, 5);

        assert_eq!(detach_stale(pins, |attachment| *attachment == tc).unwrap(), []);
        assert_eq!(detach_all(pins).unwrap(), [tc]);
        assert_eq!(attachments(pins).unwrap(), []);
        assert!(!detach(pins, "port", Hook::Tc).unwrap());
    });
}

#[test]
fn what_is_taken_away_is_noticed_and_put_back() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 5, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();
        for hook in [Hook::Xdp, Hook::Tc] {
            let attachment = Attachment { interface: "port".into(), hook };
            let pin = pins.link("port", hook);
            assert!(!is_live(pins, &attachment).unwrap());
            let detach = format!("bpftool link detach pinned {}", pin.display());
            for damage in [detach, format!("rm {}", pin.display())] {
                fast_path.switch("port", hook).unwrap();
                assert!(is_live(pins, &attachment).unwrap());
                assert!(Command::new("sh").args(["-c", &damage]).status().unwrap().success());
                assert!(!is_live(pins, &attachment).unwrap(), "{damage}");
                assert_eq!(fast_path.switch("port", hook).unwrap(), Attached::New);
                assert_counts(&maps, 5);
            }
        }

        assert_eq!(fast_path.restore_pins().unwrap(), [""; 0]);
        std::fs::remove_file(pins.map("FDB")).unwrap();
        std::fs::remove_dir_all(pins.programs()).unwrap();
        assert_eq!(
            fast_path.restore_pins().unwrap(),
            ["FDB", "raas_xdp", "raas_tc", "raas_xdp_explain", "raas_tc_explain"]
        );
        // The maps are the same: what was written is there.
        drop(fast_path);
        assert_eq!(*load(pins).origin(), Origin::Reused);
        assert_counts(&maps, 5);
    });
}

#[test]
fn a_new_interface_of_an_old_name_is_attached_anew() {
    isolated(|pins| {
        veth();
        let mut fast_path = load(pins);
        for hook in [Hook::Xdp, Hook::Tc] {
            fast_path.attach("port", hook).unwrap();
        }
        ip("link delete port");
        veth();
        for hook in [Hook::Xdp, Hook::Tc] {
            assert_eq!(fast_path.attach("port", hook).unwrap(), Attached::New);
        }
        let error = fast_path.attach("nowhere", Hook::Tc).unwrap_err();
        assert!(format!("{error:#}").contains("nowhere"), "{error:#}");
    });
}

#[test]
fn generic_xdp_is_never_used() {
    isolated(|pins| {
        ip("link add bridge0 type bridge");
        let mut fast_path = load(pins);
        assert!(fast_path.attach("bridge0", Hook::Xdp).is_err(), "a bridge has no native XDP");
        assert_eq!(attachments(pins).unwrap(), []);
    });
}

#[test]
fn names_with_dots_can_be_pinned() {
    isolated(|pins| {
        ip("link add eth0.100 type veth peer name peer");
        load(pins).attach("eth0.100", Hook::Tc).unwrap();
        assert_eq!(attachments(pins).unwrap(), [Attachment { interface: "eth0.100".into(), hook: Hook::Tc }]);
        assert!(detach(pins, "eth0.100", Hook::Tc).unwrap());
    });
}

#[test]
fn clsact_serves_kernels_without_tcx() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 6, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();
        let mark = clsact::mark(pins, "port");
        let attach =
            |fast_path: &mut FastPath| clsact::attach(fast_path.tc().unwrap(), "port", &mark).unwrap();
        assert_eq!(attach(&mut fast_path), Attached::New);
        assert_eq!(attach(&mut load(pins)), Attached::Replaced);
        drop(fast_path);
        assert_counts(&maps, 6);
        let [attachment] = attachments(pins).unwrap().try_into().unwrap();
        assert!(is_live(pins, &attachment).unwrap());
        for damage in ["qdisc del dev port clsact", "filter del dev port ingress"] {
            assert!(Command::new("tc").args(damage.split(' ')).status().unwrap().success());
            assert!(!is_live(pins, &attachment).unwrap(), "{damage}");
            assert_eq!(attach(&mut load(pins)), Attached::New);
            assert!(is_live(pins, &attachment).unwrap());
        }
        assert_counts(&maps, 6);
        assert!(detach(pins, "port", Hook::Tc).unwrap());
        assert!(!is_live(pins, &attachment).unwrap());
        assert_eq!(attachments(pins).unwrap(), []);
        let filters = Command::new("tc").args(["filter", "show", "dev", "port", "ingress"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&filters.stdout), "");
    });
}
