#!/usr/bin/env python3
"""make_corpus.py: the structure-aware seeds of tests/fuzz/corpus and corpus_external.

One small model for each feature of the reader, and one for each group of operators that the reader or the graph treats
in a way of its own. Needs the onnx package (fixtures/make/requirements.txt).
SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import struct

import numpy as np
from onnx import AttributeProto, StringStringEntryProto, TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
FLOAT = TensorProto.FLOAT


def value(name, shape=(1, 4), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def model(nodes, constants=(), inputs=None, outputs=None, opset=18, **more):
    graph = helper.make_graph(nodes, "g", inputs or [value("x")], outputs or [value("y", None)], list(constants))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, v) for d, v in more.pop("domains", ())]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **more)


def array(name, *shape, kind=np.float32):
    return numpy_helper.from_array((np.arange(int(np.prod(shape))) % 5 - 2).reshape(shape).astype(kind), name)


def whole(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def typed(name, kind, values):
    return helper.make_tensor(name, kind, [len(values)], values)


def typed_fields():
    kinds = [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.UINT16,
             TensorProto.INT32, TensorProto.INT64, TensorProto.UINT32, TensorProto.UINT64, TensorProto.BOOL,
             TensorProto.UINT4, TensorProto.INT4]
    nodes, constants, last = [], [typed("c", FLOAT, [1.0, 2.0, 3.0, 4.0])], "x"
    for i, kind in enumerate(kinds):
        constants.append(typed(f"c{i}", kind, [1, 0, 1, 1]))
        nodes += [node("Cast", f"c{i}", f"f{i}", to=FLOAT), node("Add", f"{last} f{i}", f"s{i}")]
        last = f"s{i}"
    return model(nodes + [node("Mul", f"{last} c", "y")], constants, opset=21)


def sparse():
    made = model([node("MatMul", "x w", "y")])
    values = typed("w", FLOAT, [1.5, -2.0])
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, whole("w_indices", 1, 6), [4, 2]))
    return made


def constants():
    each = {"value_float": 0.5, "value_floats": [1.0, 2.0, 3.0, 4.0], "value_int": 3, "value_ints": [0, 1, 2, 3],
            "value": array("t", 4)}
    nodes, last = [], "x"
    for i, (key, content) in enumerate(each.items()):
        cast = "ints" in key or key == "value_int"
        nodes.append(node("Constant", "", f"k{i}", **{key: content}))
        nodes.append(node("Cast", f"k{i}", f"f{i}", to=FLOAT) if cast else node("Identity", f"k{i}", f"f{i}"))
        nodes.append(node("Add", f"{last} f{i}", f"s{i}"))
        last = f"s{i}"
    nodes.append(node("Constant", "", "words", value_strings=[b"a", b"b"]))
    return model(nodes + [node("Relu", last, "y")])


def functions():
    inner = helper.make_function("own", "Leaky", ["a"], ["b"], [node("LeakyRelu", "a", "b")],
                                 [helper.make_opsetid("", 18)], ["slope"])
    attribute = AttributeProto(name="alpha", ref_attr_name="slope", type=AttributeProto.FLOAT)
    inner.node[0].attribute.append(attribute)
    outer = helper.make_function("own", "Twice", ["a", "w"], ["b"],
                                 [node("Leaky", "a", "h", domain="own", slope=0.3),
                                  node("MatMul", "h w", "m"), node("Leaky", "m", "b", domain="own")],
                                 [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)])
    return model([node("Twice", "x w", "h", domain="own"), node("Twice", "h w", "y", domain="own")],
                 [array("w", 4, 4)], functions=[inner, outer], domains=[("own", 1)])


def branches():
    then = helper.make_graph([node("Relu", "x", "t")], "then", [], [value("t")])
    other = helper.make_graph([node("Constant", "", "k", value_float=2.0), node("Mul", "x k", "e")], "else", [],
                              [value("e")])
    nodes = [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Equal", "n one", "c"),
             node("If", "c", "y", then_branch=then, else_branch=other)]
    return model(nodes, [whole("one", 1), whole("zero", 0)])


def loop():
    body = helper.make_graph([node("Add", "v x", "w"), node("Identity", "c", "d")], "body",
                             [value("i", (), TensorProto.INT64), value("c", (), TensorProto.BOOL), value("v")],
                             [value("d", (), TensorProto.BOOL), value("w")])
    made = model([node("Loop", "n x", "y", body=body)], [whole("n", 3)])
    made.graph.node[0].input[:] = ["n", "", "x"]
    return made


def modules():
    made = model([node("Gemm", "x w b", "h", transB=1), node("Relu", "h", "y")], [array("w", 4, 4), array("b", 4)])
    made.graph.node[0].metadata_props.append(
        StringStringEntryProto(key="pkg.torch.onnx.name_scopes", value="['', 'layers', 'layers.0', 'linear']"))
    return made


def shape_arithmetic():
    nodes = [node("Shape", "x", "s"), node("Slice", "s zero two", "head"), node("Concat", "head minus", "t", axis=0),
             node("Reshape", "x t", "r"), node("Squeeze", "r one", "q"), node("Unsqueeze", "q one", "u"),
             node("Transpose", "u", "y", perm=[0, 2, 1])]
    return model(nodes, [whole("zero", 0), whole("one", 1), whole("two", 1), whole("minus", 1, -1)],
                 [value("x", ("N", 4))])


def old_broadcast():
    nodes = [node("Conv", "x w", "h", kernel_shape=[1, 1]), node("Add", "h b", "s", broadcast=1, axis=1),
             node("Softmax", "s", "y", axis=1)]
    return model(nodes, [array("w", 2, 3, 1, 1), array("b", 2)], [value("x", (1, 3, 2, 2))], opset=4)


def convolutions():
    nodes = [node("Conv", "x w b", "a", group=2, dilations=[2, 1], pads=[1, 0, 1, 1], strides=[1, 2]),
             node("BatchNormalization", "a one zero zero one", "n"), node("MaxPool", "n", "p", kernel_shape=[2, 2]),
             node("AveragePool", "p", "v", kernel_shape=[2, 1], count_include_pad=1, pads=[1, 0, 0, 0]),
             node("ConvTranspose", "v u", "t", strides=[2, 2], output_padding=[1, 1]),
             node("Resize", "t   sizes", "r", mode="linear"), node("Pad", "r pads", "q", mode="reflect"),
             node("GlobalAveragePool", "q", "g"), node("Flatten", "g", "y")]
    constants = [array("w", 4, 2, 3, 2), array("b", 4), numpy_helper.from_array(np.ones(4, np.float32), "one"),
                 numpy_helper.from_array(np.zeros(4, np.float32), "zero"), array("u", 4, 3, 2, 2),
                 whole("sizes", 1, 3, 9, 11), whole("pads", 0, 0, 1, 1, 0, 0, 2, 0)]
    made = model(nodes, constants, [value("x", (1, 4, 8, 9))])
    made.graph.node[5].input[:] = ["t", "", "", "sizes"]
    return made


def attention():
    nodes = [node("Attention", "q k v", "a", q_num_heads=2, kv_num_heads=1, is_causal=1), node("Softmax", "a", "y")]
    inputs = [value("q", (1, 3, 4)), value("k", (1, 3, 2)), value("v", (1, 3, 2))]
    return model(nodes, inputs=inputs, opset=23)


def masked():
    mask = numpy_helper.from_array(np.triu(np.full((4, 4), -np.inf, np.float32), 1), "mask")
    nodes = [node("MatMul", "x w", "s"), node("Add", "s mask", "m"), node("Softmax", "m", "p"),
             node("MatMul", "p x", "y")]
    return model(nodes, [array("w", 4, 4), mask], [value("x", (4, 4))])


def gates():
    numbers = {"half": 0.5, "one": 1.0, "root": 1.4142135, "cubic": 0.044715, "pi": 0.7978846, "three": 3.0,
               "eps": 1e-5, "two": 2.0}
    constants = [numpy_helper.from_array(np.float32(number), name) for name, number in numbers.items()]
    nodes = [node("Sigmoid", "x", "a"), node("Mul", "x a", "silu"),
             node("Div", "silu root", "b"), node("Erf", "b", "c"), node("Add", "c one", "d"),
             node("Mul", "silu d", "e"), node("Mul", "e half", "gelu"),
             node("Pow", "gelu three", "f"), node("Mul", "f cubic", "g"), node("Add", "gelu g", "h"),
             node("Mul", "h pi", "i"), node("Tanh", "i", "j"), node("Add", "one j", "k"), node("Mul", "gelu k", "t"),
             node("Softplus", "t", "l"), node("Tanh", "l", "m"), node("Mul", "t m", "mish"),
             node("ReduceMean", "mish axis", "n"), node("Sub", "mish n", "o"), node("Pow", "o two", "p"),
             node("ReduceMean", "p axis", "q"), node("Add", "q eps", "r"), node("Sqrt", "r", "s"),
             node("Div", "o s", "y")]
    return model(nodes, constants + [whole("axis", -1)])


def quantized():
    scale = numpy_helper.from_array(np.float32(0.1), "scale")
    nodes = [node("DequantizeLinear", "w scale", "f"), node("MatMul", "x f", "h"),
             node("QuantizeLinear", "h scale", "q"), node("DequantizeLinear", "q scale", "y")]
    return model(nodes, [scale, array("w", 4, 3, kind=np.uint8)], opset=13)


def small_floats():
    kinds = [TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ,
             TensorProto.FLOAT4E2M1, 24]  # 24: FLOAT8E8M0, which older onnx packages do not name
    nodes, constants, last = [], [typed("s", FLOAT, [0.5, 1, 2, 4])], "x"
    for i, kind in enumerate(kinds):
        stored = TensorProto(name=f"c{i}", data_type=kind, dims=[4])
        codes = [0x21, 0x43] if kind == TensorProto.FLOAT4E2M1 else [0x38, 0x40, 0x01, 0x7c]
        if i % 2:
            stored.raw_data = bytes(codes)
        else:
            stored.int32_data.extend(codes)
        constants.append(stored)
        nodes += [node("Cast", f"c{i}", f"f{i}", to=FLOAT), node("Add", f"{last} f{i}", f"a{i}"),
                  node("Cast", f"a{i}", f"n{i}", to=kind, saturate=i % 2), node("Cast", f"n{i}", f"b{i}", to=FLOAT)]
        last = f"b{i}"
    nodes += [node("QuantizeLinear", f"{last} s c0", "q", axis=1), node("DequantizeLinear", "q s c0", "y", axis=1)]
    return model(nodes, constants, opset=24)


def classical():
    nodes = [node("Scaler", "x", "s", domain="ai.onnx.ml", offset=[0.5] * 4, scale=[2.0] * 4),
             node("SVMRegressor", "s", "v", domain="ai.onnx.ml", kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0],
                  n_supports=2, support_vectors=[0.1] * 8, coefficients=[1.0, -1.0], rho=[0.2]),
             node("LinearClassifier", "s", "l p", domain="ai.onnx.ml", coefficients=[0.1] * 12,
                  intercepts=[0.0, 1.0, 2.0], classlabels_ints=[0, 1, 2], post_transform="SOFTMAX"),
             node("Concat", "v p", "y", axis=1)]
    return model(nodes, domains=[("ai.onnx.ml", 3)])


def sums():
    nodes = [node("Einsum", "x w", "e", equation="...i,ij->...j"),
             node("ScatterElements", "e at x", "s", axis=1, reduction="add"),
             node("GridSample", "image grid", "g", padding_mode="reflection", align_corners=1),
             node("Reshape", "g shape", "h"), node("Concat", "s h", "y", axis=1)]
    grid = numpy_helper.from_array(np.linspace(-1.2, 1.2, 8, dtype=np.float32).reshape(1, 2, 2, 2), "grid")
    at = numpy_helper.from_array(np.array([[0, 3, 3, 1]], np.int64), "at")
    return model(nodes, [array("w", 4, 4), grid, at, whole("shape", 1, -1)],
                 [value("x"), value("image", (1, 1, 3, 3))], opset=18)


def optional_and_unnamed():
    nodes = [node("Clip", "x", "c"), node("Dropout", "c", "d mask"), node("Split", "d", "p q", axis=1, num_outputs=2),
             node("TopK", "p k", "v i"), node("Concat", "v q", "y", axis=1)]
    made = model(nodes, [whole("k", 2)])
    made.graph.node[0].input[:] = ["x", "", "c6"]
    made.graph.initializer.append(numpy_helper.from_array(np.float32(6), "c6"))
    made.graph.output.append(value("mask", None, TensorProto.BOOL))
    made.graph.input.append(value("k", (1,), TensorProto.INT64))
    made.graph.value_info.append(value("d"))
    return made


def unsorted():
    nodes = [node("Relu", "h", "y"), node("MatMul", "g w", "h"), node("Identity", "x", "g")]
    return model(nodes, [array("w", 4, 4)])


def external(location="data.bin", offset=16, length=64, data=bytes(range(96))):
    made = model([node("MatMul", "x w", "y")])
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4, 4], data_location=TensorProto.EXTERNAL)
    for key, content in (("location", location), ("offset", offset), ("length", length)):
        if content is not None:
            tensor.external_data.append(StringStringEntryProto(key=key, value=str(content)))
    made.graph.initializer.append(tensor)
    return struct.pack("<H", len(data)) + data + made.SerializeToString()


def main():
    for make in (typed_fields, sparse, constants, functions, branches, loop, modules, shape_arithmetic, old_broadcast,
                 convolutions, attention, masked, gates, quantized, small_floats, classical, sums, optional_and_unnamed,
                 unsorted):
        (HERE / "corpus" / f"seed_{make.__name__}.onnx").write_bytes(make().SerializeToString())
    folder = HERE / "corpus_external"
    folder.mkdir(exist_ok=True)
    cases = {"plain": {}, "whole_file": {"offset": None, "length": None, "data": bytes(64)},
             "below": {"location": "sub/data.bin"}, "unaligned": {"offset": 3}, "past_the_end": {"offset": 40},
             "link": {"location": "link.bin"}, "parent": {"location": "../data.bin"},
             "absolute": {"location": "/etc/hostname"}, "missing": {"location": "other.bin"},
             "not_a_number": {"offset": "1e3"}, "empty_file": {"data": b""}}
    for name, changes in cases.items():
        (folder / name).write_bytes(external(**changes))


if __name__ == "__main__":
    main()
