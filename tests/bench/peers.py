#!/usr/bin/env python3
"""Peers of `lipaudit audit` and `lipaudit certify`, for multipliers.py.

Bounds of chains of matrices [out, in] and ReLU: LipLT [Fazlyab et al. 2023], ECLipsE-Fast [Xu and Sivaranjani 2024],
LipSDP-neuron [Fazlyab et al. 2019] by descent and by an interior-point solver. Radii by CROWN [Zhang et al. 2018].
Needs numpy; cvxpy with clarabel, PyTorch and auto_LiRPA are imported where they are used.

SPDX-License-Identifier: Apache-2.0
"""
import sys
import time
import types

import numpy as np


def narrow(weights):
    """The same bounds from smaller matrices: the first has more inputs than rows, and counts only through W W'."""
    first = weights[0]
    return [np.linalg.qr(first.T, "r").T, *weights[1:]] if first.shape[1] > first.shape[0] else list(weights)


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
