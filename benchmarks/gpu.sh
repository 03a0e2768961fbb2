#!/usr/bin/env bash
# Seconds, memory and pictures a second of guided drawing on one GPU: writes docs/gpu.csv in at most 8 minutes.
#
#     benchmarks/gpu.sh                               on the GPU; --out FILE for another table, --minutes for less
#     benchmarks/gpu.sh --rehearse --out gpu.csv      the same code on a CPU with tiny networks, about a minute
#
# It expects a Linux machine with one GPU and a `python3` (or $PYTHON) whose torch sees it, and about 16 GB of its
# memory; no network, no weights and no installed lepbench. The rest of lepbench's dependencies are installed too, or
# lie as wheels in the folder .whl of this repository (or $WHEELS), which is filled beforehand, where there is a
# network, for that machine's Python:
#
#     python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 -d .whl diffusers kornia ...
#
# benchmarks/gpu.py says what the columns are. Lines that were not reached say `skipped`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
wheels=${WHEELS:-$root/.whl}
export PYTHONPATH=$root HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONUNBUFFERED=1

if compgen -G "$wheels/*.whl" >/dev/null; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$wheels"/*.whl
    export PYTHONPATH=$root:$site
fi

# Python keeps the time itself; this is for a compiler that does not come back.
timeout --kill-after=5 $((475 - SECONDS)) "$python" "$root/benchmarks/gpu.py" "$@"
