"""Does any attack come nearer than a certified radius?  DeepFool and PGD against `lipaudit certify`.

    python attacks.py LIPAUDIT [--samples 200] [--deployed float32] [--mnist FOLDER DATA] [NAME ...]

For the first samples of each fixture trained with PyTorch (NAME: fmnist_small_base, fmnist_small_lmt, fmnist_wrn_lmt
by default; --mnist: also the networks that fixtures/make/mnist.py wrote to FOLDER, on the test images in DATA), the
weights of the ONNX file are loaded into the architecture of fixtures/make/networks.py and attacked in float64, without
a box around the pixels. Prints one row a network; exit status 1 if an attack succeeds nearer than a certified radius.

DeepFool [Moosavi-Dezfooli, Fawzi, Frossard 2016]: overshoot 0.02, 50 steps, then the nearest failure on the way back.
PGD: 20 normalised gradient steps on the sphere's inside, its radius found by bisection, per sample; and once more with
the certified radius itself as the limit, where it has to fail.
"""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures" / "make"))
import data  # noqa: E402
from networks import NETWORKS  # noqa: E402

MODELS = ROOT / "fixtures" / "models"
FILES = {"fmnist_small_base": "fmnist_small_base_torchscript", "fmnist_small_lmt": "fmnist_small_lmt_torchscript"}

KINDS = {"block1.conv1.weight": "wrn", "fc.4.weight": "mlp4", "fc.2.weight": "mlp2"}  # by a tensor that tells


def load(path):
    """The network in float64, with the weights stored in the ONNX file."""
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).astype(np.float64))
               for t in onnx.load(path).graph.initializer}
    kind = next((kind for key, kind in KINDS.items() if key in weights), "small")
    network = NETWORKS[kind]().double().eval()
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return network.requires_grad_(False)


def certify(lipaudit, model, x, y, deployed):
    """predicted class and certified radius of each sample, as `lipaudit certify` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        subprocess.run([lipaudit, "certify", model, "--data", folder / "x.npy", "--labels", folder / "y.npy", "--quiet",
                        "--deployed", deployed, "--per-sample", folder / "rows.csv", "-o", folder / "report.txt"],
                       check=True)
        rows = list(csv.DictReader((folder / "rows.csv").open(newline="")))
    assert [int(row["index"]) for row in rows] == list(range(len(x)))
    return np.array([float(row["radius"]) for row in rows])


def fooled(network, x, y):
    """Another class has a larger logit, in float64."""
    logits = network(x)
    own = logits.gather(1, y[:, None]).squeeze(1)
    return logits.scatter(1, y[:, None], -torch.inf).max(1).values > own


def norms(d):
    return d.flatten(1).norm(dim=1)


def shape(values, like):
    return values.view(-1, *[1] * (like.dim() - 1))


def nearest_on_the_way(network, x, y, adversarial, steps=30):
    """Bisection between x and a point that fools: still fooling, no farther."""
    low, high = torch.zeros(len(x), dtype=x.dtype), torch.ones(len(x), dtype=x.dtype)
    for _ in range(steps):
        middle = (low + high) / 2
        hit = fooled(network, x + shape(middle, x) * (adversarial - x), y)
        low, high = torch.where(hit, low, middle), torch.where(hit, middle, high)
    return x + shape(high, x) * (adversarial - x)


def deepfool(network, x, y, steps=50, overshoot=0.02):
    """Distance of the failure found; inf where none was."""
    moved = torch.zeros_like(x)
    active = torch.ones(len(x), dtype=torch.bool)
    for _ in range(steps):
        index = torch.nonzero(active).squeeze(1)
        if len(index) == 0:
            break
        point = (x[index] + (1 + overshoot) * moved[index]).requires_grad_(True)
        logits = network(point)
        lead = logits.gather(1, y[index][:, None]) - logits
        best, step = torch.full((len(index),), torch.inf, dtype=x.dtype), torch.zeros_like(point)
        for c in range(logits.shape[1]):
            gradient = torch.autograd.grad(lead[:, c].sum(), point, retain_graph=True)[0]
            length = norms(gradient).clamp_min(1e-12)
            distance = lead[:, c].detach().abs() / length
            nearer = (distance < best) & (y[index] != c)
            best = torch.where(nearer, distance, best)
            direction = -gradient / shape(length, gradient) * shape(distance + 1e-6, gradient)
            step = torch.where(shape(nearer, step), direction, step)
        moved[index] += step.detach()
        active[index] = ~fooled(network, x[index] + (1 + overshoot) * moved[index], y[index])
    adversarial = x + (1 + overshoot) * moved
    hit = fooled(network, adversarial, y)
    near = nearest_on_the_way(network, x, y, adversarial)
    return torch.where(hit, norms(near - x), torch.full((len(x),), torch.inf, dtype=x.dtype))


def pgd_within(network, x, y, limit, steps=20):
    """Is there a failure within `limit` of each sample?  Its distance, or inf."""
    moved = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    moved *= shape(limit / 2 / norms(moved), x)
    found = torch.full((len(x),), torch.inf, dtype=x.dtype)
    for k in range(steps):
        point = (x + moved).requires_grad_(True)
        logits = network(point)
        lead = logits.gather(1, y[:, None]).squeeze(1) - logits.scatter(1, y[:, None], -torch.inf).max(1).values
        distance = norms(moved)
        found = torch.where((lead.detach() < 0) & (distance < found), distance, found)
        gradient = torch.autograd.grad(lead.sum(), point)[0]
        length = 2.5 * limit / steps * (2 if k < steps // 2 else 0.5)
        moved = moved - shape(length / norms(gradient).clamp_min(1e-12), x) * gradient
        moved = moved * shape((limit / norms(moved).clamp_min(1e-300)).clamp_max(1.0), x)
    distance = norms(moved)
    return torch.where(fooled(network, x + moved, y) & (distance < found), distance, found)


def pgd(network, x, y, start, rounds=8):
    """The least distance over bisections of the limit, from the distances `start`."""
    low, high = torch.zeros_like(start), torch.where(torch.isfinite(start), 1.1 * start, torch.full_like(start, 10.0))
    best = torch.full_like(start, torch.inf)
    for k in range(rounds):
        limit = high if k == 0 else (low + high) / 2
        found = pgd_within(network, x, y, limit)
        best = torch.minimum(best, found)
        hit = torch.isfinite(found)
        low, high = torch.where(hit, low, limit), torch.where(hit, torch.minimum(limit, best), high)
    return best


def attack(name, model, lipaudit, x, y, deployed):
    radius = torch.from_numpy(certify(lipaudit, model, x, y, deployed))
    network = load(model)
    x, y = torch.from_numpy(x.astype(np.float64)), torch.from_numpy(y)
    right = ~fooled(network, x, y)
    assert not bool((radius[~right] > 0).any()), "a misclassified sample has a radius"
    x, y, radius = x[right], y[right], radius[right]
    distances = {"DeepFool": deepfool(network, x, y)}
    distances["PGD"] = pgd(network, x, y, distances["DeepFool"])
    inside = radius > 0
    distances["PGD inside"] = torch.full_like(radius, torch.inf)
    if bool(inside.any()):
        distances["PGD inside"][inside] = pgd_within(network, x[inside], y[inside], radius[inside])
    nearest = torch.stack(list(distances.values())).min(0).values
    violations = int((nearest < radius).sum())
    ratio = (nearest[inside] / radius[inside]).min() if bool(inside.any()) else float("nan")
    print(f"{name:<18} {len(x):>5} {radius.median():>10.4g} {distances['DeepFool'].median():>10.4g} "
          f"{distances['PGD'].median():>10.4g} {nearest.median() / radius.median():>8.3g} {ratio:>8.3g} {violations:>10}",
          flush=True)
    return violations


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lipaudit")
    parser.add_argument("names", nargs="*", default=["fmnist_small_base", "fmnist_small_lmt", "fmnist_wrn_lmt"])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--deployed", default="float32", choices=["float32", "exact"])
    parser.add_argument("--mnist", nargs=2, type=pathlib.Path, metavar=("FOLDER", "DATA"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'network':<18} {'right':>5} {'certified':>10} {'DeepFool':>10} {'PGD':>10} {'ratio':>8} {'least':>8} "
          f"{'violations':>10}\n{'':18} {'':5} {'median':>10} {'median':>10} {'median':>10} {'medians':>8} {'ratio':>8}")
    x, y = data.subset()
    runs = [(name, MODELS / f"{FILES.get(name, name)}.onnx", x, y) for name in arguments.names]
    if arguments.mnist:
        folder, source = arguments.mnist
        mx, my = data.load(source / "t10k-images-idx3-ubyte.gz", source / "t10k-labels-idx1-ubyte.gz")
        runs += [(name, folder / f"{name}.onnx", mx, my) for name in ("mnist_base", "mnist_lmt")]
    n = arguments.samples
    violations = sum(attack(name, model, arguments.lipaudit, images[:n, None], labels[:n], arguments.deployed)
                     for name, model, images, labels in runs)
    sys.exit(1 if violations > 0 else 0)


if __name__ == "__main__":
    main()
