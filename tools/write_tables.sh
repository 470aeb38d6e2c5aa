#!/usr/bin/env bash
# Replaces what stands between the two lines of a page that mark its tables by what comes from standard input.
# Usage: ... | tools/write_tables.sh PAGE
set -euo pipefail
page=$1
begin='<!-- tables: written by a tool -->'
end='<!-- end of tables -->'

grep -qxF "$begin" "$page" && grep -qxF "$end" "$page" ||
  { echo "write_tables: $page has no lines '$begin' and '$end' around its tables" >&2; exit 1; }
tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
cat >"$tables"
awk -v begin="$begin" -v end="$end" -v tables="$tables" '
  $0 == begin { print; while ((getline line < tables) > 0) print line; inside = 1 }
  $0 == end { inside = 0 }
  !inside { print }' "$page" >"$page.new"
mv "$page.new" "$page"
