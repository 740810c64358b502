#!/usr/bin/env bash
# Installs from Debian and PyPI what the tests use beside npm's packages; Pulsar comes from Maven when its tests begin.
# Quick where all of it is there.
set -euo pipefail

python="${PULSEGATE_TEST_PYTHON_HOME:-$HOME/.cache/pulsegate/python}"
# moto emulates Secrets Manager.
packages=('paho-mqtt==2.1.0' 'cfn-lint==1.58.0' 'moto[secretsmanager,server]==5.2.5')

missing=()
# A command, and Debian's package that has it.
need() { PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null || missing+=("$2"); }
need mosquitto mosquitto
need mosquitto_pub mosquitto-clients
need strace strace
need chromium chromium
need openssl openssl
need java openjdk-17-jre-headless
need mvn maven
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]} > 0)); then
  root=()
  ((EUID == 0)) || root=(sudo)
  # No daemon is to be started by an installation.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod +x "$policy"
    trap '"${root[@]}" rm -f "$policy"' EXIT
  fi
  "${root[@]}" apt-get -qq update
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
fi

if ! "$python/bin/python" -c 'import cfnlint, moto.server, paho.mqtt' 2>/dev/null; then
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet "${packages[@]}"
fi
