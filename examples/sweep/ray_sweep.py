"""A sweep in shards on a Ray cluster, and the whole put together.

    python ray_sweep.py DIRECTORY SHARDS ARGUMENTS OF `swarmsim sweep` ...

swarmsim and the files that the arguments name have to be on all nodes, under the same paths. Each
shard's results come back through Ray, so no directory needs to be shared; a shard that is there
already is not done again. With --print in front, the commands are printed and nothing is run.
"""

import pathlib
import shlex
import subprocess
import sys
import tempfile


def shard_command(arguments, shard, shards, results):
    """The command of one shard."""
    part = ["--threads", "1", "--shard", f"{shard}/{shards}", "--results", str(results)]
    return ["swarmsim", "sweep", *arguments, *part]


def merge_command(directory, shards):
    """The command that puts all shards together."""
    parts = [str(directory / f"{shard}.jsonl") for shard in range(1, shards + 1)]
    return ["swarmsim", "merge", *parts, "--results", str(directory / "whole.jsonl")]


def run_shard(arguments, shard, shards):
    """Runs one shard, wherever this is, and returns its results."""
    with tempfile.TemporaryDirectory() as place:
        results = pathlib.Path(place) / "results.jsonl"
        command = shard_command(arguments, shard, shards, results)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return results.read_bytes()


def print_commands(directory, shards, arguments):
    """The commands, a line each."""
    for shard in range(1, shards + 1):
        command = shard_command(arguments, shard, shards, directory / f"{shard}.jsonl")
        print(shlex.join(command))
    print(shlex.join(merge_command(directory, shards)))


def run(directory, shards, arguments):
    """Runs what is missing, on as many cores as the cluster has, and puts it together."""
    import ray

    ray.init(log_to_driver=False)
    directory.mkdir(parents=True, exist_ok=True)
    paths = {shard: directory / f"{shard}.jsonl" for shard in range(1, shards + 1)}
    remote = ray.remote(num_cpus=1)(run_shard)
    pending = {
        remote.remote(arguments, shard, shards): path
        for shard, path in paths.items()
        if not path.exists()
    }
    while pending:
        done, _ = ray.wait(list(pending), num_returns=1)
        path = pending.pop(done[0])
        # Under its name only once it is whole.
        beside = path.with_suffix(".part")
        beside.write_bytes(ray.get(done[0]))
        beside.rename(path)
    subprocess.run(merge_command(directory, shards), check=True)


def main():
    words = sys.argv[1:]
    printed = words[:1] == ["--print"]
    words = words[1:] if printed else words
    if len(words) < 3 or not words[1].isdigit():
        sys.exit(__doc__)
    directory, shards, arguments = pathlib.Path(words[0]), int(words[1]), words[2:]
    (print_commands if printed else run)(directory, shards, arguments)


if __name__ == "__main__":
    main()
