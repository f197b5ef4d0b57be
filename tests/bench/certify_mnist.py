"""Seconds and memory of `lipaudit certify` for the 10,000 test images of MNIST, and what a certificate costs beside a
plain forward pass.

    python certify_mnist.py BUILD MODEL DATA [--rounds 5] [--threads 2]

BUILD: a build folder (audit/lipaudit and tests/bench/bench_forward are run); MODEL: the paper's small network, from
fixtures/make/mnist.py; DATA: the folder with MNIST's files. Needs no packages. Each figure is the best of several
rounds, which are alternated; processor seconds stand beside, as other work on the machine does not slow them down so
much. "forward": bench_forward in float32 on the same number of images.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

IMAGES = 10000
WAYS = [("float32", []), ("exact", ["--deployed", "exact"]), ("float32, --effort 0", ["--effort", "0"])]


def run(command):
    """Wall seconds, processor seconds, peak bytes, output."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read().decode()
    if status != 0:
        sys.exit(text)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def certify(build, model, data, threads, flags):
    command = [build / "audit/lipaudit", "certify", model, "--data", data / "t10k-images-idx3-ubyte.gz", "--labels",
               data / "t10k-labels-idx1-ubyte.gz", "--scale", "1/255", "--radius-space", "model", "--quiet", "--threads",
               threads, "--format", "json", *flags]
    seconds, processor, memory, text = run(command)
    report = json.loads(text)
    assert report["certification"]["samples"] == IMAGES
    return {"total": seconds, "processor": processor, "memory": memory, "bounds": report["timing"]["bounds"],
            "samples": report["timing"]["data"], "median": report["certification"]["radius"]["median"],
            "accuracy": report["certification"]["accuracy"]}


def forward(build, model, threads):
    text = run([build / "tests/bench/bench_forward", "--batch", "256", "--threads", threads, "--bits", "32", "--repeat",
                "20", model])[3]
    return {"samples": IMAGES / float(re.search(r"best (\d+) ", text).group(1))}


def best(rounds):
    return {key: min(each[key] for each in rounds) for key in rounds[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    found, plain = {name: [] for name, _ in WAYS}, []
    for _ in range(a.rounds):
        plain.append(forward(a.build, a.model, a.threads))
        for name, flags in WAYS:
            found[name].append(certify(a.build, a.model, a.data, a.threads, flags))
    plain = best(plain)["samples"]
    print(f"forward alone, float32: {plain:.3f} s for {IMAGES} images; {a.threads} threads\n")
    print(f"{'--deployed':<20} {'total s':>8} {'processor s':>12} {'bounds s':>9} {'samples s':>10} {'x forward':>10} "
          f"{'MB':>6} {'accuracy':>9} {'median':>8}")
    for name, rounds in found.items():
        b = best(rounds)
        print(f"{name:<20} {b['total']:>8.2f} {b['processor']:>12.2f} {b['bounds']:>9.2f} {b['samples']:>10.3f} "
              f"{b['samples'] / plain:>10.2f} {b['memory'] / 1e6:>6.0f} {100 * b['accuracy']:>8.2f}% {b['median']:>8.4f}")


if __name__ == "__main__":
    main()
