#!/bin/sh
# The part of GNU parallel that examples/sweep/parallel.sh uses, one job after the other: a line of
# the input in place of each @shard@, and words as they are.
set -eu
[ "$1 $2 $3 $4 $5" = "--quote --halt soon,fail=1 -I @shard@" ]
shift 5

run() {
    line=$1
    shift
    left=$#
    while [ "$left" -gt 0 ]; do
        word=$1
        shift
        while [ "$word" != "${word#*@shard@}" ]; do
            word="${word%%@shard@*}$line${word#*@shard@}"
        done
        set -- "$@" "$word"
        left=$((left - 1))
    done
    "$@" </dev/null
}

while read -r number; do
    run "$number" "$@"
done
