#!/usr/bin/env bash
# Fetches the baseline's bundle: the newest artifact that a run of this repository's default branch left.
# That there is none is one thing (the first run), that it can't be looked up another: that fails, or a broken token would
# make a new baseline of anything.
# In: BENCH_NAME, BENCH_DEFAULT_BRANCH (asked for where empty), GITHUB_REPOSITORY, GITHUB_REF, GITHUB_EVENT_NAME, RUNNER_TEMP,
#     GH_TOKEN. Out: folder (empty but for baseline/), on-default (true, false).
set -euo pipefail

fail() { echo "::error title=fetching the baseline::$*"; exit 2; }

[[ $BENCH_NAME =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || fail "name: expected letters, digits, dots, dashes and underscores"
folder=$RUNNER_TEMP/onnx-crossbench-$BENCH_NAME
rm -rf "$folder"
mkdir -p "$folder"

default=${BENCH_DEFAULT_BRANCH:-$(gh api "repos/$GITHUB_REPOSITORY" --jq .default_branch)} ||
  fail "the default branch could not be looked up"
on_default=false
[[ $GITHUB_REF == "refs/heads/$default" && $GITHUB_EVENT_NAME != pull_request* ]] && on_default=true

# A fork's branch may have the default branch's name, and its artifacts the baseline's: the repository must be this one.
listed=$(gh api --paginate "repos/$GITHUB_REPOSITORY/actions/artifacts?name=$BENCH_NAME-baseline&per_page=100" --jq \
  '.artifacts[] | select((.expired | not) and .workflow_run.head_repository_id == .workflow_run.repository_id)
   | [.created_at, .workflow_run.id, .workflow_run.head_branch] | @tsv') ||
  fail "artifacts could not be listed; the job needs 'permissions: actions: read'"
run=$(sort -r <<< "$listed" | awk -F '\t' -v branch="$default" '$3 == branch && !found { print $2; found = 1 }')

if [[ -n $run ]]; then
  gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "$BENCH_NAME-baseline" --dir "$folder/baseline" ||
    fail "the baseline of run $run could not be downloaded"
  [[ -f $folder/baseline/bundle.json ]] || fail "the artifact of run $run is no bundle; delete it to begin anew"
  echo "baseline: run $run of $default"
else
  echo "no baseline yet on $default"
fi
printf '%s\n' "folder=$folder" "on-default=$on_default" >> "$GITHUB_OUTPUT"
