#!/usr/bin/env bash
# Installs bench for the job's own Python, where the user's model files find their packages too.
# In: BENCH_INSTALL (what pip takes; empty: this checkout; no: nothing), PYTHON (python).
set -euo pipefail

python=${PYTHON:-python}
wanted=${BENCH_INSTALL:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
case $wanted in
  no) ;;
  -*) echo "::error title=install::$wanted: expected a package or a folder, not an option of pip"; exit 2 ;;
  *) "$python" -m pip --disable-pip-version-check -q install "$wanted" ;;
esac
bench --version
