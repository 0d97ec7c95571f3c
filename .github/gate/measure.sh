#!/usr/bin/env bash
# Bundles head, and gates it where there is a baseline. How it ended is an output, so that what follows can show it.
# In: BENCH_FOLDER, BENCH_MODELS (one a line), BENCH_RUNTIMES, BENCH_BUNDLE_ARGS, BENCH_GATE_ARGS (words).
# Out: exit-code; in the folder head/, gate/, and log.txt with what bench said of an error.
set -euo pipefail

lines() { grep -v '^[[:space:]]*$' <<< "$1" || true; }
mapfile -t models < <(lines "${BENCH_MODELS:-}")
mapfile -t bundle_args < <(lines "$(tr -s ' \t' '\n\n' <<< "${BENCH_BUNDLE_ARGS:-}")")
mapfile -t gate_args < <(lines "$(tr -s ' \t' '\n\n' <<< "${BENCH_GATE_ARGS:-}")")
[[ -z ${BENCH_RUNTIMES:-} ]] || bundle_args+=(-e "$BENCH_RUNTIMES")

code=0
bench bundle "${models[@]}" "${bundle_args[@]}" --out "$BENCH_FOLDER/head" 2> >(tee "$BENCH_FOLDER/log.txt" >&2) ||
  code=$?
if [[ -d $BENCH_FOLDER/baseline && -f $BENCH_FOLDER/head/bundle.json ]]; then # written also where its outputs disagree
  code=0
  bench gate --baseline "$BENCH_FOLDER/baseline" --head "$BENCH_FOLDER/head" "${gate_args[@]}" --out "$BENCH_FOLDER/gate" \
    2> >(tee "$BENCH_FOLDER/log.txt" >&2) || code=$?
elif [[ $code == 5 && -f $BENCH_FOLDER/head/bundle.json ]]; then
  code=0
  echo "::warning title=baseline::agreement can't be told of every case: later gates of agreement can't either"
fi
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
