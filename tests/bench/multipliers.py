#!/usr/bin/env python3
"""Bounds of whole networks by multipliers, beside the product and beside peers, in one table.

    python multipliers.py LIPAUDIT --all [--folder OUT] [--seeds N]
    python multipliers.py LIPAUDIT [--digits] [--fixtures] [--perceptrons] [--crown] [--only NAME ...]

--digits       ten seeds each of 64-32-10 and 64-32-32-10 on scikit-learn's digits. Peers on the same networks:
               LipSDP-neuron [Fazlyab et al. 2019] by cvxpy and an interior-point solver, ECLipsE-Fast [Xu and
               Sivaranjani 2024] and LipLT [Fazlyab et al. 2023] by their formulas in numpy. Published means of upper /
               product on such networks: LipSDP 0.73 and 0.57, ECLipsE-Fast 0.83 and 0.72, LipLT 0.86 and 0.77.
--perceptrons  the fixtures 784-256-256-10 and 784-256x4-10; the peer is LipSDP-neuron by descent in numpy until
               nothing more is gained, besides the two formulas.
--fixtures     every network of fixtures/models: each level's bound, the largest slope found, and the radii of the
               first 200 images with multipliers beside those by the product alone (`--deployed exact`).
--crown        the CNNs without regularisation: median radius of 40 images by CROWN [Zhang et al. 2018] with balls in
               L2, from auto_LiRPA (9 bisections up to 0.5), beside `lipaudit certify --deployed exact` and
               beside margin / (sqrt(2) L) of Lipschitz-margin training.

Needs numpy, onnx, scikit-learn; for the peers cvxpy, clarabel, PyTorch and auto_LiRPA
(`pip install --no-deps auto-lirpa==0.3`, and appdirs); a peer that is not installed is told as such.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import types
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "fixtures" / "models"
sys.path.insert(0, str(ROOT / "fixtures" / "make"))
import data  # noqa: E402

LEVELS = [("LipLT", ("LipLT",)),
          ("layerwise", ("layerwise multipliers", "layerwise multipliers on a torus")),
          ("optimised", ("optimised multipliers", "searched multipliers on a torus"))]


def export(weights, biases, path):
    """A chain of Gemm and Relu; weights [out, in]."""
    nodes, initializers, value = [], [], "x"
    for k, (w, b) in enumerate(zip(weights, biases)):
        initializers += [numpy_helper.from_array(w.astype(np.float32), f"w{k}"),
                         numpy_helper.from_array(b.astype(np.float32), f"b{k}")]
        last = k + 1 == len(weights)
        nodes.append(helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], ["y" if last else f"z{k}"],
                                      name=f"fc{k}", transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [f"z{k}"], [f"h{k}"], name=f"relu{k}"))
        value = f"h{k}"
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "mlp", [tensor("x", TensorProto.FLOAT, [1, weights[0].shape[1]])],
                              [tensor("y", TensorProto.FLOAT, [1, weights[-1].shape[0]])], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def audit(lipaudit, model, *flags):
    """The report's network and the seconds its levels took."""
    out = subprocess.run([lipaudit, "audit", model, "--format", "json", "--quiet", *flags], check=True,
                         stdout=subprocess.PIPE)
    network = json.loads(out.stdout)["network"]
    return network, sum(level["seconds"] for level in network["levels"])


def certify(lipaudit, model, x, y, *flags):
    """The report and the radii of `lipaudit certify --deployed exact`, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        entry = onnx.load(model, load_external_data=False).graph.input[0]
        shape = [d.dim_value for d in entry.type.tensor_type.shape.dim[1:]]
        np.save(folder / "x.npy", x.reshape(len(x), *shape))
        np.save(folder / "y.npy", y)
        began = time.time()
        subprocess.run([lipaudit, "certify", model, "--data", folder / "x.npy", "--labels", folder / "y.npy", "--quiet",
                        "--deployed", "exact", "--per-sample", folder / "rows.csv", "--format", "json", "-o",
                        folder / "report.json", *flags], check=True)
        seconds = time.time() - began
        rows = list(csv.DictReader((folder / "rows.csv").open(newline="")))
        report = json.loads((folder / "report.json").read_text())
    return report, np.array([float(row["radius"]) for row in rows]), seconds


def perceptron(model):
    """The weights [out, in] of a chain of Gemm."""
    graph = onnx.load(model).graph
    constants = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    return [constants[node.input[1]] for node in graph.node if node.op_type == "Gemm"]


def liplt(weights):
    """LipLT's recursion for slopes in [0, 1]."""
    reach = []
    for k in range(len(weights)):
        product, bound = weights[k], 0.0
        for j in range(k - 1, -1, -1):
            bound += 2.0 ** -(k - j) * np.linalg.norm(product, 2) * reach[j]
            product = product @ weights[j]
        reach.append(bound + 2.0 ** -k * np.linalg.norm(product, 2))
    return reach[-1]


def eclipse_fast(weights):
    x = np.eye(weights[0].shape[1])
    for w in weights[:-1]:
        y = w @ np.linalg.solve(x, w.T)
        t = 1 / np.linalg.eigvalsh(y)[-1]
        x = 2 * t * np.eye(len(w)) - t * t * y
    return float(np.sqrt(np.linalg.eigvalsh(weights[-1] @ np.linalg.solve(x, weights[-1].T))[-1]))


def lipsdp_value(weights, logs, power):
    """log of the p-norm of the squared gains for multipliers exp(logs), its gradient, and the bound; inf: not one."""
    ts = [np.exp(t) for t in logs]
    factors, x = [], np.eye(weights[0].shape[1])
    for w, t in zip(weights[:-1], ts):
        factors.append(np.linalg.inv(x))
        tw = t[:, None] * w
        x = 2 * np.diag(t) - tw @ factors[-1] @ tw.T
        if np.linalg.eigvalsh(x)[0] <= 0:
            return np.inf, None, np.inf
    last = np.linalg.inv(x)
    gains, vectors = np.linalg.eigh(weights[-1] @ last @ weights[-1].T)
    top = gains[-1]
    share = (np.maximum(gains, 0) / top) ** power
    value = np.log(top) + np.log(share.sum()) / power
    slope = share / np.maximum(gains, 1e-300) / share.sum()
    a, gradient = last @ weights[-1].T @ vectors, []
    for w, t, factor in zip(weights[-2::-1], ts[::-1], factors[::-1]):
        below = factor @ w.T @ (t[:, None] * a)
        gradient.insert(0, t * ((2 * a * (w @ below - a)) @ slope))
        a = below
    return value, gradient, float(np.sqrt(top))


def lipsdp_by_descent(weights, steps=120, memory=30):
    """LipSDP-neuron's optimum: L-BFGS with backtracking on the logarithms, the p-norm's power raised in stages.
    Returns the best bound, and what the last stage gained."""
    x, logs = np.eye(weights[0].shape[1]), []
    for w in weights[:-1]:
        y = w @ np.linalg.solve(x, w.T)
        t = 1 / np.linalg.eigvalsh(y)[-1]
        logs.append(np.full(len(w), np.log(t)))
        x = 2 * t * np.eye(len(w)) - t * t * y
    ends = np.cumsum([len(t) for t in logs])[:-1]
    point, best, gained = np.concatenate(logs), np.inf, 0.0
    for power in (12, 60, 300, 300):
        before, pairs = best, []
        value, gradient, bound = lipsdp_value(weights, np.split(point, ends), power)
        gradient = np.concatenate(gradient)
        for _ in range(steps):
            best = min(best, bound)
            step, marks = gradient.copy(), []
            for s, d in reversed(pairs):
                marks.append((s @ step) / (s @ d))
                step -= marks[-1] * d
            s, d = pairs[-1] if pairs else (gradient, gradient * np.abs(gradient).max() / 0.1)
            step *= (s @ d) / (d @ d)
            for (s, d), mark in zip(pairs, reversed(marks)):
                step += (mark - (d @ step) / (s @ d)) * s
            length, new = 1.0, np.inf
            while length > 1e-10 and not new < value - 1e-4 * length * (step @ gradient):
                new, slopes, found = lipsdp_value(weights, np.split(point - length * step, ends), power)
                length /= 2
            if length <= 1e-10:
                break
            moved, slopes = -2 * length * step, np.concatenate(slopes)
            if moved @ (slopes - gradient) > 0:
                pairs = (pairs + [(moved, slopes - gradient)])[-memory:]
            point, value, gradient, bound = point + moved, new, slopes, found
        best, gained = min(best, bound), before - best
    return best, gained


def lipsdp(weights):
    """The optimum of LipSDP-neuron, sqrt(rho), by cvxpy."""
    import cvxpy
    hidden = [w.shape[0] for w in weights[:-1]]
    sizes = [weights[0].shape[1], *hidden]
    ts = [cvxpy.Variable(n, nonneg=True) for n in hidden]
    rho = cvxpy.Variable()
    blocks = [[np.zeros((m, n)) for n in sizes] for m in sizes]
    blocks[0][0] = rho * np.eye(sizes[0])
    for k, t in enumerate(ts):
        blocks[k + 1][k + 1] = 2 * cvxpy.diag(t)
        blocks[k + 1][k] = -cvxpy.diag(t) @ weights[k]
        blocks[k][k + 1] = blocks[k + 1][k].T
    blocks[-1][-1] = blocks[-1][-1] - weights[-1].T @ weights[-1]
    matrix = cvxpy.bmat(blocks)
    problem = cvxpy.Problem(cvxpy.Minimize(rho), [(matrix + matrix.T) / 2 >> 0])
    problem.solve(solver=cvxpy.CLARABEL)
    return float(np.sqrt(rho.value))


def train(x, y, hidden, seed, epochs):
    from sklearn.neural_network import MLPClassifier
    network = MLPClassifier(hidden, alpha=0, random_state=seed, max_iter=epochs, learning_rate_init=1e-3,
                            batch_size=50, n_iter_no_change=epochs)
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(x, y)
    weights = [w.T.astype(np.float32).astype(np.float64) for w in network.coefs_]
    return weights, network.intercepts_, network.score(x, y)


def digits(lipaudit, folder, seeds):
    from sklearn.datasets import load_digits
    digit = load_digits()
    x, y = digit.data / 16, digit.target
    print(f"{'digits':14} {'seed':>4} {'acc.':>6} {'product':>9} {'LipLT':>9} {'layerwise':>9} {'upper':>9} "
          f"{'seconds':>8} | peers {'LipLT':>9} {'ECLipsE-F':>9} {'LipSDP':>9} {'seconds':>8} | {'upper/LipSDP':>12}")
    for hidden in ((32,), (32, 32)):
        rows = []
        for seed in range(seeds):
            weights, biases, accuracy = train(x, y, hidden, seed, 100)
            path = folder / f"digits-{len(hidden)}-{seed}.onnx"
            export(weights, biases, path)
            network, seconds = audit(lipaudit, path)
            upper, product = network["lipschitz"]["upper"], network["product_upper"]
            levels = [level_of(network, names) for _, names in LEVELS]
            began = time.time()
            peers = [liplt(weights), eclipse_fast(weights), peer(lipsdp, weights) or np.nan]
            rows.append((product, levels[0], levels[1], upper, seconds, *peers))
            name = "-".join(map(str, (64, *hidden, 10)))
            print(f"{name:14} {seed:4} {accuracy:6.3f} {product:9.4f} {levels[0]:9.4f} {levels[1]:9.4f} {upper:9.4f} "
                  f"{seconds:8.3f} | peers {peers[0]:9.4f} {peers[1]:9.4f} {peers[2]:9.4f} {time.time() - began:8.2f} "
                  f"| {upper / peers[2]:12.6f}", flush=True)
        p, t, f, u, s, *peers = np.array(rows).T
        print(f"  means of bound / product over {seeds}: upper {np.mean(u / p):.3f}, layerwise {np.mean(f / p):.3f}, "
              f"LipLT {np.mean(t / p):.3f}; peers: LipSDP {np.mean(peers[2] / p):.3f}, ECLipsE-Fast "
              f"{np.mean(peers[1] / p):.3f}, LipLT {np.mean(peers[0] / p):.3f}\n"
              f"  upper / LipSDP at most {np.max(u / peers[2]):.5f} and at least "
              f"{np.min(u / peers[2]):.7f}; slowest {np.max(s):.2f} s", flush=True)


def peer(run, *arguments):
    """What a peer gives; None, with a line, where it is not installed."""
    try:
        return run(*arguments)
    except ImportError as error:
        print(f"  (not installed: {error.name})")
        return None


def level_of(network, names):
    return next((level["upper"] for level in network["levels"] if level["method"] in names), np.nan)


def perceptrons(lipaudit):
    print(f"\n{'perceptrons':20} {'upper':>9} | peers {'LipLT':>9} {'ECLipsE-F':>9} {'LipSDP':>9} {'last stage':>10} "
          f"{'seconds':>8} | {'upper/LipSDP':>12}")
    for name in ("fmnist_mlp2_base", "fmnist_mlp4_base"):
        network, _ = audit(lipaudit, MODELS / f"{name}.onnx")
        weights, began = perceptron(MODELS / f"{name}.onnx"), time.time()
        best, gained = lipsdp_by_descent(weights)
        seconds, upper = time.time() - began, network["lipschitz"]["upper"]
        print(f"{name:20} {upper:9.4f} | peers {liplt(weights):9.4f} {eclipse_fast(weights):9.4f} {best:9.4f} "
              f"{gained:10.2g} {seconds:8.1f} | {upper / best:12.6f}", flush=True)


def fixtures(lipaudit, only):
    x, y = data.subset()
    x, y = x[:200], y[:200]
    print(f"\n{'network':30} {'product':>9} {'LipLT':>9} {'layerwise':>9} {'optimised':>9} {'found':>9} {'upper/':>7} "
          f"{'product/':>8} {'bounds':>7} | radius: {'median':>9} {'product':>9} {'least ratio':>11}\n"
          f"{'':70} {'slope':>9} {'found':>7} {'upper':>8} {'seconds':>7} |         {'':>9} {'alone':>9}")
    for model in sorted(MODELS.glob("*.onnx")):
        if only and not any(word in model.stem for word in only):
            continue
        _, alone, _ = certify(lipaudit, model, x, y, "--effort", "0")
        report, radius, _ = certify(lipaudit, model, x, y)
        network = report["network"]
        upper, found = network["lipschitz"]["upper"], network["lower_estimate"] or np.nan
        levels = [level_of(network, names) for _, names in LEVELS]
        least = (radius[alone > 0] / alone[alone > 0]).min()
        assert (radius > 0).sum() >= (alone > 0).sum()
        print(f"{model.stem:30} {network['product_upper']:9.6g} {levels[0]:9.6g} {levels[1]:9.6g} {levels[2]:9.6g} "
              f"{found:9.6g} {upper / found:7.3f} {network['product_upper'] / upper:8.3f} "
              f"{sum(level['seconds'] for level in network['levels']):7.1f} |         {np.median(radius):9.4g} "
              f"{np.median(alone):9.4g} {least:11.4f}", flush=True)


def auto_lirpa():
    """auto_LiRPA 0.3, with the names that numpy and PyTorch had at its time."""
    import torch
    import torch.onnx.symbolic_helper
    sys.modules.setdefault("numpy.lib.arraysetops", types.SimpleNamespace(isin=np.isin))
    if not hasattr(torch.onnx.symbolic_helper, "_set_opset_version"):
        from torch.onnx._internal.torchscript_exporter._globals import GLOBALS
        torch.onnx.symbolic_helper._set_opset_version = lambda v: setattr(GLOBALS, "export_onnx_opset_version", v)
    torch._C.Node.__getitem__ = lambda node, key: getattr(node, node.kindOf(key))(key)
    import auto_LiRPA
    return auto_LiRPA


def crown_radii(network, x, y, rounds=9, most=0.5):
    """Radii by CROWN, backward, for the margins over all other classes; and CPU seconds a sample."""
    import torch
    lirpa = auto_lirpa()
    bounded = lirpa.BoundedModule(network, torch.zeros(1, *x.shape[1:]), bound_opts={"verbosity": 0})
    radii, began = [], time.process_time()
    for image, label in zip(x, y):
        margins = torch.eye(10)[label] - torch.eye(10)[[j for j in range(10) if j != int(label)]]
        low, high = 0.0, most
        for _ in range(rounds):
            eps = (low + high) / 2
            ball = lirpa.BoundedTensor(image[None], lirpa.PerturbationLpNorm(norm=2, eps=eps))
            lower, _ = bounded.compute_bounds(x=(ball,), C=margins[None], method="CROWN", bound_upper=False)
            low, high = (eps, high) if bool((lower > 0).all()) else (low, eps)
        radii.append(low)
    return np.array(radii), (time.process_time() - began) / len(x)


def crown(lipaudit, count=40):
    import torch
    from networks import NETWORKS
    torch.set_num_threads(1)
    images, labels = data.subset()
    print(f"\n{'medians of radii':30} {'samples':>7} {'paper rule':>10} {'lipaudit':>9} {'CROWN':>9} {'CROWN s':>8} "
          f"{'lipaudit/rule':>13} {'lipaudit/CROWN':>14}")
    for name in ("fmnist_cnn_base", "fmnist_small_base_torchscript"):
        model = MODELS / f"{name}.onnx"
        network = NETWORKS["small"]().eval()
        network.load_state_dict({t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
                                 for t in onnx.load(model).graph.initializer})
        with torch.no_grad():
            logits = network(torch.from_numpy(images)[:, None]).numpy()
        right = np.nonzero(logits.argmax(1) == labels)[0][:count]
        x, y, logits = images[right], labels[right], np.sort(logits[right], axis=1)
        report, radius, _ = certify(lipaudit, model, x, y)
        rule = np.median(logits[:, -1] - logits[:, -2]) / np.sqrt(2) / report["network"]["product_upper"]
        radii, seconds = crown_radii(network, torch.from_numpy(x)[:, None], torch.from_numpy(y))
        print(f"{name:30} {len(x):7} {rule:10.4f} {np.median(radius):9.4f} {np.median(radii):9.4f} {seconds:8.2f} "
              f"{np.median(radius) / rule:13.2f} {np.median(radius) / np.median(radii):14.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lipaudit")
    parts = ("digits", "perceptrons", "fixtures", "crown")
    for name in (*parts, "all"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="words: only fixtures whose names hold one of them")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--folder", help="where networks are kept (default: a temporary folder)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = [name for name in parts if getattr(arguments, name)] or list(parts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in parts if arguments.all else wanted:
            {"digits": lambda: digits(arguments.lipaudit, folder, arguments.seeds),
             "perceptrons": lambda: perceptrons(arguments.lipaudit),
             "fixtures": lambda: fixtures(arguments.lipaudit, arguments.only),
             "crown": lambda: peer(crown, arguments.lipaudit)}[name]()


if __name__ == "__main__":
    main()
