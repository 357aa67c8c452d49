#!/bin/bash
# Prints every theorem of the given compiled .v files with its statement, and the axioms that each file rests on. Fails
# where a file declares an axiom of its own, leaves something unproved or hides a theorem from this list, and where any
# theorem or lemma rests on an axiom other than the three below.
# Usage: check.sh FILE.v ...   (from proofs/, after make compile)
set -euo pipefail

# What the standard library's real numbers rest on, and nothing else.
allowed='ClassicalDedekindReals.sig_forall_dec|ClassicalDedekindReals.sig_not_dec|FunctionalExtensionality.functional_extensionality_dep'

# 1. Words that leave something unproved, or switch Coq's own checks off, and theorems that do not begin a line, where
#    step 3 finds them. Comments are dropped first; with strings allowed, what is a comment would be hard to tell.
forbidden='Admitted|[Aa]dmit|give_up|Axioms?|Parameters?|Conjectures?|Hypothes[ie]s|Variables?|Unset|bypass_check|Declare|Module|Include|Load'
kinds='Theorem|Corollary|Lemma|Fact|Remark|Proposition|Property|Example'
for file in "$@"; do
    # comments become blanks, so that line numbers stay
    bare=$(perl -0777 -pe '1 while s/\(\*((?:(?!\(\*|\*\)).)*)\*\)/(my $c = $1) =~ s{[^\n]}{ }g; $c/se' "$file")
    if grep -nwE "$forbidden" <<<"$bare"; then
        echo "FAILED: $file leaves something unproved, or says one of: $forbidden" >&2
        exit 1
    fi
    if grep -n '"' "$file" || grep -nwE "$kinds" <<<"$bare" | grep -vE "^[0-9]+: *($kinds) [^ ]" ||
        grep -nE "\b($kinds)\b.*\b($kinds)\b" <<<"$bare"; then
        echo "FAILED: $file has a string, or a theorem that does not begin a line" >&2
        exit 1
    fi
done

# 2. Coq's independent checker goes through the compiled files again, and lists all that was assumed in them: axioms,
#    whatever the word for them was, and what the kernel was told not to check.
modules=$(for file in "$@"; do sed 's/\.v$//; s!/!.!g; s/^/-norec LFP./' <<<"$file"; done)
# shellcheck disable=SC2086
summary=$(coqchk -silent -o -R . LFP $modules 2>&1) || { echo "$summary" >&2; exit 1; }
if ! grep -q '^\* Axioms:' <<<"$summary" || grep -E '^ *LFP\.' <<<"$summary"; then
    echo "FAILED: the files assume what is listed above, or coqchk gave no summary" >&2
    exit 1
fi

# 3. A Coq file for each of ours, which asks for the statement of each theorem and corollary, and for the axioms of all
#    that is proved there together: Coq walks through half its library for each such question, so it is asked once a file.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
say() { echo "Eval compute in \"@ $*\"%string."; }  # a line of the answer that step 4 recognises
number=100
for file in "$@"; do
    number=$((number + 1)) all=
    {
        echo 'From Coq Require Import String Reals.'
        for needed in sums/*.v "$file"; do echo "From LFP Require Import $(sed 's/\.v$//; s!/!.!g' <<<"$needed")."; done
        echo 'Open Scope R_scope. Set Printing Width 110.'
        while IFS=: read -r line text; do
            read -r kind name _ <<<"${text//:/ }"
            full=@$(basename "$file" .v).$name
            all="${all:+$all, }$full"
            [[ $kind == Theorem || $kind == Corollary ]] || kind=Lemma
            say "$kind" "$name" "$file:$line"
            [ "$kind" = Lemma ] || echo "Check $full."
        done < <(grep -nE "^ *($kinds) " "$file")
        say axioms of "$file:1"
        echo "Definition all_of_them := ($all). Print Assumptions all_of_them."
        say end of "$file:1"
    } >"$folder/report$number.v"
done
printf '%s\n' "$folder"/report*.v | xargs -P "$(nproc)" -I{} sh -c 'coqc -R . LFP {} >{}.answer'

# 4. Its answers, made readable and judged.
cat "$folder"/*.answer | awk -v allowed="^($allowed)\$" '
    /^ *= "@ / {
        if (kind == "Theorem" || kind == "Corollary") text = text "    axioms: among @@\n"
        kind = $3; name = $4; place = $5; sub(/".*/, "", place)
        if (kind == "Lemma") lemmas++
        if (kind == "Theorem" || kind == "Corollary") { theorems++; text = text "\n" name "  (" place ")\n" }
        if (kind == "end") {
            sub(/:.*/, "", place); files++
            if (axioms == "") axioms = "none"
            gsub(/@@/, axioms, text)
            print "==== " place ", everything proved in it together: axioms " axioms
            print text; text = axioms = ""
        }
        next
    }
    /^ *: string$/ || /^Closed under the global context/ || /^Axioms:/ { next }
    kind == "Theorem" || kind == "Corollary" { sub(/^@/, ""); text = text "    " $0 "\n"; next }
    kind == "axioms" && /^[^ ]/ {            # NAME : TYPE, the type going on in lines that start with a blank
        n = split($1, path, "."); axioms = axioms (axioms == "" ? "" : ", ") path[n]
        if ($1 !~ allowed) bad = bad "FAILED: something in " place " rests on: " $0 "\n"
    }
    END {
        fflush()
        if (bad) { printf "%s", bad > "/dev/stderr"; exit 1 }
        if (!theorems || files != '$#') { print "FAILED: the report is not complete" > "/dev/stderr"; exit 1 }
        printf "%d theorems and corollaries and %d lemmas in %d files, all proved, ", theorems, lemmas, files
        print "from no axioms but those of the standard library'"'"'s reals."
    }'
