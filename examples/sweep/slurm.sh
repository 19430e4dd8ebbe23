#!/bin/sh
#SBATCH --job-name=sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --requeue
# A sweep as a job array of Slurm: an element is a shard.
#
#   job=$(sbatch --parsable slurm.sh DIRECTORY ARGUMENTS OF `swarmsim sweep` …)
#   sbatch --dependency="afterok:$job" --wrap 'swarmsim merge DIRECTORY/*.jsonl'
#
# DIRECTORY is on a file system that all nodes see. An element that is put back into the queue goes
# on where it was. To do some elements once more, say how many there were: SHARDS=8 sbatch
# --array=3,7 slurm.sh …
set -eu
directory=$1
shift
mkdir -p "$directory"
exec swarmsim sweep "$@" --threads "$SLURM_CPUS_PER_TASK" \
    --shard "$SLURM_ARRAY_TASK_ID/${SHARDS:-$SLURM_ARRAY_TASK_COUNT}" \
    --results "$directory/$SLURM_ARRAY_TASK_ID.jsonl" --resume
