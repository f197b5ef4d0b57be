#!/usr/bin/env python3
"""make.py: the small files of tests/refusals/files. make_large.c makes the large ones when the test runs.

Needs the onnx package (fixtures/make/requirements.txt).
SPDX-License-Identifier: Apache-2.0
"""
import gzip
import pathlib

import numpy as np
from onnx import StringStringEntryProto, TensorProto, helper, numpy_helper

FILES = pathlib.Path(__file__).parent / "files"
FLOAT = TensorProto.FLOAT


def value(name, shape=(1, 3), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weight(array=None):
    return numpy_helper.from_array(np.ones((3, 4), np.float32) if array is None else array, "w")


def model(nodes=None, constants=None, inputs=None, outputs=("y",)):
    """x (1x3) -> MatMul 'first' with w (3x4) -> Relu 'second' -> y"""
    nodes = nodes or [helper.make_node("MatMul", ["x", "w"], ["h"], "first"),
                      helper.make_node("Relu", ["h"], ["y"], "second")]
    graph = helper.make_graph(nodes, "g", inputs or [value("x")], [value(o, None) for o in outputs],
                              [weight()] if constants is None else constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def changed(change):
    made = model()
    change(made.graph.initializer[0])
    return made


def dims(*sizes):
    def change(tensor):
        del tensor.dims[:]
        tensor.dims.extend(sizes)
    return changed(change)


def external(location, offset=None, length=None):
    def change(tensor):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, content in (("location", location), ("offset", offset), ("length", length)):
            if content is not None:
                tensor.external_data.append(StringStringEntryProto(key=key, value=str(content)))
    return changed(change)


def holding(number):
    array = np.zeros((3, 4), np.float32)
    array[1, 3] = number
    return model(constants=[weight(array)])


def node(op, inputs, outputs, name, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name, **attributes)


def twice_given():
    made = model([node("Softmax", "x", "h", "soft", axis=1), node("Relu", "h", "y", "second")], [])
    made.graph.node[0].attribute.append(made.graph.node[0].attribute[0])
    return made


def expanding():
    shape = numpy_helper.from_array(np.array([1 << 20, 1 << 12], np.int64), "shape")
    return model([node("ConstantOfShape", "shape", "z", "fill"), node("Add", "x z", "y", "add")], [shape],
                 [value("x", (1,))])


def main():
    plain = model().SerializeToString()
    models = {
        "cycle": model([node("Add", "x c", "a", "one"), node("Relu", "a", "c", "two"), node("Relu", "c", "y", "three")],
                       []),
        "dangling_input": model([node("Add", "x nowhere", "y", "first")], []),
        "dangling_output": model(outputs=("y", "z")),
        "two_writers": model([node("Relu", "x", "h", "first"), node("Tanh", "x", "h", "second"),
                              node("Relu", "h", "y", "third")], []),
        "initializer_twice": model(constants=[weight(), weight()]),
        "input_twice": model(inputs=[value("x"), value("x")]),
        "attribute_twice": twice_given(),
        "attribute_of_another_kind": model([node("Softmax", "x", "h", "soft", axis="last"),
                                            node("Relu", "h", "y", "second")], []),
        "short_raw_data": changed(lambda w: setattr(w, "raw_data", w.raw_data[:44])),
        "long_raw_data": changed(lambda w: setattr(w, "raw_data", w.raw_data * 2)),
        "no_data": changed(lambda w: w.ClearField("raw_data")),
        "wrong_dimensions": dims(4, 4),
        "negative_dimension": dims(3, -4),
        "overflowing_dimensions": dims(1 << 40, 1 << 40),
        "overflowing_bytes": dims(1 << 61, 1),
        "weight_without_elements": model(constants=[weight(np.zeros((3, 0), np.float32))]),
        "nan_weight": holding(np.nan),
        "infinite_weight": holding(-np.inf),
        "float_input_double_weights": model(constants=[weight(np.ones((3, 4)))]),
        "external_missing": external("nothing.bin"),
        "external_short": external("data.bin", 0, 48),
        "external_past_the_end": external("data.bin", 32, 48),
        "external_absolute": external("/etc/hostname"),
        "external_parent": external("../data.bin"),
        "external_link": external("link.bin"),
        "unregistered_operator": model([node("RequantShift", "x", "y", "shift")], []),
        "expanding": expanding(),
        "no_opset": model(),
    }
    del models["no_opset"].opset_import[:]
    for name, made in models.items():
        (FILES / f"{name}.onnx").write_bytes(made.SerializeToString())
    (FILES / "truncated.onnx").write_bytes(plain[:-40])
    (FILES / "empty.onnx").write_bytes(b"")
    (FILES / "html.onnx").write_bytes(b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n")
    (FILES / "lfs_pointer.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 +
                                             b"\nsize 12345\n")
    (FILES / "flatbuffer.ort").write_bytes(b"\x1c\x00\x00\x00ORTM" + bytes(24))
    (FILES / "flatbuffer.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(24))
    (FILES / "gzipped.onnx.gz").write_bytes(gzip.compress(plain, mtime=0))
    odd = model([node("Relu", "QQQQ", "y", "ZZZZ")], [], [value("QQQQ")]).SerializeToString()
    (FILES / "invalid_utf8.onnx").write_bytes(odd.replace(b"QQQQ", b"\xff\xfe\xc0\x80").replace(b"ZZZZ", b"\x80n\x1b["))
    (FILES / "data.bin").write_bytes(bytes(40))


if __name__ == "__main__":
    main()
