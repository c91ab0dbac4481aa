#!/bin/sh
# Called by udhcpc at DHCP events. Address, default route and MTU are the endpoint's; the name servers that it is given
# are not applied, because /etc/resolv.conf is shared with the hypervisor.
# RAAS_LEASE: the file that says which address is leased.

case "$1" in
bound | renew)
    ip -4 address show dev "$interface" | while read -r word old _; do
        [ "$word" = inet ] && [ "$old" != "$ip/$mask" ] && ip -4 address delete "$old" dev "$interface"
    done
    ip -4 address replace "$ip/$mask" dev "$interface" || exit 1
    [ -n "$mtu" ] && ip link set dev "$interface" mtu "$mtu"
    ip link set dev "$interface" up
    # A host takes one default router: the first.
    for gateway in $router; do
        ip -4 route replace default via "$gateway" dev "$interface" proto dhcp
        break
    done
    echo "$ip" >"$RAAS_LEASE.new" && mv "$RAAS_LEASE.new" "$RAAS_LEASE"
    ;;
deconfig)
    rm -f "$RAAS_LEASE"
    ip -4 address flush dev "$interface"
    ip link set dev "$interface" up
    ;;
esac
