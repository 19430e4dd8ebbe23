#!/bin/sh
# A sweep in shards with GNU parallel, and the whole put together.
#
#   parallel.sh DIRECTORY SHARDS ARGUMENTS OF `swarmsim sweep` …
#
# Each shard leaves its results in DIRECTORY; the script can be started again after an interruption.
# On several machines that share DIRECTORY: PARALLEL='--sshloginfile hosts --workdir .' in front.
set -eu
directory=$1 shards=$2
shift 2
mkdir -p "$directory"
# Not {}, which may be among the arguments.
seq "$shards" | parallel --quote --halt soon,fail=1 -I @shard@ \
    swarmsim sweep "$@" --threads 1 --shard "@shard@/$shards" \
    --results "$directory/@shard@.jsonl" --resume >"$directory/parallel.out"
results=
for shard in $(seq "$shards"); do
    results="$results $directory/$shard.jsonl"
done
# Paths without spaces: they are words of their own.
# shellcheck disable=SC2086
exec swarmsim merge $results --results "$directory/whole.jsonl"
