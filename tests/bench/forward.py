"""Samples per second of lipaudit's batched forward pass beside onnxruntime's, in one run.

    PYTHON tests/bench/forward.py BUILD/tests/bench/bench_forward MODEL.onnx ...

needs onnx, onnxruntime and numpy. Both run in float32 on the same number of threads and the same batch, alternately,
several times; the best of each counts, as other work on the machine only slows them down. Processor time is compared
as well: that ratio is meaningful on a loaded machine too. float64, which onnxruntime may not have kernels for, is
compared with its float32.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import re
import subprocess
import time

import numpy
import onnx
import onnxruntime

ROUNDS = 5
LINE = re.compile(r"best (\d+) median (\d+) samples/s, (\d+) samples/processor-s")


def session(path, threads):
    """onnxruntime with the batch dimension left open."""
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "samples"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    folder = os.path.dirname(os.path.abspath(path))
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run_theirs(engine, batch, repeats):
    """Best samples per second, and per second of processor time."""
    given = engine.get_inputs()[0]
    samples = numpy.random.default_rng(0).random([batch, *given.shape[1:]], dtype=numpy.float32)
    engine.run(None, {given.name: samples})
    best, processor = float("inf"), time.process_time()
    for _ in range(repeats):
        start = time.perf_counter()
        engine.run(None, {given.name: samples})
        best = min(best, time.perf_counter() - start)
    return batch / best, batch * repeats / (time.process_time() - processor)


def run_ours(program, path, batch, threads, bits, repeats):
    command = [program, "--batch", batch, "--threads", threads, "--bits", bits, "--repeat", repeats, path]
    text = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    best, _, processor = LINE.search(text).groups()
    return float(best), float(processor)


def compare(program, path, batch, threads, repeats):
    engine = session(path, threads)
    best = {"theirs": (0, 0), 32: (0, 0), 64: (0, 0)}
    for _ in range(ROUNDS):
        found = {bits: run_ours(program, path, batch, threads, bits, repeats) for bits in (32, 64)}
        found["theirs"] = run_theirs(engine, batch, repeats)
        best = {who: tuple(map(max, best[who], found[who])) for who in best}
    wall, processor = best["theirs"]
    for bits in (32, 64):
        print(f"{os.path.basename(path):36} {batch:5} {threads:7} {bits:4} {best[bits][0]:12.0f} {wall:12.0f} "
              f"{best[bits][0] / wall:7.2f} {best[bits][1] / processor:13.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="bench_forward, as built")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--batch", type=int, nargs="*", default=[64, 256, 1000])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    print(f"{'model':36} {'batch':>5} {'threads':>7} {'bits':>4} {'lipaudit/s':>12} {'ort float32':>12} "
          f"{'ratio':>7} {'per processor':>13}")
    for path in options.models:
        for threads in options.threads:
            for batch in options.batch:
                compare(options.program, path, batch, threads, options.repeat)


if __name__ == "__main__":
    main()
