"""Writes the committed data files: 3 samples of 2x2x3 (channels last), in numpy's own hand.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

import numpy as np

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "written")
x = (np.arange(36).reshape(3, 2, 2, 3) - 7) / 4
y = np.array([2, 0, 1])
for kind in ["?", "u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
    name = kind.replace("<", "little_").replace(">", "big_").replace("?", "bool")
    values = x > 0 if kind == "?" else np.abs(x) * 4 if "u" in kind else x * 4 if "i" in kind else x
    np.save(os.path.join(folder, name + ".npy"), values.astype(kind))
np.save(os.path.join(folder, "fortran.npy"), np.asfortranarray(x.astype("<f4")))
for version in [(2, 0), (3, 0)]:
    with open(os.path.join(folder, f"version{version[0]}.npy"), "wb") as file:
        np.lib.format.write_array(file, x, version=version)
np.savez(os.path.join(folder, "stored.npz"), x=x, y=y)
np.savez_compressed(os.path.join(folder, "deflated.npz"), other=x, labels=np.eye(3, dtype="f4")[y])
np.savez_compressed(os.path.join(folder, "fortran.npz"), np.asfortranarray(x))
np.savez(os.path.join(folder, "several.npz"), a=x, b=x, c=y)
np.savez(os.path.join(folder, "two_labels.npz"), x=x, y=y, label=y)
np.savez(os.path.join(folder, "only_labels.npz"), y=y)
np.save(os.path.join(folder, "objects.npy"), np.array([{}, []], dtype=object), allow_pickle=True)
np.save(os.path.join(folder, "records.npy"), np.zeros(3, dtype=[("a", "f4"), ("b", "i2")]))
np.savetxt(os.path.join(folder, "savetxt.csv"), np.concatenate([y[:, None], x.reshape(3, -1)], 1), delimiter=",",
           header="label and pixels")
sys.exit(0)
