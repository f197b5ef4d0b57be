#!/usr/bin/env python3
"""Bounds of whole networks by multipliers, beside the product and beside peers.

    python multipliers.py LIPAUDIT [--digits] [--fixtures] [--mlp] [--seeds N] [--folder OUT]

--digits    ten seeds each of 64-32-10 and 64-32-32-10 on scikit-learn's digits; the peer is LipSDP-neuron
            [Fazlyab et al. 2019] by cvxpy and an interior-point solver on the same networks. Published means of
            upper / product on such networks: LipSDP 0.73 and 0.57, ECLipsE-Fast 0.83 and 0.72, LipLT 0.86 and 0.77.
--mlp       784-256-256-10 and 784-256x4-10 on Fashion-MNIST (Debian's dataset-fashion-mnist), unregularised.
--fixtures  every network of fixtures/models.

Needs numpy, onnx, scikit-learn; for the peer cvxpy and clarabel.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


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


def proved_by(network, method):
    """What one level proves on its own; NaN where it was left out."""
    return next((level["own_upper"] for level in network["levels"] if level["method"] == method), float("nan"))


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
    data = load_digits()
    x, y = data.data / 16, data.target
    print(f"{'digits':14} {'seed':>4} {'acc.':>6} {'product':>9} {'LipLT':>9} {'layerwise':>9} {'upper':>9} "
          f"{'LipSDP':>9} {'upper/LipSDP':>12} {'upper/product':>13} {'seconds':>8} {'LipSDP s':>8}")
    for hidden in ((32,), (32, 32)):
        rows = []
        for seed in range(seeds):
            weights, biases, accuracy = train(x, y, hidden, seed, 100)
            path = folder / f"digits-{len(hidden)}-{seed}.onnx"
            export(weights, biases, path)
            network, seconds = audit(lipaudit, path)
            upper, product = network["lipschitz"]["upper"], network["product_upper"]
            began = time.time()
            peer = lipsdp(weights)
            liplt, layerwise = proved_by(network, "LipLT"), proved_by(network, "layerwise multipliers")
            rows.append((product, liplt, layerwise, upper, peer, seconds))
            name = "-".join(map(str, (64, *hidden, 10)))
            print(f"{name:14} {seed:4} {accuracy:6.3f} {product:9.4f} {liplt:9.4f} {layerwise:9.4f} {upper:9.4f} "
                  f"{peer:9.4f} {upper / peer:12.6f} {upper / product:13.4f} {seconds:8.3f} "
                  f"{time.time() - began:8.2f}", flush=True)
        p, l, f, u, s, t = np.array(rows).T
        print(f"  means over {seeds}: upper / product {np.mean(u / p):.3f}, LipLT / product {np.mean(l / p):.3f}, "
              f"ECLipsE-Fast / product {np.mean(f / p):.3f}, "
              f"upper / LipSDP at most {np.max(u / s):.5f} and at least {np.min(u / s):.7f}, "
              f"slowest {np.max(t):.2f} s", flush=True)


def report(lipaudit, name, path, *flags):
    began = time.time()
    network, _ = audit(lipaudit, path, *flags)
    upper, found = network["lipschitz"]["upper"], network["lower_estimate"]
    levels = ", ".join(f"{level['method']} {level['upper']:.6g} ({level['seconds']:.1f} s)"
                       for level in network["levels"])
    ratio = f"{upper / found:.3f}" if found else "-"
    print(f"{name:34} product {network['product_upper']:.6g}, upper {upper:.6g}, product / upper "
          f"{network['product_upper'] / upper:.3f}, upper / largest slope found {ratio}, {time.time() - began:.1f} s\n"
          f"    {levels or network['levels_reason']}", flush=True)


def fashion(lipaudit, folder):
    sys.path.insert(0, str(ROOT / "fixtures" / "make"))
    import data
    x, y = data.train_set()
    x = x.reshape(len(x), -1)
    for hidden in ((256, 256), (256,) * 4):
        path = folder / f"fashion-{len(hidden)}.onnx"
        if not path.exists():
            weights, biases, accuracy = train(x, y, hidden, 1, 10)
            print(f"784-{'-'.join(map(str, hidden))}-10: accuracy on its training set {accuracy:.3f}")
            export(weights, biases, path)
        report(lipaudit, path.stem, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lipaudit")
    for name in ("digits", "fixtures", "mlp"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--folder", help="where networks are kept (default: a temporary folder)")
    arguments = parser.parse_args()
    everything = not (arguments.digits or arguments.fixtures or arguments.mlp)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.digits or everything:
            digits(arguments.lipaudit, folder, arguments.seeds)
        if arguments.mlp or everything:
            fashion(arguments.lipaudit, folder)
        for model in sorted((ROOT / "fixtures" / "models").glob("*.onnx")) if arguments.fixtures or everything else []:
            report(arguments.lipaudit, model.stem, model)


if __name__ == "__main__":
    main()
