#!/usr/bin/env bash
# Bring the system packages that the tests need and this machine lacks, without starting a service.
#
#   bring.sh          what the tests use
#   bring.sh build    what `make test` itself stands on
#
# Installs as root, or through sudo with DEFT_TEST_FULL=1; anybody else is left with what there is, and the
# tests say at their end what did not run. Fails only with DEFT_TEST_FULL=1.
set -euo pipefail
shopt -s nullglob

POLICY=/usr/sbin/policy-rc.d
full=${DEFT_TEST_FULL:-}
[ "$full" != 0 ] || full=

missing() {
    if [ "${1:-}" = build ]; then
        command -v make >/dev/null || echo make
        python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
        return
    fi
    local servers=(/usr/lib/postgresql/*/bin/initdb)
    command -v initdb >/dev/null || [ ${#servers[@]} -gt 0 ] || echo postgresql
    # Daemons lie in sbin, where an ordinary user's shell does not look.
    local PATH=$PATH:/usr/sbin:/sbin
    command -v munged >/dev/null || echo munge
    command -v slurmctld >/dev/null || echo slurmctld
    command -v slurmd >/dev/null || echo slurmd
    command -v sbatch >/dev/null || echo slurm-client
    command -v slurmdbd >/dev/null || echo slurmdbd
    command -v mariadbd >/dev/null || echo mariadb-server
    command -v dot >/dev/null || echo graphviz  # brings the library cairo, too
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Packages of services start them at once, unless this file says 101 ("not allowed").
# One that is there already is the machine's own and stays as it is.
keep_services_down() {
    [ ! -e "$POLICY" ] || return 0
    policy_is_ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

clean_up() {
    rm -f "$said"
    [ -z "$policy_is_ours" ] || as_root rm -f "$POLICY"
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" \
        </dev/null >>"$said" 2>&1
}

install_packages() {
    apt install --yes --no-install-recommends "$@" && return
    # No list of packages yet, or an old one.
    apt update && apt install --yes --no-install-recommends "$@"
}

mapfile -t wanted < <(missing "$@")
[ ${#wanted[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] && ! { [ -n "$full" ] && sudo -n true 2>/dev/null; }; then
    echo "Missing here: ${wanted[*]}. Root brings it: apt-get install ${wanted[*]}"
    [ -z "$full" ]
    exit
fi

echo "Installing with apt-get: ${wanted[*]} ..."
policy_is_ours=
said=$(mktemp)
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
keep_services_down
if ! install_packages "${wanted[@]}"; then
    tail -n 20 "$said" >&2
    echo "apt-get could not install ${wanted[*]}; its last words are above." >&2
    [ -z "$full" ]
fi
