#!/usr/bin/env bash
# Ends the job as the gate ended. What can't be told is a warning unless it was asked to fail.
# In: BENCH_VERDICT, BENCH_EXIT_CODE, BENCH_INCONCLUSIVE.
set -euo pipefail

code=${BENCH_EXIT_CODE:-2} # nothing said is never green
echo "verdict: ${BENCH_VERDICT:-not-measured}, exit code $code"
if [[ $code == 5 && $BENCH_INCONCLUSIVE == warn ]]; then
  echo "::warning title=gate::${BENCH_VERDICT:-inconclusive}: neither a slowdown nor its absence was shown"
  exit 0
fi
exit "$code"
