#!/usr/bin/env python3
"""Bounds of whole networks by multipliers, beside the product and beside peers, and what is wanted of them: one table.

    python multipliers.py LIPAUDIT --all [--folder OUT] [--seeds N]
    python multipliers.py LIPAUDIT [--digits] [--perceptrons] [--fixtures] [--residual] [--crown] [--attacks]
                          [--only WORD ...]

--digits       ten seeds each of 64-32-10 and 64-32-32-10 on scikit-learn's digits. Peers on the same networks:
               LipSDP-neuron [Fazlyab et al. 2019] by cvxpy and an interior-point solver, ECLipsE-Fast [Xu and
               Sivaranjani 2024] and LipLT [Fazlyab et al. 2023] by their formulas in numpy.
--perceptrons  the fixtures 784-256-256-10 and 784-256x4-10; the peer is LipSDP-neuron by descent in numpy until
               nothing more is gained, besides the two formulas.
--fixtures     every network of fixtures/models: each level's bound, the largest slope found, and the radii of the first
               100 images with multipliers beside those by the product alone (deployed exact, and float32), and beside
               the distances of DeepFool; and whether `check` finds the same radii.
--residual     a residual network of CIFAR's size with batch-norm, which resnet20.py makes.
--crown        the CNNs without regularisation: median radius of 40 images by CROWN [Zhang et al. 2018] with balls in
               L2, from auto_LiRPA (9 bisections up to 0.5), beside `lipaudit certify --deployed exact` and
               beside margin / (sqrt(2) L) of Lipschitz-margin training.
--attacks      attacks.py, DeepFool and PGD from outside, on 50 images of each fixture trained with PyTorch.

Ends with the figures that are wanted, what was found, and whether that holds; exit status 1 where one does not.
Needs numpy, onnx, scikit-learn (with threadpoolctl); for the peers cvxpy, clarabel, PyTorch and auto_LiRPA
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
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits

import peers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "fixtures" / "models"
sys.path.insert(0, str(ROOT / "fixtures" / "make"))
import data  # noqa: E402

LEVELS = [("LipLT", ("LipLT",)),
          ("layerwise", ("layerwise multipliers", "layerwise multipliers on a torus")),
          ("optimised", ("optimised multipliers", "optimised multipliers on a torus"))]
CNNS = ("fmnist_cnn_base", "fmnist_small_base_torchscript")  # the paper's network, trained plainly
LMT = ("fmnist_cnn_lmt", "fmnist_small_lmt_dynamo", "fmnist_small_lmt_torchscript")  # the same, with margins
ATTACKED = ("fmnist_cnn_base", "fmnist_cnn_lmt", "fmnist_mlp2_base", "fmnist_mlp4_base", "fmnist_small_base",
            "fmnist_small_lmt", "fmnist_wrn_base", "fmnist_wrn_lmt")
BESIDE_CROWN = ["--local"]  # further flags of `lipaudit certify` in the comparison with CROWN
PUBLISHED = {(32,): "LipSDP 0.73, ECLipsE-Fast 0.83, LipLT 0.86",
             (32, 32): "LipSDP 0.57, ECLipsE-Fast 0.72, LipLT 0.77"}  # means of bound / product on such networks


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
    """The report, and the seconds of the whole command."""
    began = time.time()
    out = subprocess.run([lipaudit, "audit", model, "--format", "json", "--quiet", *flags], check=True,
                         stdout=subprocess.PIPE)
    return json.loads(out.stdout), time.time() - began


def store(folder, model, x, y):
    """The flags for these samples, as `model` wants them."""
    entry = onnx.load(model, load_external_data=False).graph.input[0]
    shape = [d.dim_value for d in entry.type.tensor_type.shape.dim[1:]]
    np.save(folder / "x.npy", x.reshape(len(x), *shape))
    np.save(folder / "y.npy", y)
    return ["--data", folder / "x.npy", "--labels", folder / "y.npy"]


def certify(lipaudit, model, x, y, *flags):
    """The report of `lipaudit certify`, a column of its rows a name (radius, attack), and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        samples, began = store(folder, model, x, y), time.time()
        subprocess.run([lipaudit, "certify", model, *samples, "--quiet", "--per-sample", folder / "rows.csv",
                        "--format", "json", "-o", folder / "report.json", *flags], check=True)
        seconds = time.time() - began
        with (folder / "rows.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        report = json.loads((folder / "report.json").read_text())
    columns = {name: np.array([float(row[name] or "nan") for row in rows])
               for name in ("radius", "attack") if name in rows[0]}
    return report, columns, seconds


def gate(lipaudit, model, x, y, *flags):
    """The median radius that `lipaudit check` finds."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        out = subprocess.run([lipaudit, "check", model, *store(folder, model, x, y), "--quiet", "--min-radius", "0",
                              "--format", "json", *flags], check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)["gates"][0]["found"]


def perceptron(model):
    """The weights [out, in] of a chain of Gemm."""
    graph = onnx.load(model).graph
    constants = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    return [constants[node.input[1]] for node in graph.node if node.op_type == "Gemm"]


def train(x, y, hidden, seed, epochs):
    from sklearn.neural_network import MLPClassifier
    network = MLPClassifier(hidden, alpha=0, random_state=seed, max_iter=epochs, learning_rate_init=1e-3,
                            batch_size=50, n_iter_no_change=epochs)
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
        rows, name = [], "-".join(map(str, (64, *hidden, 10)))
        for seed in range(seeds):
            weights, biases, accuracy = train(x, y, hidden, seed, 100)
            path = folder / f"digits-{len(hidden)}-{seed}.onnx"
            export(weights, biases, path)
            report, seconds = audit(lipaudit, path)
            network, began = report["network"], time.time()
            upper, levels = network["lipschitz"]["upper"], [level_of(network, names) for _, names in LEVELS]
            weights = peers.narrow(weights)
            others = [peers.liplt(weights), peers.eclipse_fast(weights), peer(peers.lipsdp, weights) or np.nan]
            rows.append((network["product_upper"], levels[0], levels[1], upper, seconds, *others))
            print(f"{name:14} {seed:4} {accuracy:6.3f} {rows[-1][0]:9.4f} {levels[0]:9.4f} {levels[1]:9.4f} "
                  f"{upper:9.4f} {seconds:8.3f} | peers {others[0]:9.4f} {others[1]:9.4f} {others[2]:9.4f} "
                  f"{time.time() - began:8.2f} | {upper / others[2]:12.6f}", flush=True)
        p, t, f, u, s, *others = np.array(rows).T
        print(f"  means of bound / product over {seeds}: upper {np.mean(u / p):.3f}, layerwise {np.mean(f / p):.3f}, "
              f"LipLT {np.mean(t / p):.3f}; peers: LipSDP {np.mean(others[2] / p):.3f}, ECLipsE-Fast "
              f"{np.mean(others[1] / p):.3f}, LipLT {np.mean(others[0] / p):.3f}\n"
              f"  (published, on such networks: {PUBLISHED[hidden]})", flush=True)
        yield 1, f"{name}, {seeds} seeds: largest upper / LipSDP", np.max(u / others[2]), "<=", 1.01
        yield 1, f"{name}, {seeds} seeds: slowest, seconds", np.max(s), "<", 1


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
    print(f"\n{'perceptrons':20} {'upper':>9} {'seconds':>8} | peers {'LipLT':>9} {'ECLipsE-F':>9} {'LipSDP':>9} "
          f"{'last stage':>10} {'seconds':>8} | {'upper/LipSDP':>12}")
    for name in ("fmnist_mlp2_base", "fmnist_mlp4_base"):
        report, own = audit(lipaudit, MODELS / f"{name}.onnx")
        weights, began = peers.narrow(perceptron(MODELS / f"{name}.onnx")), time.time()
        best, gained = peers.lipsdp_by_descent(weights)
        seconds, upper = time.time() - began, report["network"]["lipschitz"]["upper"]
        print(f"{name:20} {upper:9.4f} {own:8.1f} | peers {peers.liplt(weights):9.4f} "
              f"{peers.eclipse_fast(weights):9.4f} {best:9.4f} {gained:10.2g} {seconds:8.1f} | {upper / best:12.6f}",
              flush=True)
        yield 2, f"{name}: upper / LipSDP", upper / best, "<=", 1.01


def fixtures(lipaudit, only):
    x, y = data.subset()
    x, y = x[:100], y[:100]
    print(f"\n{'network':30} {'product':>9} {'LipLT':>9} {'layerwise':>9} {'optimised':>9} {'found':>9} {'upper/':>7} "
          f"{'product/':>8} {'audit':>7} | radius: {'median':>9} {'product':>9} {'least ratio':>11} {'and in':>7} "
          f"{'attack/':>8}\n"
          f"{'':70} {'slope':>9} {'found':>7} {'upper':>8} {'seconds':>7} |         {'':>9} {'alone':>9} {'':>11} "
          f"{'float32':>7} {'radius':>8}")
    for model in sorted(MODELS.glob("*.onnx")):
        if only and not any(word in model.stem for word in only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            report, seconds = audit(lipaudit, model, *store(pathlib.Path(folder), model, x, y)[:2])
        network = report["network"]
        upper, found = network["lipschitz"]["upper"], network["lower_estimate"] or np.nan
        levels, product = [level_of(network, names) for _, names in LEVELS], network["product_upper"]
        least, runs = {}, {}
        for deployed, attack in (("float32", []), ("exact", ["--attack", "deepfool"])):
            runs = {name: certify(lipaudit, model, x, y, "--deployed", deployed, *flags)
                    for name, flags in (("alone", ["--effort", "0"]), ("tighter", attack))}
            alone, radius = (runs[name][1]["radius"] for name in ("alone", "tighter"))
            least[deployed] = (radius[alone > 0] / alone[alone > 0]).min(initial=np.inf)
        medians = {name: run[0]["certification"]["radius"]["median"] for name, run in runs.items()}
        distance = runs["tighter"][1]["attack"]
        hit = (radius > 0) & np.isfinite(distance)
        nearest = (distance[hit] / radius[hit]).min(initial=np.inf)
        print(f"{model.stem:30} {product:9.6g} {levels[0]:9.6g} {levels[1]:9.6g} {levels[2]:9.6g} "
              f"{found:9.6g} {upper / found:7.4f} {product / upper:8.3f} {seconds:7.1f} |         "
              f"{medians['tighter']:9.4g} {medians['alone']:9.4g} {least['exact']:11.4f} {least['float32']:7.4f} "
              f"{nearest:8.2f}", flush=True)
        if model.stem == "fmnist_mlp2_base":
            yield 2, f"{model.stem}: upper / found", upper / found, "<=", 1.2
            median = gate(lipaudit, model, x, y, "--deployed", "exact")
            yield 4, f"{model.stem}: median radius by check / by certify", median / medians["tighter"], "==", 1
        elif model.stem == "fmnist_mlp4_base":
            yield 2, f"{model.stem}: upper / found", upper / found, "", None
        elif model.stem in CNNS:
            yield 2, f"{model.stem}: upper / found", upper / found, "<=", 1.5
            yield 2, f"{model.stem}: seconds", seconds, "<", 30
        elif model.stem in LMT:
            yield 2, f"{model.stem}: upper / found", upper / found, "<=", 1.01
        if "lmt" in model.stem:
            yield 2, f"{model.stem}: upper / product", upper / product, "<=", 1
        if "keras" in model.stem:
            yield 3, f"{model.stem}: upper / product", upper / product, "<", 1
        yield 4, f"{model.stem}: least radius / by the product", min(least.values()), ">=", 1
        yield 4, f"{model.stem}: least attack / radius", nearest, ">=", 1


def residual(lipaudit, folder):
    """A residual network with batch-norm: made once, audited in a cap of 4 GB."""
    import torch  # noqa: F401
    path = folder / "resnet20.onnx"
    if not path.exists():
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("resnet20.py"), path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report, seconds = audit(lipaudit, path, "--max-memory", "4G")
    network = report["network"]
    upper, product = network["lipschitz"]["upper"], network["product_upper"]
    print(f"\nresnet20, batch-norm, 32x32: product {product:.6g}, upper {upper:.6g}, {seconds:.1f} s, "
          f"{report['peak_memory_bytes'] / 2**30:.2f} GiB", flush=True)
    return [(3, "resnet20: upper / product", upper / product, "<", 1), (3, "resnet20: seconds", seconds, "<", 120)]


def crown(lipaudit, count=40):
    import torch
    from networks import NETWORKS
    torch.set_num_threads(1)
    images, labels = data.subset()
    print(f"\n{'medians of radii':30} {'samples':>7} {'paper rule':>10} {'lipaudit':>9} {'seconds':>8} {'CROWN':>9} "
          f"{'s/sample':>8} {'lipaudit/rule':>13} {'lipaudit/CROWN':>14}")
    for name in CNNS:
        model = MODELS / f"{name}.onnx"
        network = NETWORKS["small"]().eval()
        network.load_state_dict({t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
                                 for t in onnx.load(model).graph.initializer})
        with torch.no_grad():
            logits = network(torch.from_numpy(images)[:, None]).numpy()
        right = np.nonzero(logits.argmax(1) == labels)[0][:count]
        x, y, logits = images[right], labels[right], np.sort(logits[right], axis=1)
        report, columns, own = certify(lipaudit, model, x, y, "--deployed", "exact", *BESIDE_CROWN)
        rule = np.median(logits[:, -1] - logits[:, -2]) / np.sqrt(2) / report["network"]["product_upper"]
        median = np.median(columns["radius"])
        radii, seconds = peer(peers.crown_radii, network, torch.from_numpy(x)[:, None], torch.from_numpy(y)) or (
            [np.nan], np.nan)
        print(f"{name:30} {len(x):7} {rule:10.4f} {median:9.4f} {own:8.1f} {np.median(radii):9.4f} {seconds:8.2f} "
              f"{median / rule:13.2f} {median / np.median(radii):14.2f}", flush=True)
        yield 2, f"{name}: median radius / paper's rule", median / rule, ">=", 3.8
        yield 2, f"{name}: median radius / CROWN's, {len(x)} samples", median / np.median(radii), ">=", 1.1


def attacks(lipaudit):
    import torch  # noqa: F401
    print("", flush=True)
    status = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("attacks.py"), lipaudit, *ATTACKED,
                             "--samples", "50"]).returncode
    return [(4, "attacks.py: exit status", status, "==", 0)]


HOLDS = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b}


def conclude(figures):
    """The table of what is wanted; whether all of it holds."""
    print(f"\n  {'':62} {'found':>10} {'wanted':>8}")
    failed = 0
    for line, what, found, relation, wanted in sorted(figures, key=lambda figure: figure[0]):
        answer = "reported" if not relation else "not measured" if np.isnan(found) else (
            "yes" if HOLDS[relation](found, wanted) else "no")
        failed += answer == "no"
        print(f"{line} {what:62} {found:10.6g} {relation:>3}{'' if wanted is None else wanted:>5}  {answer}")
    return not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lipaudit")
    parts = ("digits", "perceptrons", "fixtures", "residual", "crown", "attacks")
    for name in (*parts, "all"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="words: only fixtures whose names hold one of them")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--folder", help="where networks are kept (default: a temporary folder)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = [name for name in parts if getattr(arguments, name)]
    began, lipaudit = time.time(), arguments.lipaudit
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):  # threads do not pay in matrices so small
        folder = pathlib.Path(arguments.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        runs = {"digits": lambda: digits(lipaudit, folder, arguments.seeds),
                "perceptrons": lambda: perceptrons(lipaudit),
                "fixtures": lambda: fixtures(lipaudit, arguments.only),
                "residual": lambda: residual(lipaudit, folder),
                "crown": lambda: crown(lipaudit),
                "attacks": lambda: attacks(lipaudit)}
        figures = []
        for name in parts if arguments.all or not wanted else wanted:
            try:
                peer(lambda: figures.extend(runs[name]()))
            except subprocess.CalledProcessError as error:
                print(f"  {error}")
                figures.append((4, f"--{name}: exit status of a command", error.returncode, "==", 0))
    holds = conclude(figures)
    print(f"Took {(time.time() - began) / 60:.1f} minutes.")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
