#!/usr/bin/env bash
# Makes the builder root, which every build then uses: Bazel, its rule sets and the test peers.
#
#   builder.sh
set -euo pipefail
./bazelw --version
