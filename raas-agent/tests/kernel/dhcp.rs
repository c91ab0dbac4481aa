//! DHCP servers and clients: real leases, and processes that outlive the agent.

use std::time::Duration;

use raas_agent::apply::Kernel;

use crate::{
    lab::{self, HYPERVISOR, Lab, shell, text, try_shell},
    sample::network_with_dhcp,
};

const LIMIT: Duration = Duration::from_secs(20);

async fn leased() {
    Lab::eventually("the endpoint has a lease", LIMIT, || {
        try_shell("ip -n raas-acme-pc1 -4 route show default").1.contains("via 198.18.0.1")
    })
    .await;
}

#[test]
fn an_endpoint_gets_a_lease_and_the_next_agent_finds_it() {
    lab::hypervisor(|mut lab| async move {
        let desired = network_with_dhcp();
        lab.reconcile(&desired).await;
        leased().await;
        let address = shell("ip -n raas-acme-pc1 address show eth0");
        assert!(address.contains("inet 198.18.0.1") && address.contains("mtu 1400"), "{address}");
        assert!(!address.contains("inet6"), "{address}");
        shell("nsenter --net=/run/netns/raas-acme-pc1 ping -c 1 -W 5 198.18.0.1");
        lab.expect_nothing_to_do(&desired).await;

        drop(lab.kernel);
        lab.kernel = Kernel::new(lab.paths.clone(), HYPERVISOR).await.unwrap();
        lab.expect_nothing_to_do(&desired).await;

        // The client does not notice that its address is gone; we do.
        shell("ip -n raas-acme-pc1 -4 address flush dev eth0");
        let report = lab.reconcile(&desired).await;
        assert_eq!(text(&report.done), ["start DHCP client acme-pc1 in raas-acme-pc1"]);
        leased().await;

        let mut changed = desired.clone();
        changed.dhcp_servers[0].config.push_str("dhcp-option=option:ntp-server,198.18.0.1\n");
        let report = lab.reconcile(&changed).await;
        assert_eq!(text(&report.done), ["start DHCP server acme-web in raas-acme-leaf"]);
        lab.expect_nothing_to_do(&changed).await;

        // Both die with the link under them, and come back with it.
        shell("ip link del rp0 && ip link del rl0");
        lab.reconcile(&changed).await;
        leased().await;
        lab.expect_nothing_to_do(&changed).await;

        changed.dhcp_clients.clear();
        changed.dhcp_servers.clear();
        changed.veths[1].b.address = crate::sample::network().veths[1].b.address.clone();
        lab.reconcile(&changed).await;
        assert_eq!(shell(&format!("ls {}", lab.paths.dhcp().display())), "");
        assert_eq!(shell(&format!("ls {}", lab.paths.leases().display())), "");
        lab.expect_nothing_to_do(&changed).await;
        lab
    });
}
