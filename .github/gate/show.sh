#!/usr/bin/env bash
# Writes summary, comment, JUnit and annotations, and says what is kept as the next baseline.
# In: BENCH_FOLDER, BENCH_NAME, BENCH_ON_DEFAULT, BENCH_MEASURED (exit code of measure.sh), BENCH_INCONCLUSIVE, BENCH_REFRESH.
# Out: verdict, exit-code, keep (folder of the bundle to keep, or empty).
set -euo pipefail

say() { printf '## %s: %s\n\n%s\n' "$BENCH_NAME" "$1" "$2"; }
marker="<!-- onnx-crossbench gate $BENCH_NAME -->"
summary=$BENCH_FOLDER/summary.md
comment=$BENCH_FOLDER/comment.md
case ${BENCH_REFRESH:=pass} in
  pass | always | never) ;;
  *) echo "::error title=refresh::$BENCH_REFRESH: expected pass, always or never"; exit 2 ;;
esac

if [[ $BENCH_MEASURED == 0 && ! -d $BENCH_FOLDER/baseline ]]; then
  if [[ $BENCH_ON_DEFAULT == true ]]; then
    code=0
    say "BASELINE CREATED" "Nothing was compared: this bundle is what later runs are gated against." > "$summary"
    echo "::notice title=gate $BENCH_NAME::baseline created, nothing was compared"
  else
    code=5
    say "NO BASELINE" "Nothing was compared: the first run on the default branch makes the baseline." > "$summary"
  fi
  { echo "$marker"; cat "$summary"; } > "$comment"
else
  code=0
  bench ci "$BENCH_FOLDER/gate" --title "$BENCH_NAME" --inconclusive "$BENCH_INCONCLUSIVE" --annotations \
    --summary "$summary" --comment "$comment" --junit "$BENCH_FOLDER/junit.xml" || code=$?
  if [[ ! -d $BENCH_FOLDER/gate && -s $BENCH_FOLDER/log.txt ]]; then
    said=$(tail -n 20 "$BENCH_FOLDER/log.txt" | tail -c 4000 | tr -d '~')
    for file in "$summary" "$comment"; do
      printf '\nIt ended with exit code %s:\n\n~~~~text\n%s\n~~~~\n' "$BENCH_MEASURED" "$said" >> "$file"
    done
  fi
  [[ $code != 0 ]] || code=$BENCH_MEASURED # a gate that broke after its verdict is no pass
fi
cat "$summary" >> "$GITHUB_STEP_SUMMARY"
verdict=$(sed -n '1s/.*: //p' "$summary" | tr 'A-Z ' 'a-z-')

keep=
if [[ $BENCH_ON_DEFAULT == true && -d $BENCH_FOLDER/head ]]; then
  case $BENCH_REFRESH/$verdict/$code in
    */baseline-created/0 | pass/pass/0 | always/*) keep=$BENCH_FOLDER/head ;;
    never/*) keep=$BENCH_FOLDER/baseline ;;
  esac
fi
printf '%s\n' "verdict=$verdict" "exit-code=$code" "keep=$keep" >> "$GITHUB_OUTPUT"
