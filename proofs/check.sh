#!/bin/bash
# Prints every theorem of the given compiled .v files with its statement and axioms. Fails where a source leaves
# something unproved, or where any theorem or lemma rests on an axiom that is not one of the three below.
# Usage: check.sh FILE.v ...   (from proofs/, after make compile)
set -euo pipefail

# What the standard library's real numbers rest on, and nothing else.
allowed='ClassicalDedekindReals.sig_forall_dec|ClassicalDedekindReals.sig_not_dec|FunctionalExtensionality.functional_extensionality_dep'

# 1. Words that leave something unproved, or switch Coq's own checks off. Comments are dropped first.
forbidden='Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|Hypothes[ie]s|Variables?|Unset|bypass_check|Declare|Load'
for file in "$@"; do
    # comments become blanks, so that line numbers stay
    bare=$(perl -0777 -pe '1 while s/\(\*((?:(?!\(\*|\*\)).)*)\*\)/(my $c = $1) =~ s{[^\n]}{ }g; $c/se' "$file")
    if grep -nwE "$forbidden" <<<"$bare"; then
        echo "FAILED: $file leaves something unproved, or says one of: $forbidden" >&2
        exit 1
    fi
done

# 2. Coq files that ask: the statement and the axioms of each theorem and corollary; the axioms of all lemmas together.
#    One Coq file for each of ours, as Coq goes through half its library for each question: they run side by side.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
say() { echo "Eval compute in \"@ $*\"%string."; }  # a line of the answer that step 3 recognises
header() {
    echo 'From Coq Require Import String Reals.'
    for file in "$@"; do echo "From LFP Require Import $(sed 's/\.v$//; s!/!.!g' <<<"$file")."; done
    echo 'Open Scope R_scope. Set Printing Width 110.'
}
number=100 lemmas=0 all=
for file in "$@"; do
    number=$((number + 1)) report=$folder/report$number.v
    header sums/*.v "$file" >"$report"
    while IFS=: read -r line text; do
        read -r kind name _ <<<"${text//:/ }"
        full=$(basename "$file" .v).$name
        if [[ $kind == Theorem || $kind == Corollary ]]; then
            say theorem "$name" "$file:$line"
            echo "Check @$full."
            say axioms
            echo "Print Assumptions $full."
        else
            lemmas=$((lemmas + 1)) all="${all:+$all, }@$full"
        fi >>"$report"
    done < <(grep -nE '^ *(Theorem|Corollary|Lemma|Fact|Remark|Proposition|Property|Example) ' "$file")
done
{
    header "$@"
    say lemmas $lemmas .
    say axioms
    echo "Definition all_lemmas := ($all). Print Assumptions all_lemmas."
} >"$folder/report999.v"
printf '%s\n' "$folder"/report*.v | xargs -P "$(nproc)" -I{} sh -c 'coqc -R . LFP {} >{}.answer'

# 3. Its answer, made readable and judged.
cat "$folder"/*.answer | awk -v allowed="^($allowed)\$" '
    function finish() {
        if (kind != "theorem") return
        theorems++
        printf "%s  (%s)\n%s    axioms: %s\n\n", name, place, statement, axioms == "" ? "none" : axioms
    }
    /^ *= "@ axioms"/ { part = "axioms"; next }
    /^ *= "@ / {
        finish()
        kind = $3; name = $4; place = $5; sub(/".*/, "", place); sub(/^@/, "", name)
        statement = axioms = ""; part = kind; next
    }
    /^ *: string$/ || /^Closed under the global context/ || /^Axioms:/ { next }
    part == "theorem" { sub(/^@/, ""); statement = statement "    " $0 "\n"; next }
    part == "axioms" && /^[^ ]/ {            # NAME : TYPE, the type going on in lines that start with a blank
        n = split($1, path, "."); axioms = axioms (axioms == "" ? "" : ", ") path[n]
        if ($1 !~ allowed) bad = bad "FAILED: " kind " " name " " place " rests on: " $0 "\n"
    }
    END {
        fflush()
        if (bad) { printf "%s", bad > "/dev/stderr"; exit 1 }
        if (!theorems || kind != "lemmas") { print "FAILED: the report is not complete" > "/dev/stderr"; exit 1 }
        printf "%d theorems and corollaries and %d lemmas, all proved, ", theorems, name
        print "from no axioms but those of the standard library'"'"'s reals."
    }'
