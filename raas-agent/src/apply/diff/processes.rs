//! Which processes to start and to end.

use super::Diff;
use crate::{apply::Action, plan::Place};

/// Interface of a DHCP server, in the leaf's namespace.
const SERVER_INTERFACE: &str = "bridge";
/// Interface of a DHCP client, in the endpoint's namespace.
pub(super) const CLIENT_INTERFACE: &str = "eth0";

impl Diff<'_> {
    pub(super) fn processes(&mut self) {
        self.dhcp_servers();
        self.dhcp_clients();
        self.frr();
    }

    fn dhcp_servers(&mut self) {
        let desired = &self.desired.dhcp_servers;
        for name in self.observed.processes.dhcp_servers.keys() {
            if !desired.iter().any(|server| server.name == *name) {
                self.actions.push(Action::StopDhcpServer { name: name.clone() });
            }
        }
        for server in desired {
            let runs = self.observed.processes.dhcp_servers.get(&server.name).is_some_and(|state| {
                state.netns.as_ref() == Some(&server.netns) && state.config.as_ref() == Some(&server.config)
            });
            let place = Place::Namespace(server.netns.clone());
            if !runs || self.is_fresh(&place, SERVER_INTERFACE) {
                self.actions.push(Action::StartDhcpServer(server.clone()));
            }
        }
    }

    fn dhcp_clients(&mut self) {
        let desired = &self.desired.dhcp_clients;
        for name in self.observed.processes.dhcp_clients.keys() {
            if !desired.iter().any(|client| client.name == *name) {
                self.actions.push(Action::StopDhcpClient { name: name.clone() });
            }
        }
        for client in desired {
            let place = Place::Namespace(client.netns.clone());
            let link = self.observed.links.get(&place).and_then(|links| links.get(CLIENT_INTERFACE));
            let runs = self.observed.processes.dhcp_clients.get(&client.name).is_some_and(|state| {
                // A client does not notice that its address was taken away.
                let has_address = state.address.is_none_or(|leased| {
                    link.is_some_and(|link| link.addresses.iter().any(|(address, _)| *address == leased))
                });
                state.netns.as_ref() == Some(&client.netns) && has_address
            });
            if !runs || self.is_fresh(&place, CLIENT_INTERFACE) {
                self.actions.push(Action::StartDhcpClient(client.clone()));
            }
        }
    }

    fn frr(&mut self) {
        let is = &self.observed.processes;
        let wanted = &self.desired.frr;
        if wanted.is_empty() {
            if is.zebra || is.bgpd || is.frr.is_some() {
                self.actions.push(Action::StopFrr);
            }
        } else if !is.zebra || !is.bgpd || is.frr.as_ref() != Some(wanted) {
            self.actions.push(Action::LoadFrr { config: wanted.clone() });
        }
    }
}
