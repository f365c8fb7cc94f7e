#!/bin/sh
# Chroma's server wants a newer C library than Debian 12's. This puts Debian 13's, from the archive that apt is set to, into
# bin/glibc beside the drivers; nothing of the system is changed. Not needed where `ldd --version` says 2.38 or more.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" bin/glibc
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive trixie main" > "$work/sources.list"
options="-q -o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$work/lists
    -o Dir::Cache=$work/cache -o Dir::State::status=/dev/null -o APT::Sandbox::User=root"
apt-get $options update
(cd "$work" && apt-get $options download libc6 libgcc-s1 libstdc++6 && for file in ./*.deb; do dpkg -x "$file" files; done)
cp -a "$work"/files/usr/lib/x86_64-linux-gnu/*.so* bin/glibc/
