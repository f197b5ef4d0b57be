"""interrupted.py LIPAUDIT FIXTURES: certify --attack, ended by signals, as TAP; the standard library is enough.

The first SIGINT or SIGTERM ends a run soon, with status 2 and whole files, all of the same samples; a second one ends
it at once and leaves the folder as it was.

SPDX-License-Identifier: Apache-2.0
"""
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

lipaudit, fixtures = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).resolve()
command = [lipaudit, "certify", fixtures / "models" / "fmnist_cnn_base.onnx", "--effort", "0", "--scale", "1/255",
           "--data", fixtures / "data" / "fmnist-1000-images-idx3-ubyte.gz",
           "--labels", fixtures / "data" / "fmnist-1000-labels-idx1-ubyte.gz",
           "--format", "json", "-o", "report.json", "--report", "html=report.html"]
SECONDS = 60  # a thread's sample takes a tenth of one; memory checkers are slow


def run(rows, attack, signals, before=()):
    """The folder's files after a run that got the signals once its rows had a place, the status, the messages."""
    with tempfile.TemporaryDirectory() as folder:
        for name in before:
            Path(folder, name).write_text("as before")
        process = subprocess.Popen([*command, "--attack", attack, "--per-sample", rows], cwd=folder,
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(os.listdir(folder)) == len(before):
            time.sleep(0.01)
        began = time.monotonic()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.05)
        _, messages = process.communicate(timeout=10 * SECONDS)
        files = {name: Path(folder, name).read_bytes() for name in os.listdir(folder)}
    return files, process.returncode, messages.decode(), time.monotonic() - began


def faults_of_partial(rows, files, status, messages, seconds):
    if status != 2:
        yield f"exit status {status}"
    if "ended early" not in messages:
        yield f"said: {messages}"
    if seconds > SECONDS:
        yield f"took {seconds:.0f} s to end"
    if set(files) != {"report.json", "report.html", rows}:
        yield f"files: {', '.join(files)}"
        return
    section = json.loads(files["report.json"])["certification"]
    if section["partial"] is not True or not 0 < section["samples"] < 1000:
        yield f"partial {section['partial']}, {section['samples']} samples"
    if b"</html>" not in files["report.html"]:
        yield "the HTML is cut"
    if rows.endswith(".csv"):
        lines = list(csv.DictReader(files[rows].decode().splitlines()))
        if len(lines) != section["samples"] or not all(line["gradient"] for line in lines if float(line["radius"]) > 0):
            yield f"{len(lines)} rows"


def faults_of_npz(files):
    with tempfile.TemporaryFile() as stream:
        stream.write(files["rows.npz"])
        if zipfile.ZipFile(stream).testzip() is not None:
            yield "the .npz is cut"


def main():
    tests = []
    for name, rows, attack, number in (("SIGINT, PGD, rows as CSV", "rows.csv", "pgd", signal.SIGINT),
                                       ("SIGTERM, Carlini-Wagner, rows as .npz", "rows.npz", "cw", signal.SIGTERM)):
        files, *ended = run(rows, attack, [number])
        faults = list(faults_of_partial(rows, files, *ended))
        if rows == "rows.npz" and not faults:
            faults = list(faults_of_npz(files))
        tests.append((name, faults))
    old = ("report.json", "report.html", "rows.csv")
    files, status, messages, _ = run("rows.csv", "pgd", [signal.SIGINT, signal.SIGTERM], old)
    faults = [] if status == -signal.SIGTERM else [f"exit status {status}: {messages}"]
    if files != {name: b"as before" for name in old}:
        faults.append(f"files: {', '.join(files)}")
    tests.append(("the second signal leaves the folder as it was", faults))
    print(f"1..{len(tests)}")
    for i, (name, faults) in enumerate(tests):
        print(f"{'not ok' if faults else 'ok'} {i + 1} - {name}")
        for fault in faults:
            print("# " + fault.replace("\n", "\n# "))
    sys.exit(any(faults for _, faults in tests))


main()
