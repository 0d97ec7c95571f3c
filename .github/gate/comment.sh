#!/usr/bin/env bash
# Writes the verdict into the pull request: one comment, found again by its first line and updated.
# A token that may not (a fork's pull request) changes no verdict: the job's summary has it all.
# In: BENCH_FOLDER, BENCH_PULL_REQUEST, GITHUB_REPOSITORY, GH_TOKEN.
set -euo pipefail

refused() { echo "::notice title=no comment::$*; the job's summary has the verdict"; exit 0; }

body=$BENCH_FOLDER/comment.md
[[ -s $body ]] || refused "there is nothing to say"
marker=$(head -n 1 "$body")
comments=repos/$GITHUB_REPOSITORY/issues
listed=$(gh api --paginate "$comments/$BENCH_PULL_REQUEST/comments?per_page=100" --jq \
  '.[] | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv') || refused "comments could not be read"
id=$(awk -F '\t' -v marker="$marker" '$2 == marker && !found { print $1; found = 1 }' <<< "$listed")
if [[ -n $id ]]; then
  gh api --method PATCH "$comments/comments/$id" -F "body=@$body" --silent || refused "comment $id could not be updated"
else
  gh api --method POST "$comments/$BENCH_PULL_REQUEST/comments" -F "body=@$body" --silent || refused "it is not permitted"
fi
