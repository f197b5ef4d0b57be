"""saved_report.py LIPAUDIT FIXTURES: what every format makes of a report, as TAP; the standard library is enough.

A report comes from a file that somebody else may have written. Each of its strings is replaced by one that drives a
terminal, opens an HTML element and writes a command for GitHub's log; no format may pass it on. SARIF is held against
what SARIF 2.1.0 demands of the objects in it: required and known properties, enumerations, references.

SPDX-License-Identifier: Apache-2.0
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom
from pathlib import Path

FORMATS = "text markdown html junit sarif github gitlab openmetrics csv json dot".split()
HOSTILE = '\x1b[31m<script>x</script>\x07&"\'|`*[a](b)\n::error::y'

lipaudit, fixtures = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).resolve()
model = fixtures / "models" / "fmnist_small_lmt_torchscript.onnx"
data = fixtures / "data" / "fmnist-1000-images-idx3-ubyte.gz"
labels = fixtures / "data" / "fmnist-1000-labels-idx1-ubyte.gz"
quick = "--effort 1 --exact never --iterations 1 --quiet --scale 1/255".split()


def lines_of(out):
    return out.split(b"\n")


def paths_of(value, path=()):
    """Where the strings are; of an array the first three elements."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value[:3]):
            yield from paths_of(part, path + (key,))


def parse(name, out):
    if name in ("json", "sarif", "gitlab"):
        json.loads(out)
    elif name == "junit":
        xml.dom.minidom.parseString(out)


def faults_of(name, out):
    """What is wrong with a rendered hostile report."""
    if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", out):
        yield "control characters"
    if name in ("html", "markdown") and re.search(rb"(?<!\\)<script", out):
        yield "an element"
    if any(line.startswith(b"::error::y") for line in lines_of(out)):
        yield "a command"
    try:
        parse(name, out)
    except Exception as error:
        yield str(error)


def render(report):
    """Format -> bytes; None where the report is refused, which must be said without the hostile text."""
    Path("hostile.json").write_text(json.dumps(report), encoding="utf-8")
    command = [lipaudit, "report", "hostile.json", "--format", "text", "-o", "out.text"]
    for name in FORMATS[1:]:
        command += ["--report", f"{name}=out.{name}"]
    done = subprocess.run(command, capture_output=True)
    if done.returncode == 0:
        return {name: Path(f"out.{name}").read_bytes() for name in FORMATS}
    assert done.returncode == 2 and b"hostile.json" in done.stderr and b"\x1b" not in done.stderr, done.stderr
    return None


def check_hostile(report):
    rendered = 0
    for path in paths_of(report):
        other = copy.deepcopy(report)
        place = other
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = HOSTILE
        outputs = render(other) or {}
        rendered += bool(outputs)
        for name, out in outputs.items():
            for fault in faults_of(name, out):
                yield f"{name} of {'.'.join(map(str, path))}: {fault}"
    if rendered < 60:
        yield f"only {rendered} hostile reports were rendered"


# Of the objects that we write: property -> what it holds; "!" in front: required. [SARIF 2.1.0, section 3]
LEVEL = {"none", "note", "warning", "error"}
MESSAGE = {"!text": str}
RULE = {"!id": str, "shortDescription": MESSAGE, "fullDescription": MESSAGE, "help": MESSAGE,
        "defaultConfiguration": {"level": LEVEL}}
LOCATION = {"physicalLocation": {"!artifactLocation": {"!uri": str}, "region": {"!startLine": int}},
            "logicalLocations": [{"name": str, "fullyQualifiedName": str, "kind": str}]}
RESULT = {"!ruleId": str, "ruleIndex": int, "level": LEVEL, "!message": MESSAGE, "!locations": [LOCATION],
          "partialFingerprints": dict}
RUN = {"!tool": {"!driver": {"!name": str, "version": str, "rules": [RULE]}},
       "columnKind": {"utf16CodeUnits", "unicodeCodePoints"}, "!results": [RESULT]}
LOG = {"$schema": str, "!version": {"2.1.0"}, "!runs": [RUN]}


def misfits(value, wanted, path):
    if isinstance(wanted, dict):
        known = {key.lstrip("!"): part for key, part in wanted.items()}
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        yield from (f"{path} has no {key[1:]}" for key in wanted if key[0] == "!" and key[1:] not in value)
        for key, part in value.items():
            if key not in known:
                yield f"{path}.{key} is unknown"
            else:
                yield from misfits(part, known[key], f"{path}.{key}")
    elif isinstance(wanted, list):
        if not isinstance(value, list):
            yield f"{path} is no array"
            return
        for i, part in enumerate(value):
            yield from misfits(part, wanted[0], f"{path}[{i}]")
    elif isinstance(wanted, set):
        if value not in wanted:
            yield f"{path} is {value!r}"
    elif not isinstance(value, wanted) or isinstance(value, bool) or value == "":
        yield f"{path} is {value!r}"


def check_sarif(log):
    yield from misfits(log, LOG, "sarif")
    for run in log["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(set(rules)) != len(rules):
            yield "two rules have one id"
        prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
        if len(set(prints)) != len(prints):
            yield "two results have one fingerprint"
        if len(prints) < 3:
            yield f"only {len(prints)} results"
        for result in run["results"]:
            if rules[result["ruleIndex"]] != result["ruleId"]:
                yield f"rule {result['ruleIndex']} is not {result['ruleId']}"
            if not all(isinstance(text, str) and text for text in result["partialFingerprints"].values()):
                yield "a fingerprint is no text"
            place = result["locations"][0]["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            if not re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+", uri):
                yield f"{uri!r} is no URI"
            if place["region"]["startLine"] < 1:
                yield "lines begin at 1"


def main():
    subprocess.run([lipaudit, "audit", fixtures / "models" / "fmnist_small_base_torchscript.onnx", *quick[:-2],
                    "--format", "json", "-o", "base.json"], check=True)
    Path("mit leer ü").mkdir()
    copied = Path("mit leer ü") / "modell#1.onnx"
    copied.write_bytes(model.read_bytes())
    done = subprocess.run([lipaudit, "check", copied, *quick, "--data", data, "--labels", labels, "--limit", "20",
                           "--input-range", "0:255", "--epsilon", "0.1", "--min-radius", "0.1",
                           "--max-lipschitz", "1e-9", "--max-layer-upper", "conv*=0.1", "--baseline", "base.json", "--report", "json=full.json",
                           "--report", "sarif=full.sarif"], stdout=subprocess.DEVNULL)
    assert done.returncode in (1, 2), done
    report, log = (json.loads(Path(name).read_text(encoding="utf-8")) for name in ("full.json", "full.sarif"))
    checks = [("no format passes on what a saved report's strings contain", check_hostile(report)),
              ("SARIF is SARIF 2.1.0", check_sarif(log))]
    print(f"1..{len(checks)}")
    failed = False
    for number, (name, faults) in enumerate(checks, 1):
        faults = sorted(set(faults))
        failed |= bool(faults)
        print("not ok" if faults else "ok", number, "-", name)
        for fault in faults[:40]:
            print("#", fault)
    return failed


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    status = main()
    os.chdir("/")
sys.exit(status)
