/*
 * test_module_path.c: module paths as PyTorch's two exporters store them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "read/module_path.h"

static void from_name(const char *name, const char *path)
{
    char found[64];
    assert_int_equal(lip_module_from_name(name, found, sizeof found), path != NULL);
    if (path)
        assert_string_equal(found, path);
}

static void from_scopes(const char *scopes, const char *path)
{
    char found[64];
    assert_int_equal(lip_module_from_scopes(scopes, strlen(scopes), found, sizeof found), path != NULL);
    if (path)
        assert_string_equal(found, path);
}

static void test_names(void **state)
{
    (void)state;
    from_name("/conv1/Conv", "conv1");
    from_name("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1");
    from_name("/1/1.0/1.0.0/fn/fn.1/query/MatMul", "1.0.0.fn.1.query");
    from_name("/Relu_1", NULL);
    from_name("Conv_0", NULL);
    from_name("sequential/conv/BiasAdd", NULL);
    from_name("", NULL);
    from_name("/", NULL);
    from_name("/a-name-of-more-than-sixty-four-characters/"
              "a-name-of-more-than-sixty-four-characters/Conv", NULL);
}

static void test_scopes(void **state)
{
    (void)state;
    from_scopes("['', 'layer1', 'layer1.0', 'layer1.0.bn2', 'add_1']", "layer1.0.bn2");
    from_scopes("['', 'conv1', 'conv2d']", "conv1");
    from_scopes("['', 'relu']", NULL);
    from_scopes("['relu']", NULL);
    from_scopes("[]", NULL);
    from_scopes("", NULL);
    from_scopes("['', 'conv1", NULL);
}

static void add_metadata(Onnx__NodeProto *node, uint8_t *bytes, size_t size)
{
    static ProtobufCMessageUnknownField field;
    field = (ProtobufCMessageUnknownField){9, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, size, bytes};
    node->base.n_unknown_fields = 1;
    node->base.unknown_fields = &field;
}

static void test_in_a_model(void **state)
{
    (void)state;
    const char key[] = "pkg.torch.onnx.name_scopes", value[] = "['', 'head', 'relu']";
    uint8_t bytes[128] = {(uint8_t)(4 + sizeof key - 1 + sizeof value - 1), 0x0a, sizeof key - 1};
    memcpy(bytes + 3, key, sizeof key - 1);
    bytes[2 + sizeof key] = 0x12;
    bytes[3 + sizeof key] = sizeof value - 1;
    memcpy(bytes + 4 + sizeof key, value, sizeof value - 1);

    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node_in(b, "", "Relu", "/body/Relu", "x", "h");
    add_metadata(build_node_in(b, "", "Relu", "node_relu", "h", "y"), bytes, 1u + bytes[0]);
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(lip_model_node(model, 0).module, "body");
    assert_string_equal(lip_model_node(model, 1).module, "head");
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_in_a_model),
    };
    return cmocka_run_group_tests_name("module_path", tests, NULL, NULL);
}
