//! FRR: started, changed without disturbing sessions, restarted.

use std::{fs, path::Path, time::Duration};

use raas_agent::{apply::Kernel, plan::Desired};

use crate::{
    lab::{self, HYPERVISOR, Lab, shell, text, try_shell},
    sample::network,
};

const LIMIT: Duration = Duration::from_secs(20);
/// zebra's sweep comes 30 s after its start.
const SWEEP: Duration = Duration::from_secs(45);

/// Leaf and first spine speak unnumbered BGP.
fn with_frr() -> Desired {
    let config = router(65001, "raas-acme-leaf", "s1", "198.18.255.1/32")
        + &router(65002, "raas-acme-s1", "leaf", "198.18.255.2/32");
    Desired { frr: format!("frr defaults datacenter\n!\n{config}"), ..network() }
}

fn router(asn: u32, netns: &str, interface: &str, network: &str) -> String {
    format!(
        "\
router bgp {asn} vrf {netns}
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 timers bgp 1 3
 neighbor {interface} interface remote-as external
 neighbor {interface} timers connect 1
 !
 address-family ipv4 unicast
  network {network}
 exit-address-family
exit
!
"
    )
}

fn learned() -> bool {
    try_shell("ip -n raas-acme-leaf route show proto bgp").1.contains("198.18.255.2")
}

/// Kills a daemon and waits until it is dead.
async fn kill(pid_file: &Path) {
    let pid = fs::read_to_string(pid_file).unwrap().trim().to_owned();
    shell(&format!("kill -9 {pid}"));
    // A zombie has no program.
    Lab::eventually("the daemon dies", LIMIT, || fs::read_link(format!("/proc/{pid}/exe")).is_err()).await;
}

#[test]
fn sessions_come_up_and_survive_agents_changes_and_crashes() {
    lab::hypervisor(|mut lab| async move {
        let desired = with_frr();
        lab.reconcile(&desired).await;
        Lab::eventually("BGP route", LIMIT, learned).await;
        lab.expect_nothing_to_do(&desired).await;
        let sockets = lab.paths.frr();
        let vtysh = format!("vtysh --vty_socket {0} --config_dir {0} -c", sockets.display());

        // Another agent finds the daemons and leaves them alone.
        drop(lab.kernel);
        lab.kernel = Kernel::new(lab.paths.clone(), HYPERVISOR).await.unwrap();
        lab.expect_nothing_to_do(&desired).await;

        let uptime = format!("{vtysh} 'show bgp vrf raas-acme-leaf neighbors s1 json'");
        let dropped = || {
            let neighbour = shell(&uptime);
            let dropped = neighbour.lines().find(|line| line.contains("connectionsDropped"));
            dropped.unwrap_or_else(|| panic!("no neighbour: {neighbour}")).trim().to_owned()
        };
        let before = dropped();
        let mut changed = desired.clone();
        changed.frr = changed
            .frr
            .replace("network 198.18.255.1/32", "network 198.18.255.1/32\n  network 198.18.0.0/24");
        let report = lab.reconcile(&changed).await;
        assert_eq!(text(&report.done), ["load the configuration of FRR"]);
        Lab::eventually("the new route at the spine", LIMIT, || {
            try_shell(&format!("{vtysh} 'show bgp vrf raas-acme-s1 ipv4 unicast'"))
                .1
                .contains("198.18.0.0/24")
        })
        .await;
        assert_eq!(dropped(), before, "the change restarted the session");

        // A router joins.
        changed.frr.push_str(&router(65003, "raas-acme-s2", "leaf", "198.18.255.3/32"));
        changed.frr = changed.frr.replacen(
            "neighbor s1 timers connect 1",
            "neighbor s1 timers connect 1\n neighbor s2 interface remote-as external",
            1,
        );
        lab.reconcile(&changed).await;
        Lab::eventually("the new router's route at the leaf", LIMIT, || {
            try_shell("ip -n raas-acme-leaf route show").1.contains("198.18.255.3")
        })
        .await;
        assert_eq!(dropped(), before, "the new router restarted another's session");
        assert_eq!(shell("sysctl -n net.ipv4.ip_forward").trim(), "0", "the hypervisor itself forwards");

        // Whichever dies, both are restarted, kernel routes stay, and BGP takes over again.
        let pids = || ["zebra.pid", "bgpd.pid"].map(|file| fs::read_to_string(sockets.join(file)).unwrap());
        for victim in ["zebra.pid", "bgpd.pid"] {
            let before = pids();
            kill(&sockets.join(victim)).await;
            tokio::time::timeout(LIMIT, lab.kernel.process_ended(&desired))
                .await
                .expect("nobody noticed")
                .unwrap();
            let report = lab.reconcile(&changed).await;
            assert_eq!(text(&report.done), ["load the configuration of FRR"]);
            assert!(learned(), "{victim}: its end, or the restart, took a route");
            assert!(pids().iter().all(|pid| !before.contains(pid)), "{victim}: the other was not restarted");
            Lab::eventually("session after a restart", LIMIT, || {
                try_shell(&uptime).1.contains("\"bgpState\":\"Established\"")
            })
            .await;
        }
        assert!(learned());
        lab.expect_nothing_to_do(&changed).await;

        // What is withdrawn while both are dead is swept, and what is announced anew is not.
        for file in ["zebra.pid", "bgpd.pid"] {
            kill(&sockets.join(file)).await;
        }
        changed.frr = changed.frr.replace("  network 198.18.255.3/32\n", "");
        lab.reconcile(&changed).await;
        let withdrawn = || try_shell("ip -n raas-acme-leaf route show").1.contains("198.18.255.3");
        assert!(withdrawn(), "the restart itself deletes routes");
        Lab::eventually("the sweep", SWEEP, || !withdrawn()).await;
        assert!(learned(), "the sweep took a route that was announced anew");

        // A router's namespace is deleted behind everybody's back.
        shell("ip netns del raas-acme-leaf");
        lab.reconcile(&changed).await;
        Lab::eventually("BGP route in the new namespace", LIMIT, learned).await;

        // A refused line is a fault, each time …
        let nonsense = Desired { frr: "router bgp nonsense\n".into(), ..changed.clone() };
        let report = lab.kernel.reconcile(&nonsense).await.unwrap();
        assert!(report.failures[0].to_string().contains("nonsense"), "{}", report.failures[0]);
        // … also when FRR does not run, and until it succeeds.
        kill(&sockets.join("bgpd.pid")).await;
        let report = lab.kernel.reconcile(&nonsense).await.unwrap();
        assert!(report.failures[0].to_string().contains("nonsense"), "{}", report.failures[0]);
        let report = lab.reconcile(&changed).await;
        assert_eq!(text(&report.done), ["load the configuration of FRR"]);
        Lab::eventually("BGP route in the end", LIMIT, learned).await;
        lab
    });
}
