#!/bin/sh
# Init of the guest: runs, one after the other, the scripts that the console names.
stty -echo -onlcr
mount -t proc proc /proc
mount -t sysfs sys /sys
for directory in /run /tmp; do mount -t tmpfs tmp $directory; done
# What is /run/guest on the machine.
mount -t hostfs none /mnt -o /run/guest
modules=/usr/lib/uml/modules/$(uname -r)
load() {
    for module in $(sed -n "s,^\(.*/$1\.ko\):,\1,p" "$modules/modules.dep" | tr ' ' '\n' | tac); do
        busybox insmod "$modules/$module"
    done
}
load ip_gre
ip link set lo up
ip link set vec0 up
sysctl -qw net.ipv4.ip_forward=1
echo "exit 0"
while read -r script; do
    sh "/mnt/$script" 2>&1
    echo "exit $?"
done
